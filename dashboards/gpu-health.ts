/** The health of the GPUs of a fleet: what to drain, reset or replace. */
import { HEALTH_STATUSES } from "../src/contract/health.js";
import {
  CHOSEN_HOSTS as HOSTS,
  choiceVariable,
  dashboard,
  gpuVariable,
  hostVariables,
  type GrafanaDashboard,
  type Panels,
} from "./dashboard.js";
import { gpuLimits } from "./gpu-limits.js";
import { badFrom, bars, graph, stat } from "./grafana.js";
import { table } from "./table.js";

const GPUS = `${HOSTS}, gpu=~"$gpu"`;
const FINDINGS = `allsmi_host_health_findings{${HOSTS}, severity=~"$severity"}`;
const XIDS = `allsmi_host_kernel_events_total{${HOSTS}, kind="nvidia-xid"}`;
const [, ...SEVERITIES] = HEALTH_STATUSES;

export function gpuHealthDashboard(): GrafanaDashboard {
  return dashboard({
    uid: "gpu-health",
    description: "Faults of GPUs. Needs --health, for the findings and the events of the kernel log.",
    variables: [...hostVariables(), gpuVariable(HOSTS), choiceVariable("severity", "Severity", SEVERITIES)],
    rows: [
      { title: "Findings", panels: findings() },
      { title: "Lost GPUs and events of the driver", panels: losses() },
      { title: "Memory errors", panels: memory() },
      { title: "Limits and links", panels: gpuLimits(GPUS) },
    ],
  });
}

function findings(): Panels {
  return [
    stat({
      title: "Findings",
      description: "What stands now, by severity.",
      queries: [{ expr: `sum by (severity) (${FINDINGS})`, legend: "{{severity}}" }],
      span: 6,
      height: 9,
    }),
    bars({
      title: "Findings by rule",
      description: "What is found most often. docs/health.md has what each rule means.",
      queries: [{ expr: `sort_desc(sum by (rule) (${FINDINGS}))`, legend: "{{rule}}" }],
      span: 6,
      height: 9,
    }),
    table({
      title: "Findings by device",
      description: "Hosts and devices with what was found.",
      span: 12,
      labels: { host: "Host", device: "Device", rule: "Rule", severity: "Severity" },
      numbers: [{ expr: `sum by (host, device, rule, severity) (${FINDINGS})`, title: "Findings" }],
      sortBy: "Severity",
      isAscending: true,
    }),
    graph({
      title: "Findings over time",
      description: "By rule; a rule that is shown again and again is a fault that comes back.",
      queries: [{ expr: `sum by (rule) (${FINDINGS})`, legend: "{{rule}}" }],
      span: 24,
      isStacked: true,
    }),
  ];
}

function losses(): Panels {
  return [
    table({
      title: "Lost and failed GPUs",
      description: "The tool lists them and gives an error in place of readings.",
      span: 8,
      labels: { host: "Host", gpu: "GPU", uuid: "UUID" },
      numbers: [{ expr: `max by (host, gpu, uuid) (allsmi_gpu_failed{${GPUS}} == 1)`, title: null }],
    }),
    table({
      title: "Recovery that the driver asks for",
      description: "NVIDIA: reset, reboot or drain, as recovery_action has it.",
      span: 8,
      labels: { host: "Host", gpu: "GPU", action: "Action" },
      numbers: [
        {
          expr: `max by (host, gpu, action) (allsmi_gpu_recovery_action{${GPUS}, action!~"(?i)none"})`,
          title: null,
        },
      ],
    }),
    table({
      title: "NVLink fabric",
      description: "GPUs that are not registered with the fabric: CUDA does not start on them.",
      span: 8,
      labels: { host: "Host", gpu: "GPU", state: "State", status: "Status" },
      numbers: [
        {
          expr: `max by (host, gpu, state, status) (allsmi_gpu_fabric_info{${GPUS}, state!~"(?i)completed|"} or allsmi_gpu_fabric_info{${GPUS}, status!~"(?i)success|"})`,
          title: null,
        },
      ],
    }),
    table({
      title: "Events of the kernel log",
      description:
        "Since allsmi-ssh was started: Xids, SXids, RAS errors, resets and other faults, without boots.",
      span: 12,
      labels: {
        host: "Host",
        kind: "Kind",
        code: "Code",
        pci_bus_id: "PCI bus",
        severity: "Severity",
      },
      numbers: [
        {
          expr: `sum by (host, kind, code, pci_bus_id, severity) (allsmi_host_kernel_events_total{${HOSTS}, severity=~"$severity"})`,
          title: "Events",
        },
      ],
      sortBy: "Events",
    }),
    graph({
      title: "Xids",
      description: "How many there were in the hour before, by code.",
      queries: [
        {
          expr: `sum by (code) (clamp_min(${XIDS} - (${XIDS} offset 1h or 0 * ${XIDS}), 0))`,
          legend: "Xid {{code}}",
        },
      ],
      span: 12,
      height: 9,
    }),
  ];
}

function memory(): Panels {
  const name = "{{host}} gpu {{gpu}}";
  return [
    table({
      title: "Uncorrected errors, remapped rows and retired pages",
      description:
        "GPUs with any of them. A reset or a reboot makes what is pending take effect; a failure means replacement.",
      span: 24,
      labels: { host: "Host", gpu: "GPU", uuid: "UUID" },
      numbers: [
        counted("Uncorrected since load", "ecc_uncorrected_errors_since_load_total", "critical"),
        counted("Uncorrected, all time", "ecc_uncorrected_errors_total"),
        counted("SRAM threshold exceeded", "ecc_sram_threshold_exceeded", "critical"),
        counted("Rows remapped, correctable", "remapped_rows_correctable_total"),
        counted("Rows remapped, uncorrectable", "remapped_rows_uncorrectable_total"),
        counted("Row pending", "remapped_rows_pending", "warning"),
        counted("Remapping failed", "remapped_rows_failure", "critical"),
        counted("Banks with few spare rows", "remap_banks_low", "warning"),
        counted("Banks with none", "remap_banks_none", "warning"),
        counted("Pages retired, single bit", "retired_pages_single_bit_total"),
        counted("Pages retired, double bit", "retired_pages_double_bit_total"),
        counted("Page pending", "retired_pages_pending", "warning"),
      ],
      sortBy: "Uncorrected since load",
    }),
    graph({
      title: "Corrected errors",
      description: "A second, the ten largest. Many of them come before uncorrected ones.",
      queries: [
        {
          expr: `topk(10, rate(allsmi_gpu_ecc_corrected_errors_since_load_total{${GPUS}}[$__rate_interval]))`,
          legend: name,
        },
      ],
      unit: "cps",
      span: 12,
    }),
    graph({
      title: "Uncorrected errors",
      description: "Since the driver was loaded, where there are any.",
      queries: [{ expr: `allsmi_gpu_ecc_uncorrected_errors_since_load_total{${GPUS}} > 0`, legend: name }],
      span: 12,
    }),
  ];

  function counted(
    title: string,
    metric: string,
    status?: "warning" | "critical",
  ): Parameters<typeof table>[0]["numbers"][number] {
    return {
      expr: `max by (host, gpu, uuid) (allsmi_gpu_${metric}{${GPUS}}) > 0`,
      title,
      ...(status === undefined ? {} : { thresholds: badFrom(1, status) }),
    };
  }
}
