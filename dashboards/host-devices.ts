/** Rows about each GPU of a host. `gpus` are labels that choose the GPUs. */
import { MappingType } from "@grafana/grafana-foundation-sdk/dashboard";
import { MARGIN_LIMIT } from "../src/health/nvidia-rules.js";
import type { Panels } from "./dashboard.js";
import { badBelow, badFrom, COLORS, graph, timeline } from "./grafana.js";
import { table } from "./table.js";

const NAME = "{{host}} gpu {{gpu}}";

/** What the GPUs do. */
export function gpuLoad(gpus: string): Panels {
  return [
    graph({
      title: "Utilization",
      description: "Share of time in which the GPU was in use.",
      queries: [{ expr: `allsmi_gpu_utilization_ratio{${gpus}}`, legend: NAME }],
      unit: "percentunit",
      max: 1,
      span: 8,
    }),
    graph({
      title: "Memory in use",
      description: "Share of the GPU's memory.",
      queries: [
        {
          expr: `allsmi_gpu_memory_used_bytes{${gpus}} / allsmi_gpu_memory_total_bytes{${gpus}}`,
          legend: NAME,
        },
      ],
      unit: "percentunit",
      max: 1,
      span: 8,
    }),
    graph({
      title: "Memory traffic",
      description: "Share of time in which memory was read or written.",
      queries: [{ expr: `allsmi_gpu_memory_busy_ratio{${gpus}}`, legend: NAME }],
      unit: "percentunit",
      max: 1,
      span: 8,
    }),
    graph({
      title: "Power",
      description: "Power drawn, and the limit that is set.",
      queries: [
        { expr: `allsmi_gpu_power_consumption_watts{${gpus}}`, legend: NAME },
        { expr: `allsmi_gpu_power_limit_watts{${gpus}}`, legend: `${NAME} limit` },
      ],
      unit: "watt",
      span: 12,
    }),
    graph({
      title: "Clocks",
      description: "Clock of the chip, and the highest one of the board.",
      queries: [
        { expr: `allsmi_gpu_frequency_hertz{${gpus}}`, legend: NAME },
        { expr: `allsmi_gpu_frequency_max_hertz{${gpus}}`, legend: `${NAME} max` },
        { expr: `allsmi_gpu_memory_frequency_hertz{${gpus}}`, legend: `${NAME} memory` },
      ],
      unit: "hertz",
      span: 12,
    }),
  ];
}

/** What holds the GPUs back. */
export function gpuHeat(gpus: string): Panels {
  return [
    graph({
      title: "Temperature",
      description: "Of the chip, and of the memory where the tool reports it.",
      queries: [
        { expr: `allsmi_gpu_temperature_celsius{${gpus}}`, legend: NAME },
        { expr: `allsmi_gpu_memory_temperature_celsius{${gpus}}`, legend: `${NAME} memory` },
      ],
      unit: "celsius",
      span: 8,
    }),
    graph({
      title: "Temperature margin",
      description: `Degrees left up to the maximum operating temperature; ${MARGIN_LIMIT} or less is the finding nvidia-temperature-margin.`,
      queries: [{ expr: `allsmi_gpu_temperature_margin_celsius{${gpus}}`, legend: NAME }],
      unit: "celsius",
      // Whole degrees: the next one above the limit is fine.
      thresholds: badBelow([MARGIN_LIMIT + 1, "warning"]),
      hasNegative: true,
      span: 8,
    }),
    graph({
      title: "Fans",
      description: "Share of the nominal speed. Boards without a fan of their own have none.",
      queries: [{ expr: `allsmi_gpu_fan_speed_ratio{${gpus}}`, legend: NAME }],
      unit: "percentunit",
      span: 8,
    }),
    timeline({
      title: "Why clocks are held back",
      description: "The tool's reasons, while they hold. Power caps and idle clocks are normal work.",
      queries: [{ expr: `allsmi_gpu_throttle_reason{${gpus}}`, legend: `${NAME} {{reason}}` }],
      mappings: [
        { type: MappingType.ValueToText, options: { 1: { text: "held back", color: COLORS.warning } } },
      ],
      span: 12,
    }),
    graph({
      title: "Time held back",
      description: "Share of time in which clocks were held back, as NVIDIA's driver counts it.",
      queries: [
        ["sw_power_cap", "power limit"],
        ["sw_thermal", "temperature, by the driver"],
        ["hw_thermal", "temperature, by the hardware"],
        ["hw_power_brake", "power brake"],
      ].map(([reason = "", text = ""]) => ({
        expr: `rate(allsmi_gpu_throttle_time_${reason}_seconds_total{${gpus}}[$__rate_interval])`,
        legend: `${NAME} ${text}`,
      })),
      unit: "percentunit",
      span: 12,
    }),
  ];
}

/** PCIe, NVLink and memory. */
export function gpuLinks(gpus: string): Panels {
  const by = "max by (host, gpu)";
  return [
    table({
      title: "PCIe and NVLink",
      description: "Idle GPUs slow their link down, and some machines wire fewer lanes than the board has.",
      span: 12,
      labels: { host: "Host", gpu: "GPU" },
      numbers: [
        { expr: `${by} (allsmi_gpu_pcie_link_gen{${gpus}})`, title: "PCIe generation" },
        { expr: `${by} (allsmi_gpu_pcie_link_gen_max{${gpus}})`, title: "of" },
        { expr: `${by} (allsmi_gpu_pcie_link_width{${gpus}})`, title: "PCIe lanes" },
        { expr: `${by} (allsmi_gpu_pcie_link_width_max{${gpus}})`, title: "lanes of the board" },
        { expr: `${by} (allsmi_gpu_nvlink_active{${gpus}})`, title: "NVLinks up" },
        { expr: `${by} (allsmi_gpu_nvlink_links{${gpus}})`, title: "NVLinks" },
        { expr: `${by} (allsmi_gpu_performance_state{${gpus}})`, title: "Performance state" },
      ],
    }),
    table({
      title: "Memory errors",
      description: "ECC errors since the driver was loaded, and what was taken out of use for errors.",
      span: 12,
      labels: { host: "Host", gpu: "GPU" },
      numbers: [
        {
          expr: `${by} (allsmi_gpu_ecc_uncorrected_errors_since_load_total{${gpus}})`,
          title: "Uncorrected",
          thresholds: badFrom(1),
        },
        { expr: `${by} (allsmi_gpu_ecc_corrected_errors_since_load_total{${gpus}})`, title: "Corrected" },
        { expr: `${by} (allsmi_gpu_remapped_rows_uncorrectable_total{${gpus}})`, title: "Remapped rows" },
        {
          expr: `${by} (allsmi_gpu_remapped_rows_pending{${gpus}})`,
          title: "Row pending",
          thresholds: badFrom(1, "warning"),
        },
        {
          expr: `${by} (allsmi_gpu_remapped_rows_failure{${gpus}})`,
          title: "Remapping failed",
          thresholds: badFrom(1),
        },
        {
          expr: `${by} (allsmi_gpu_retired_pages_pending{${gpus}})`,
          title: "Page pending",
          thresholds: badFrom(1, "warning"),
        },
      ],
      sortBy: "Uncorrected",
    }),
  ];
}
