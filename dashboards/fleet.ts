/** The fleet: which hosts are sick or silent, and what the GPUs of all hosts do. */
import {
  CHOSEN_HOSTS as HOSTS,
  dashboard,
  hostVariables,
  type GrafanaDashboard,
  type Panels,
} from "./dashboard.js";
import { fleetGpus } from "./fleet-gpus.js";
import { fleetReading } from "./fleet-reading.js";
import {
  badFrom,
  COLORS,
  graph,
  stat,
  STATUS_MAPPINGS,
  timeline,
  worstStatus,
  type PanelOptions,
} from "./grafana.js";
import { findingsTable, table } from "./table.js";

export function fleetDashboard(): GrafanaDashboard {
  return dashboard({
    uid: "fleet",
    description: "Every host that one allsmi-ssh reads. Findings need --health.",
    variables: hostVariables(),
    rows: [
      { title: "Now", panels: now() },
      { title: "Hosts", panels: hosts() },
      { title: "GPUs", panels: fleetGpus() },
      { title: "How the fleet is read", panels: fleetReading() },
    ],
  });
}

function now(): Panels {
  const one = (
    title: string,
    description: string,
    expr: string,
    more: Partial<PanelOptions> = {},
  ): Panels[number] => stat({ title, description, queries: [{ expr }], span: 3, ...more });
  return [
    one("Hosts", "Hosts that are watched.", `count(allsmi_host_up{${HOSTS}})`),
    one(
      "Not reporting",
      "Hosts whose last tick has no readings, or whose readings are too old.",
      `count(allsmi_host_up{${HOSTS}}) - sum(allsmi_host_up{${HOSTS}})`,
      { thresholds: badFrom(1) },
    ),
    one(
      "Critical hosts",
      "Hosts with a critical finding.",
      `sum(allsmi_host_health{${HOSTS}, status="critical"})`,
      {
        thresholds: badFrom(1),
      },
    ),
    one(
      "Hosts with warnings",
      "Hosts whose worst finding is a warning.",
      `sum(allsmi_host_health{${HOSTS}, status="warning"})`,
      { thresholds: badFrom(1, "warning") },
    ),
    one("GPUs", "GPUs that the tools of the reporting hosts list.", `count(allsmi_gpu_failed{${HOSTS}})`),
    one("Failed GPUs", "GPUs that are lost or report an error.", `sum(allsmi_gpu_failed{${HOSTS}})`, {
      thresholds: badFrom(1),
    }),
    one(
      "GPU utilization",
      "Mean of all GPUs of the reporting hosts.",
      `avg(allsmi_gpu_utilization_ratio{${HOSTS}})`,
      { unit: "percentunit", max: 1 },
    ),
    one(
      "GPU power",
      "Sum of all GPUs of the reporting hosts.",
      `sum(allsmi_gpu_power_consumption_watts{${HOSTS}})`,
      { unit: "watt" },
    ),
  ];
}

function hosts(): Panels {
  return [
    table({
      title: "Hosts, sick first",
      description:
        "Status is the worst finding; without --health only whether the host reports. A host without a last reading has never answered.",
      span: 24,
      height: 10,
      labels: { host: "Host", hostname: "Name", state: "State", code: "Reason" },
      numbers: [
        { expr: worstStatus(HOSTS), title: "Status", mappings: STATUS_MAPPINGS },
        { expr: `sum by (host) (allsmi_host_health_findings{${HOSTS}})`, title: "Findings" },
        { expr: `max by (host, hostname) (allsmi_host_info{${HOSTS}})`, title: null },
        { expr: `max by (host, state) (allsmi_host_state{${HOSTS}} == 1)`, title: null },
        { expr: `max by (host, code) (allsmi_host_error{${HOSTS}})`, title: null },
        { expr: `count by (host) (allsmi_gpu_failed{${HOSTS}})`, title: "GPUs" },
        {
          expr: `sum by (host) (allsmi_gpu_failed{${HOSTS}})`,
          title: "Failed GPUs",
          thresholds: badFrom(1),
        },
        {
          expr: `avg by (host) (allsmi_gpu_utilization_ratio{${HOSTS}})`,
          title: "GPU utilization",
          unit: "percentunit",
        },
        {
          expr: `sum by (host) (allsmi_gpu_power_consumption_watts{${HOSTS}})`,
          title: "GPU power",
          unit: "watt",
        },
        {
          expr: `time() - max by (host) (allsmi_host_last_success_timestamp_seconds{${HOSTS}})`,
          title: "Last reading ago",
          unit: "s",
        },
      ],
      sortBy: "Status",
    }),
    graph({
      title: "Hosts by state",
      description: "What connecting to the hosts came to.",
      queries: [{ expr: `sum by (state) (allsmi_host_state{${HOSTS}})`, legend: "{{state}}" }],
      span: 12,
      isStacked: true,
    }),
    graph({
      title: "Hosts by health",
      description: "By the worst finding of each host; needs --health.",
      queries: [{ expr: `sum by (status) (allsmi_host_health{${HOSTS}})`, legend: "{{status}}" }],
      colors: COLORS,
      span: 12,
      isStacked: true,
    }),
    table({
      title: "Hosts not reporting",
      description:
        "Why a host has no readings. auth-failed and host-key-rejected do not go away by themselves.",
      span: 12,
      labels: { host: "Host", hostname: "Name", code: "Reason" },
      numbers: [
        { expr: `max by (host, code) (allsmi_host_error{${HOSTS}})`, title: null },
        {
          expr: `max by (host, hostname) (allsmi_host_info{${HOSTS}}) and on (host) allsmi_host_up{${HOSTS}} == 0`,
          title: null,
        },
        {
          expr: `max by (host) (allsmi_host_consecutive_failures{${HOSTS}}) and on (host) allsmi_host_up{${HOSTS}} == 0`,
          title: "Failed attempts",
        },
        {
          expr: `time() - max by (host) (allsmi_host_last_success_timestamp_seconds{${HOSTS}} and on (host) allsmi_host_up{${HOSTS}} == 0)`,
          title: "Last reading ago",
          unit: "s",
        },
      ],
      sortBy: "Failed attempts",
    }),
    findingsTable("What stands now, by rule and device. docs/health.md has what to do for each rule.", HOSTS),
    graph({
      title: "Findings over time",
      description: "All findings of all hosts, by severity.",
      queries: [
        { expr: `sum by (severity) (allsmi_host_health_findings{${HOSTS}})`, legend: "{{severity}}" },
      ],
      colors: COLORS,
      span: 12,
      isStacked: true,
    }),
    timeline({
      title: "Sick hosts over time",
      description: "Hosts with a finding, each while it stands.",
      queries: [{ expr: `(${worstStatus(HOSTS)}) > 0`, legend: "{{host}}" }],
      mappings: STATUS_MAPPINGS,
      span: 12,
    }),
  ];
}
