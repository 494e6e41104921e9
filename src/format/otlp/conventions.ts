/**
 * Families that OpenTelemetry has a name for, all in development. Source: semantic-conventions v1.44.0, "Hardware metrics"
 * (docs/hardware/) and "System metrics" (docs/system/system-metrics.md). A family is here only where it means the same:
 * - `system.cpu.utilization` is of one mode and adds up to 1 over all of them; ours is of all but idle.
 * - `system.memory.usage` adds up to the limit over its states; ours in use is all that is not available to programs.
 * - `hw.status` `ok` would say that a device operates normally, which no tool reports.
 */
export type Instrument = "gauge" | "counter" | "updowncounter";

export interface Convention {
  readonly name: string;
  readonly instrument: Instrument;
  /** In UCUM, as the convention has it. */
  readonly unit: string;
  readonly brief: string;
  /** What the labels of ours do not have. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** The component that `hw.id` names, where no label of the sample does. */
  readonly component?: "cpu" | "chassis";
}

type Metric = Omit<Convention, "attributes" | "component">;

const metric = (name: string, instrument: Instrument, unit: string, brief: string): Metric => ({
  ...{ name, instrument, unit, brief },
});

const GPU_UTILIZATION = metric(
  "hw.gpu.utilization",
  "gauge",
  "1",
  "Fraction of time spent in a specific task.",
);
const TEMPERATURE = metric("hw.temperature", "gauge", "Cel", "Temperature in degrees Celsius.");
const POWER = metric("hw.power", "gauge", "W", "Instantaneous power consumed by the component.");
const ERRORS = metric("hw.errors", "counter", "{error}", "Number of errors encountered by the component.");
const NETWORK_IO = metric(
  "system.network.io",
  "counter",
  "By",
  "The number of bytes transmitted and received.",
);
const NETWORK_ERRORS = metric(
  "system.network.errors",
  "counter",
  "{error}",
  "Count of network errors detected.",
);
const NETWORK_DROPPED = metric(
  "system.network.packet.dropped",
  "counter",
  "{packet}",
  "Count of packets that are dropped or discarded even though there was no error.",
);
const RECEIVE = { "network.io.direction": "receive" };
const TRANSMIT = { "network.io.direction": "transmit" };

/** By the name of the family. */
export const CONVENTIONS: Readonly<Record<string, Convention>> = {
  allsmi_gpu_utilization_ratio: { ...GPU_UTILIZATION, attributes: { "hw.gpu.task": "general" } },
  allsmi_gpu_encoder_utilization_ratio: { ...GPU_UTILIZATION, attributes: { "hw.gpu.task": "encoder" } },
  allsmi_gpu_decoder_utilization_ratio: { ...GPU_UTILIZATION, attributes: { "hw.gpu.task": "decoder" } },
  allsmi_gpu_memory_used_bytes: metric("hw.gpu.memory.usage", "updowncounter", "By", "GPU memory used."),
  allsmi_gpu_memory_total_bytes: metric(
    "hw.gpu.memory.limit",
    "updowncounter",
    "By",
    "Size of the GPU memory.",
  ),
  allsmi_gpu_temperature_celsius: { ...TEMPERATURE, attributes: { "hw.sensor_location": "gpu" } },
  allsmi_gpu_memory_temperature_celsius: { ...TEMPERATURE, attributes: { "hw.sensor_location": "memory" } },
  allsmi_gpu_power_consumption_watts: { ...POWER, attributes: { "hw.type": "gpu" } },
  allsmi_gpu_fan_speed_ratio: metric(
    "hw.fan.speed_ratio",
    "gauge",
    "1",
    "Fan speed expressed as a fraction of its maximum speed.",
  ),
  allsmi_gpu_ecc_corrected_errors_total: {
    ...ERRORS,
    attributes: { "hw.type": "gpu", "error.type": "corrected" },
  },
  allsmi_gpu_ecc_uncorrected_errors_total: {
    ...ERRORS,
    attributes: { "hw.type": "gpu", "error.type": "uncorrected" },
  },
  allsmi_gpu_failed: {
    ...metric("hw.status", "updowncounter", "1", "Operational status: 1 (true) or 0 (false)."),
    attributes: { "hw.type": "gpu", "hw.state": "failed" },
  },
  allsmi_cpu_threads: metric(
    "system.cpu.logical.count",
    "updowncounter",
    "{cpu}",
    "Reports the number of logical (virtual) processor cores created by the operating system to manage multitasking.",
  ),
  allsmi_cpu_temperature_celsius: {
    ...{ ...TEMPERATURE, component: "cpu" },
    attributes: { "hw.sensor_location": "cpu" },
  },
  allsmi_cpu_power_consumption_watts: { ...POWER, component: "cpu", attributes: { "hw.type": "cpu" } },
  allsmi_memory_total_bytes: metric(
    "system.memory.limit",
    "updowncounter",
    "By",
    "Total virtual memory available in the system.",
  ),
  allsmi_chassis_power_watts: {
    ...metric(
      "hw.host.power",
      "gauge",
      "W",
      "Instantaneous power consumed by the entire physical host in Watts.",
    ),
    component: "chassis",
  },
  allsmi_chassis_inlet_temperature_celsius: {
    ...{ ...TEMPERATURE, component: "chassis" },
    attributes: { "hw.sensor_location": "inlet" },
  },
  allsmi_chassis_outlet_temperature_celsius: {
    ...{ ...TEMPERATURE, component: "chassis" },
    attributes: { "hw.sensor_location": "outlet" },
  },
  allsmi_chassis_fan_speed_rpm: metric(
    "hw.fan.speed",
    "gauge",
    "rpm",
    "Fan speed in revolutions per minute.",
  ),
  allsmi_chassis_fan_max_rpm: {
    ...metric("hw.fan.speed.limit", "gauge", "rpm", "Speed limit in rpm."),
    attributes: { "hw.limit_type": "max" },
  },
  allsmi_storage_size_bytes: metric(
    "system.filesystem.limit",
    "updowncounter",
    "By",
    "The total storage capacity of the filesystem.",
  ),
  allsmi_host_uptime_seconds: metric("system.uptime", "gauge", "s", "The time the system has been running."),
  allsmi_network_receive_bytes_total: { ...NETWORK_IO, attributes: RECEIVE },
  allsmi_network_transmit_bytes_total: { ...NETWORK_IO, attributes: TRANSMIT },
  allsmi_network_receive_errors_total: { ...NETWORK_ERRORS, attributes: RECEIVE },
  allsmi_network_transmit_errors_total: { ...NETWORK_ERRORS, attributes: TRANSMIT },
  allsmi_network_receive_dropped_total: { ...NETWORK_DROPPED, attributes: RECEIVE },
  allsmi_network_transmit_dropped_total: { ...NETWORK_DROPPED, attributes: TRANSMIT },
};
