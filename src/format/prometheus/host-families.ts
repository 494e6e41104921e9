/** Families of a host itself: whether and how it answers, and how healthy it is. An outage changes values, never labels. */
import { HEALTH_STATUSES } from "../../contract/health.js";
import { HOST_STATES, KEY_OF_SECTION, SECTIONS, type Section } from "../../contract/record.js";
import { sample, type Family } from "./family.js";
import type { HostView } from "./host-view.js";
import { label } from "./labels.js";

export const HOST_FAMILIES: readonly Family[] = [
  {
    ...{ name: "allsmi_host_info", type: "info", unit: null, source: "hostname, target" },
    help: "Who the host is.",
    samples: ({ labels, record }) =>
      sample(
        "allsmi_host_info",
        `${labels}${label("hostname", record.hostname)}${label("target", record.target)}`,
        1,
      ),
  },
  {
    ...{ name: "allsmi_host_up", type: "gauge", unit: null, source: "record" },
    help: "1 where readings of the host are here; 0 where its last tick has none, or they are too old.",
    samples: ({ labels, frame }) => sample("allsmi_host_up", labels, frame === null ? 0 : 1),
  },
  {
    ...{ name: "allsmi_host_state", type: "gauge", unit: null, source: "state" },
    help: "1 for the state that the host is in, 0 for the others.",
    samples: ({ labels, record }) =>
      stateSet("allsmi_host_state", labels, "state", HOST_STATES, record.state),
  },
  {
    ...{ name: "allsmi_host_error", type: "gauge", unit: null, source: "last_error.code" },
    help: "1 for the reason why the host has no readings.",
    samples: ({ labels, record }: HostView): string => {
      const code = record.record === "state" ? record.last_error?.code : undefined;
      const own = label("code", code);
      return own === "" ? "" : sample("allsmi_host_error", `${labels}${own}`, 1);
    },
  },
  {
    ...{ name: "allsmi_host_consecutive_failures", type: "gauge", unit: null },
    source: "consecutive_failures",
    help: "Failed attempts since the host was last connected.",
    samples: ({ labels, record }) =>
      sample(
        "allsmi_host_consecutive_failures",
        labels,
        record.record === "frame" ? 0 : record.consecutive_failures,
      ),
  },
  {
    ...{ name: "allsmi_host_last_success_timestamp_seconds", type: "gauge", unit: "seconds" },
    source: "timestamp",
    help: "When the last frame arrived, in seconds since the epoch.",
    samples: ({ labels, counts }) =>
      counts.lastFrame === null
        ? ""
        : sample("allsmi_host_last_success_timestamp_seconds", labels, Date.parse(counts.lastFrame) / 1000),
  },
  {
    ...{ name: "allsmi_host_sample_duration_seconds", type: "gauge", unit: "seconds" },
    source: "latency_ms",
    help: "From the first byte of the command sent to the last byte of the answer.",
    samples: ({ labels, frame }) =>
      frame !== null && typeof frame.latency_ms === "number"
        ? sample("allsmi_host_sample_duration_seconds", labels, frame.latency_ms / 1000)
        : "",
  },
  {
    ...{ name: "allsmi_host_transport_info", type: "info", unit: null },
    source: "transport, ssh_client, channel",
    help: "How the host is read.",
    samples: ({ labels, frame }: HostView): string => {
      if (frame === null) return "";
      const { transport, ssh_client: client, channel } = frame;
      const own = `${label("transport", transport)}${label("ssh_client", client)}${label("channel", channel)}`;
      return sample("allsmi_host_transport_info", `${labels}${own}`, 1);
    },
  },
  {
    ...{ name: "allsmi_host_section_ok", type: "gauge", unit: null, source: "errors[]" },
    help: "1 for a section that was read whole, 0 for one with errors.",
    samples: sectionsRead,
  },
  {
    ...{ name: "allsmi_host_section_errors_total", type: "counter", unit: null, source: "errors[]" },
    help: "Sections, or devices in them, that could not be read, since the run began.",
    samples: ({ labels, counts }) =>
      counts.sectionErrors
        .map(({ section, kind, count }) =>
          sample(
            "allsmi_host_section_errors_total",
            `${labels}${label("section", section)}${label("kind", kind)}`,
            count,
          ),
        )
        .join(""),
  },
  {
    ...{ name: "allsmi_host_kernel_events_total", type: "counter", unit: null, source: "events[]" },
    help: "Events in the kernel log that this run has read, as Xids of NVIDIA's driver.",
    samples: ({ labels, counts }) =>
      counts.events
        .map(({ kind, severity, code, pci_bus_id: bus, count }) => {
          const what = `${label("kind", kind)}${label("severity", severity)}${label("code", code)}`;
          return sample(
            "allsmi_host_kernel_events_total",
            `${labels}${what}${label("pci_bus_id", bus)}`,
            count,
          );
        })
        .join(""),
  },
  {
    ...{ name: "allsmi_host_ticks_total", type: "counter", unit: null, source: "record, tick" },
    help: "Ticks since the run began: those with a frame, and those with a reason why there is none.",
    samples: ({ labels, counts }) =>
      (
        [
          ["frame", counts.frames],
          ["none", counts.missedTicks],
        ] as const
      )
        .map(([result, count]) =>
          sample("allsmi_host_ticks_total", `${labels}${label("result", result)}`, count),
        )
        .join(""),
  },
  {
    ...{ name: "allsmi_host_reconnects_total", type: "counter", unit: null, source: "state" },
    help: "Connections after the first one, since the run began.",
    samples: ({ labels, counts }) => sample("allsmi_host_reconnects_total", labels, counts.reconnects),
  },
  {
    ...{ name: "allsmi_host_failures_total", type: "counter", unit: null, source: "last_error.code" },
    help: "Failed attempts to connect and lost connections, since the run began.",
    samples: ({ labels, counts }) =>
      counts.failures
        .map(([code, count]) =>
          sample("allsmi_host_failures_total", `${labels}${label("code", code)}`, count),
        )
        .join(""),
  },
  {
    ...{ name: "allsmi_host_health", type: "gauge", unit: null, source: "health.status" },
    help: "With --health or --expect: 1 for the worst severity of the findings, 0 for the others.",
    samples: ({ labels, record: { health } }) =>
      health === undefined
        ? ""
        : stateSet("allsmi_host_health", labels, "status", HEALTH_STATUSES, health.status),
  },
  {
    ...{ name: "allsmi_host_health_findings", type: "gauge", unit: null, source: "health.findings[]" },
    help: "With --health or --expect: findings, by rule and device.",
    samples: findings,
  },
];

/** 1 for the one that is, 0 for each other: an alert on a state then has a series before the state is entered. */
function stateSet(
  name: string,
  labels: string,
  own: "state" | "status",
  all: readonly string[],
  current: string,
): string {
  return all.map((each) => sample(name, `${labels}${label(own, each)}`, each === current ? 1 : 0)).join("");
}

function sectionsRead({ labels, frame }: HostView): string {
  if (frame === null) return "";
  const errors = frame.errors ?? [];
  const hasError = (section: Section): boolean => errors.some((error) => error.section === section);
  return SECTIONS.filter((section) => frame[KEY_OF_SECTION[section]] !== undefined || hasError(section))
    .map((section) =>
      sample("allsmi_host_section_ok", `${labels}${label("section", section)}`, hasError(section) ? 0 : 1),
    )
    .join("");
}

function findings({ labels, record: { health } }: HostView): string {
  const counts = new Map<string, number>();
  for (const { rule, severity, device } of health?.findings ?? []) {
    const own = `${label("rule", rule)}${label("severity", severity)}${label("device", device)}`;
    counts.set(own, (counts.get(own) ?? 0) + 1);
  }
  return [...counts]
    .map(([own, count]) => sample("allsmi_host_health_findings", `${labels}${own}`, count))
    .join("");
}
