/** The fields of `gpus` and `processes`, in the order of their CSV columns. */
import type { FieldTable } from "./field-table.js";
import type { Gpu, MigInstance, Process } from "./sections.js";

const MIG_FIELDS = {
  gpu_instance_id: { type: "integer", nullable: true, text: "GPU instance id." },
  compute_instance_id: { type: "integer", nullable: true, text: "Compute instance id." },
  uuid: { type: "string", nullable: true, text: "The instance's own uuid." },
  profile: { type: "string", nullable: true, text: "As `1g.10gb`." },
  used_memory: { type: "integer", nullable: true, unit: "bytes", text: "Memory in use." },
  total_memory: { type: "integer", nullable: true, unit: "bytes", text: "Memory of the instance." },
} as const satisfies FieldTable<MigInstance>;

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
  frequency: { type: "number", nullable: true, unit: "MHz", csv: true, text: "Graphics or core clock." },
  clock_memory: {
    ...{ type: "number", nullable: true, optional: true, unit: "MHz", csv: true },
    text: "Memory clock.",
  },
  clock_sm: {
    ...{ type: "number", nullable: true, optional: true, unit: "MHz" },
    text: "Clock of the streaming multiprocessors.",
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
  retired_pages_pending: {
    ...{ type: "boolean", nullable: true, optional: true, csv: true },
    text: "Whether memory pages are retired at the next reboot.",
  },
  remapped_rows_pending: {
    ...{ type: "boolean", nullable: true, optional: true },
    text: "Whether memory rows are remapped at the next reset.",
  },
  remapped_rows_failure: {
    ...{ type: "boolean", nullable: true, optional: true, csv: true },
    text: "Whether remapping a row has failed: the board needs replacement.",
  },
  throttle_reasons: {
    ...{ type: "array", nullable: true, optional: true, csv: true, items: { type: "string" } },
    text: "Why the clocks are below their maximum; empty when they are not held back.",
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
  persistence_mode: {
    ...{ type: "boolean", nullable: true, optional: true, csv: true },
    text: "Whether the driver stays loaded without clients.",
  },
  pcie_link_gen: {
    ...{ type: "integer", nullable: true, optional: true, csv: true },
    text: "PCIe generation of the link now.",
  },
  pcie_link_width: {
    ...{ type: "integer", nullable: true, optional: true, csv: true },
    text: "PCIe lanes of the link now.",
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

export const PROCESS_FIELDS = {
  pid: { type: "integer", csv: true, text: "Process id." },
  process_name: { type: "string", nullable: true, csv: true, text: "Name or path of the program." },
  device_id: { type: "integer", nullable: true, csv: true, text: "`index` of the device that it uses." },
  device_ids: {
    ...{ type: "array", optional: true, items: { type: "integer" } },
    text: "`index` of each device, where it uses several; `device_id` is null then.",
  },
  device_uuid: { type: "string", nullable: true, csv: true, text: "`uuid` of the device that it uses." },
  gpu_instance_id: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "GPU instance that it runs in (MIG).",
  },
  compute_instance_id: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Compute instance that it runs in (MIG).",
  },
  user: { type: "string", nullable: true, csv: true, text: "Owner; null with `--redact`." },
  used_memory: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Device memory in use." },
  cpu_percent: {
    type: "number",
    nullable: true,
    unit: "%",
    csv: true,
    text: "CPU use; 100 is one processor.",
  },
  memory_percent: {
    type: "number",
    nullable: true,
    unit: "%",
    csv: true,
    text: "Share of the host's memory.",
  },
  memory_rss: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Resident memory." },
  memory_vms: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Virtual memory." },
  gpu_utilization: { type: "number", nullable: true, unit: "%", csv: true, text: "Use of the device." },
  state: { type: "string", nullable: true, csv: true, text: "As ps prints it (`S`, `R`, `D`, ...)." },
  start_time: { type: "string", nullable: true, csv: true, text: "When it started." },
  cpu_time: { type: "number", nullable: true, unit: "s", csv: true, text: "Processor time used." },
  ppid: { type: "integer", nullable: true, csv: true, text: "Id of the parent process." },
  threads: { type: "integer", nullable: true, csv: true, text: "Number of threads." },
  uses_gpu: { type: "boolean", csv: true, text: "Whether it uses an accelerator." },
  priority: { type: "integer", nullable: true, csv: true, text: "Scheduling priority." },
  nice_value: { type: "integer", nullable: true, csv: true, text: "Nice value." },
  command: { type: "string", nullable: true, csv: true, text: "Command line; null with `--redact`." },
} as const satisfies FieldTable<Process>;
