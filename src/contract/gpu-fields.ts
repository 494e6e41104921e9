/** The fields of `gpus`, in the order of their CSV columns. */
import type { FieldTable } from "./field-table.js";
import { MIG_FIELDS, NVLINK_FIELDS, PCIE_FIELDS, REMAP_FIELDS } from "./gpu-part-fields.js";
import type { Gpu } from "./sections.js";

export const GPU_FIELDS = {
  index: { type: "integer", nullable: true, optional: true, text: "The tool's own number for the device." },
  name: { type: "string", nullable: true, csv: true, text: "Product name." },
  uuid: { type: "string", nullable: true, csv: true, text: "Unique id, as the tool prints it." },
  device_type: { type: "string", csv: true, text: "`GPU`, `NPU` or `TPU`." },
  utilization: { type: "number", nullable: true, unit: "%", csv: true, text: "Share of time in use." },
  memory_utilization: {
    ...{ type: "number", nullable: true, optional: true, unit: "%", csv: true },
    text: "Share of time in which memory was read or written; not the share of memory in use.",
  },
  encoder_utilization: {
    ...{ type: "number", nullable: true, optional: true, unit: "%", csv: true },
    text: "Share of time in which the video encoder was in use.",
  },
  decoder_utilization: {
    ...{ type: "number", nullable: true, optional: true, unit: "%", csv: true },
    text: "Share of time in which the video decoder was in use.",
  },
  used_memory: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Memory in use." },
  total_memory: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Memory of the device." },
  memory_free: {
    ...{ type: "integer", nullable: true, optional: true, unit: "bytes", csv: true },
    text: "Memory that is free, as the tool counts it.",
  },
  memory_reserved: {
    ...{ type: "integer", nullable: true, optional: true, unit: "bytes" },
    text: "Memory that driver and firmware keep; part of neither used nor free.",
  },
  memory_unaccounted: {
    ...{ type: "integer", nullable: true, optional: true, unit: "bytes" },
    text: "`used_memory` less that of the listed processes: of processes that have ended, are in another container or use graphics only, and the driver's own. With `--include process`; null where a process has no figure.",
  },
  memory_source: {
    ...{ type: "string", optional: true, csv: true, text: "Whose memory the numbers are about." },
    values: {
      device: "the accelerator's own memory",
      host: "the host's memory, which it shares (GB10, Grace, Orin, APUs)",
    },
  },
  temperature: { type: "number", nullable: true, unit: "°C", csv: true, text: "Chip temperature." },
  temperature_memory: {
    ...{ type: "number", nullable: true, optional: true, unit: "°C", csv: true },
    text: "Memory temperature.",
  },
  temperature_margin: {
    ...{ type: "number", nullable: true, optional: true, unit: "°C" },
    text: "Degrees left up to the maximum operating temperature; below 0 where the chip is hotter.",
  },
  frequency: { type: "number", nullable: true, unit: "MHz", csv: true, text: "Graphics or core clock." },
  frequency_max: {
    ...{ type: "number", nullable: true, optional: true, unit: "MHz" },
    text: "The highest graphics clock of this board.",
  },
  clock_memory: {
    ...{ type: "number", nullable: true, optional: true, unit: "MHz", csv: true },
    text: "Memory clock.",
  },
  clock_memory_max: {
    ...{ type: "number", nullable: true, optional: true, unit: "MHz" },
    text: "The highest memory clock of this board.",
  },
  clock_sm: {
    ...{ type: "number", nullable: true, optional: true, unit: "MHz" },
    text: "Clock of the streaming multiprocessors.",
  },
  clock_sm_max: {
    ...{ type: "number", nullable: true, optional: true, unit: "MHz" },
    text: "The highest clock of the streaming multiprocessors.",
  },
  power_consumption: { type: "number", nullable: true, unit: "W", csv: true, text: "Power drawn." },
  power_limit: {
    ...{ type: "number", nullable: true, optional: true, unit: "W", csv: true },
    text: "The power limit that is set.",
  },
  enforced_power_limit: {
    ...{ type: "number", nullable: true, optional: true, unit: "W" },
    text: "The lowest of all power limits that apply, which the driver enforces.",
  },
  power_limit_default: {
    ...{ type: "number", nullable: true, optional: true, unit: "W" },
    text: "The power limit after the driver was loaded.",
  },
  power_limit_min: {
    ...{ type: "number", nullable: true, optional: true, unit: "W" },
    text: "The lowest power limit that may be set.",
  },
  power_limit_max: {
    ...{ type: "number", nullable: true, optional: true, unit: "W" },
    text: "The highest power limit that may be set.",
  },
  energy_consumed: {
    ...{ type: "number", nullable: true, optional: true, unit: "J" },
    text: "Energy drawn since the driver was loaded, as its counter has it.",
  },
  fan_speed_percent: {
    ...{ type: "number", nullable: true, optional: true, unit: "%", csv: true },
    text: "Fan speed; above 100 where a fan runs faster than its nominal speed.",
  },
  performance_state: {
    ...{ type: "integer", nullable: true, optional: true, csv: true },
    text: "0 (P0, fastest) to 15.",
  },
  driver_version: {
    ...{ type: "string", nullable: true, optional: true, csv: true },
    text: "Version of the kernel driver.",
  },
  pci_bus_id: {
    ...{ type: "string", nullable: true, optional: true, csv: true },
    text: "PCI address, as the tool prints it.",
  },
  serial: { type: "string", nullable: true, optional: true, csv: true, text: "Serial number of the board." },
  ecc_corrected_total: {
    ...{ type: "integer", nullable: true, optional: true, csv: true },
    text: "Corrected memory errors over the life of the device.",
  },
  ecc_uncorrected_total: {
    ...{ type: "integer", nullable: true, optional: true, csv: true },
    text: "Uncorrected memory errors over the life of the device.",
  },
  ecc_corrected_since_load: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Corrected memory errors since the driver was loaded.",
  },
  ecc_uncorrected_since_load: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Uncorrected memory errors since the driver was loaded.",
  },
  ecc_sram_threshold_exceeded: {
    ...{ type: "boolean", nullable: true, optional: true },
    text: "Whether the chip's SRAM had more uncorrected errors than NVIDIA accepts.",
  },
  retired_pages_single_bit: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Memory pages retired for repeated single-bit errors.",
  },
  retired_pages_double_bit: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Memory pages retired for a double-bit error.",
  },
  retired_pages_pending: {
    ...{ type: "boolean", nullable: true, optional: true, csv: true },
    text: "Whether memory pages are retired at the next reboot.",
  },
  remapped_rows_correctable: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Memory rows remapped for repeated single-bit errors.",
  },
  remapped_rows_uncorrectable: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Memory rows remapped for a double-bit error.",
  },
  remapped_rows_pending: {
    ...{ type: "boolean", nullable: true, optional: true },
    text: "Whether memory rows are remapped at the next reset.",
  },
  remapped_rows_failure: {
    ...{ type: "boolean", nullable: true, optional: true, csv: true },
    text: "Whether remapping a row has failed: the board needs replacement.",
  },
  remapped_rows_histogram: {
    ...{ type: "object", nullable: true, optional: true, fields: REMAP_FIELDS },
    text: "Banks of memory by how many spare rows they have left for remapping.",
  },
  throttle_reasons: {
    ...{ type: "array", nullable: true, optional: true, csv: true, items: { type: "string" } },
    text: "Why the clocks are below their maximum; empty when they are not held back.",
  },
  throttle_time_sw_power_cap: {
    ...{ type: "integer", nullable: true, optional: true, unit: "µs" },
    text: "Time, as the driver counts it, in which the power limit held the clocks down.",
  },
  throttle_time_sw_thermal: {
    ...{ type: "integer", nullable: true, optional: true, unit: "µs" },
    text: "Time in which the driver held the clocks down because of the temperature.",
  },
  throttle_time_hw_thermal: {
    ...{ type: "integer", nullable: true, optional: true, unit: "µs" },
    text: "Time in which the hardware slowed the clocks down because of the temperature.",
  },
  throttle_time_hw_power_brake: {
    ...{ type: "integer", nullable: true, optional: true, unit: "µs" },
    text: "Time in which a power brake, such as the power supply's, slowed the clocks down.",
  },
  mig_mode: {
    ...{ type: "boolean", nullable: true, optional: true, csv: true },
    text: "Whether the GPU is split into instances (MIG).",
  },
  mig_instances: {
    ...{ type: "array", optional: true, items: { type: "object", fields: MIG_FIELDS } },
    text: "The instances of a GPU in MIG mode.",
  },
  recovery_action: {
    ...{ type: "string", nullable: true, optional: true, csv: true },
    text: "What the driver asks for to recover the GPU, as `Reset`; `None` when nothing.",
  },
  health_status: {
    ...{ type: "string", nullable: true, optional: true },
    text: "The tool's own word for the health of the device (Ascend, Rebellions, FuriosaAI), as `OK`.",
  },
  persistence_mode: {
    ...{ type: "boolean", nullable: true, optional: true, csv: true },
    text: "Whether the driver stays loaded without clients.",
  },
  pcie_link_gen: {
    ...{ type: "integer", nullable: true, optional: true, csv: true },
    text: "PCIe generation of the link now.",
  },
  pcie_link_gen_max: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Highest PCIe generation of this GPU in this slot.",
  },
  pcie_link_width: {
    ...{ type: "integer", nullable: true, optional: true, csv: true },
    text: "PCIe lanes of the link now.",
  },
  pcie_link_width_max: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Most PCIe lanes of this GPU in this slot.",
  },
  pcie: {
    ...{ type: "object", nullable: true, optional: true, fields: PCIE_FIELDS },
    text: "Replays and traffic of the PCIe link. NVIDIA: in persistence mode, read in the third tick and then in one of 240; null after a failure to read them.",
  },
  fabric_state: {
    ...{ type: "string", nullable: true, optional: true },
    text: "Whether the GPU is registered with the NVLink fabric: `Completed`, or `In Progress`.",
  },
  fabric_status: {
    ...{ type: "string", nullable: true, optional: true },
    text: "How the registration ended, as `Success`.",
  },
  nvlink: {
    ...{ type: "object", nullable: true, optional: true, fields: NVLINK_FIELDS },
    text: "NVLinks, read in the third tick and then in one of 240; null after a failure to read them.",
  },
  power_state: {
    ...{ type: "string", nullable: true, optional: true },
    text: "The kernel's runtime power state: `active`, or `suspended`: it sleeps, and has no readings.",
  },
  numa_node_id: {
    ...{ type: "integer", nullable: true, optional: true, csv: true },
    text: "NUMA node that the device is attached to.",
  },
  gpu_core_count: { type: "integer", nullable: true, csv: true, text: "Number of GPU cores (Apple)." },
  ane_utilization: {
    ...{ type: "number", nullable: true, csv: true },
    text: "Use of the Apple Neural Engine, as all-smi has it.",
  },
  dla_utilization: {
    ...{ type: "number", nullable: true, unit: "%", csv: true },
    text: "Use of the deep learning accelerator (Jetson).",
  },
  tensorcore_utilization: {
    ...{ type: "number", nullable: true, unit: "%", csv: true },
    text: "Use of the TensorCores (TPU).",
  },
  tool: {
    ...{ type: "string", optional: true, csv: true },
    text: "Id of the tool that reported the device, `native` for all-smi; others may have filled missing fields.",
  },
  error: {
    ...{ type: "string", optional: true },
    text: "What the tool printed for a lost or failed device in place of readings. CSV has it in `error`.",
  },
  detail: {
    ...{ type: "object", entries: { type: "string" } },
    text: "More of the device, by the tool's own names.",
  },
} as const satisfies FieldTable<Gpu>;
