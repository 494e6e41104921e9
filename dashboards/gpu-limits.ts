/** The row about what slows GPUs down: heat, power and their links. `gpus` are labels that choose the GPUs. */
import { HARDWARE_SLOWDOWNS, MARGIN_LIMIT, SLOWEST_FULL_LINK_STATE } from "../src/health/nvidia-rules.js";
import { AMD_THERMAL, INTEL_THERMAL } from "../src/health/vendor-rules.js";
import type { Panels } from "./dashboard.js";
import { badBelow, bars, graph } from "./grafana.js";
import { table } from "./table.js";

/** The reasons that are findings: the hardware protects itself. */
const FAULTS = [...HARDWARE_SLOWDOWNS, ...AMD_THERMAL, ...INTEL_THERMAL].join("|");
const NAME = "{{host}} gpu {{gpu}}";

export function gpuLimits(gpus: string): Panels {
  return [
    graph({
      title: "GPUs held back, by reason",
      description: "How many GPUs have each reason. Power caps and idle clocks are normal work.",
      queries: [{ expr: `count by (reason) (allsmi_gpu_throttle_reason{${gpus}})`, legend: "{{reason}}" }],
      span: 12,
    }),
    table({
      title: "GPUs that protect themselves",
      description: "The hardware slows the clocks down for heat or power: the reasons that are findings.",
      span: 12,
      height: 8,
      labels: { host: "Host", gpu: "GPU", reason: "Reason" },
      numbers: [
        {
          expr: `max by (host, gpu, reason) (allsmi_gpu_throttle_reason{${gpus}, reason=~"${FAULTS}"})`,
          title: null,
        },
      ],
    }),
    bars({
      title: "Least temperature margin",
      description: `The ten GPUs nearest to their maximum operating temperature; ${MARGIN_LIMIT} or less is a finding.`,
      queries: [
        {
          expr: `bottomk(10, min by (host, gpu) (allsmi_gpu_temperature_margin_celsius{${gpus}}))`,
          legend: NAME,
        },
      ],
      unit: "celsius",
      // Whole degrees: the next one above the limit is fine.
      thresholds: badBelow([MARGIN_LIMIT + 1, "warning"]),
      span: 12,
    }),
    graph({
      title: "Slowed down by heat",
      description: "Share of time in which the hardware slowed the clocks down, the ten largest.",
      queries: [
        {
          expr: `topk(10, rate(allsmi_gpu_throttle_time_hw_thermal_seconds_total{${gpus}}[$__rate_interval]))`,
          legend: NAME,
        },
      ],
      unit: "percentunit",
      span: 12,
    }),
    table({
      title: "Narrow PCIe links",
      description: `GPUs at P0 to P${SLOWEST_FULL_LINK_STATE} with fewer lanes than the slot and the board allow.`,
      span: 8,
      labels: { host: "Host", gpu: "GPU" },
      numbers: [
        { expr: narrow(gpus, "allsmi_gpu_pcie_link_width"), title: "Lanes" },
        { expr: narrow(gpus, "allsmi_gpu_pcie_link_width_max"), title: "of" },
      ],
    }),
    table({
      title: "NVLinks down",
      description:
        "GPUs with fewer links up than the board has. A pair of boards may be bridged by some of them.",
      span: 8,
      labels: { host: "Host", gpu: "GPU" },
      numbers: [
        {
          expr: `max by (host, gpu) (allsmi_gpu_nvlink_active{${gpus}} < allsmi_gpu_nvlink_links{${gpus}})`,
          title: "Up",
        },
        {
          expr: `max by (host, gpu) (allsmi_gpu_nvlink_links{${gpus}} > allsmi_gpu_nvlink_active{${gpus}})`,
          title: "of",
        },
      ],
    }),
    graph({
      title: "NVLink errors",
      description: "A second, of all links of a GPU, the ten largest of each kind.",
      queries: ["crc", "replay", "recovery"].map((kind) => ({
        expr: `topk(10, rate(allsmi_gpu_nvlink_${kind}_errors_total{${gpus}}[$__rate_interval]))`,
        legend: `${NAME} ${kind}`,
      })),
      unit: "cps",
      span: 8,
      height: 9,
    }),
  ];
}

/** `metric` of the GPUs whose link is narrow, as the rule nvidia-pcie-width has it. */
function narrow(gpus: string, metric: string): string {
  const [width, max, state] = ["pcie_link_width", "pcie_link_width_max", "performance_state"].map(
    (name) => `allsmi_gpu_${name}{${gpus}}`,
  );
  return `max by (host, gpu) (${metric}{${gpus}} and (${width} < ${max}) and (${state} <= ${SLOWEST_FULL_LINK_STATE}))`;
}
