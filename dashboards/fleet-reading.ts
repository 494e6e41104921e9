/** The row about how the fleet is read: how long samples take, and what fails. */
import { CHOSEN_HOSTS as HOSTS, type Panels } from "./dashboard.js";
import { bars, graph } from "./grafana.js";

export function fleetReading(): Panels {
  return [
    graph({
      title: "Sample duration",
      description:
        "From the command sent to the last byte of its answer. It should be far below the interval.",
      queries: [
        { expr: `quantile(0.5, allsmi_host_sample_duration_seconds{${HOSTS}})`, legend: "median" },
        { expr: `quantile(0.99, allsmi_host_sample_duration_seconds{${HOSTS}})`, legend: "99th percentile" },
        { expr: `max(allsmi_host_sample_duration_seconds{${HOSTS}})`, legend: "slowest" },
      ],
      unit: "s",
      span: 12,
    }),
    bars({
      title: "Slowest hosts",
      description: "The ten longest samples now.",
      queries: [
        {
          expr: `topk(10, max by (host) (allsmi_host_sample_duration_seconds{${HOSTS}}))`,
          legend: "{{host}}",
        },
      ],
      unit: "s",
      span: 12,
    }),
    graph({
      title: "Ticks",
      description: "Ticks a second of all hosts: with a reading, and with a reason why there is none.",
      queries: [
        {
          expr: `sum by (result) (rate(allsmi_host_ticks_total{${HOSTS}}[$__rate_interval]))`,
          legend: "{{result}}",
        },
      ],
      unit: "cps",
      span: 8,
    }),
    graph({
      title: "Failed connections",
      description: "Failed attempts and lost connections, by cause; and connections after a loss.",
      queries: [
        {
          expr: `sum by (code) (rate(allsmi_host_failures_total{${HOSTS}}[$__rate_interval]))`,
          legend: "{{code}}",
        },
        { expr: `sum(rate(allsmi_host_reconnects_total{${HOSTS}}[$__rate_interval]))`, legend: "reconnects" },
      ],
      unit: "cps",
      span: 8,
    }),
    graph({
      title: "Sections with errors",
      description: "Hosts on which a section could not be read whole.",
      queries: [{ expr: `sum by (section) (1 - allsmi_host_section_ok{${HOSTS}})`, legend: "{{section}}" }],
      span: 8,
    }),
  ];
}
