/** The device columns of each section in the default CSV layout: every plain field of the record contract. */
import type { Section } from "../contract/record.js";

export const SECTION_COLUMNS: Readonly<Record<Section, readonly string[]>> = {
  gpu: [
    ...["name", "uuid", "device_type", "utilization", "memory_utilization", "used_memory", "total_memory"],
    ...["memory_free", "memory_source", "temperature", "temperature_memory", "frequency", "clock_memory"],
    ...["power_consumption", "power_limit", "fan_speed_percent", "performance_state", "driver_version"],
    ...["pci_bus_id", "serial", "ecc_corrected_total", "ecc_uncorrected_total", "retired_pages_pending"],
    ...["remapped_rows_failure", "throttle_reasons", "mig_mode", "recovery_action", "persistence_mode"],
    ...["pcie_link_gen", "pcie_link_width", "numa_node_id", "gpu_core_count", "ane_utilization"],
    ...["dla_utilization", "tensorcore_utilization", "tool"],
  ],
  cpu: [
    ...["cpu_model", "architecture", "socket_count", "total_cores", "total_threads", "physical_cores"],
    ...["base_frequency_mhz", "max_frequency_mhz", "cache_size_mb", "utilization", "temperature"],
    ...["power_consumption", "load_average"],
  ],
  memory: [
    ...["total_bytes", "used_bytes", "available_bytes", "free_bytes", "buffers_bytes", "cached_bytes"],
    ...["swap_total_bytes", "swap_used_bytes", "swap_free_bytes", "utilization", "limit_bytes"],
  ],
  chassis: ["total_power_watts", "inlet_temperature", "outlet_temperature", "thermal_pressure"],
  process: [
    ...["pid", "process_name", "device_id", "device_uuid", "user", "used_memory", "cpu_percent"],
    ...["memory_percent", "memory_rss", "memory_vms", "gpu_utilization", "state", "start_time", "cpu_time"],
    ...["ppid", "threads", "uses_gpu", "priority", "nice_value", "command"],
  ],
  storage: ["mount_point", "total_bytes", "available_bytes"],
};
