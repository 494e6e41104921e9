/** Records of a fleet, and the expositions made from them. */
import type { FrameRecord, Gpu, StreamRecord } from "../../../src/contract/record.js";
import { exposition, type ExpositionFormat } from "../../../src/format/prometheus/exposition.js";
import { FleetState } from "../../../src/format/prometheus/fleet-state.js";
import { readExposition, type Family } from "../../support/exposition.js";
import { frame, gpu, state } from "../../support/records.js";

/** What one batch of records is rendered as. */
export function textOf(records: readonly StreamRecord[], format: ExpositionFormat = "text"): string {
  const fleet = new FleetState();
  fleet.absorb(records, 0);
  return [...exposition(fleet.views(null), format)].join("");
}

export function familiesOf(records: readonly StreamRecord[]): ReadonlyMap<string, Family> {
  return readExposition(textOf(records));
}

/** All labels of all samples, as `name labels`. */
export function seriesOf(families: ReadonlyMap<string, Family>): ReadonlySet<string> {
  return new Set(
    [...families].flatMap(([name, { samples }]) => [...samples.keys()].map((id) => `${name} ${id}`)),
  );
}

/** A device with every field of the contract that can be a metric. */
export function fullGpu(changes: Partial<Gpu> = {}): ReturnType<typeof gpu> {
  return gpu({
    ...{
      pci_bus_id: "00000000:1B:00.0",
      serial: "1650522003820",
      driver_version: "580.95.05",
      tool: "nvidia-smi",
    },
    ...{ dla_utilization: 3, tensorcore_utilization: 50, gpu_core_count: 132, memory_utilization: 29 },
    ...{ memory_free: 1, memory_reserved: 2, memory_source: "device", temperature_memory: 70 },
    ...{ enforced_power_limit: 650, clock_memory: 2619, clock_sm: 1980.5, fan_speed_percent: 120 },
    ...{ performance_state: 0, ecc_corrected_total: 7, ecc_uncorrected_total: 0 },
    ...{ ecc_corrected_since_load: 1, ecc_uncorrected_since_load: 0, retired_pages_pending: false },
    ...{ remapped_rows_pending: true, remapped_rows_failure: false, mig_mode: true, persistence_mode: true },
    ...{ throttle_reasons: ["sw_power_cap", "hw_slowdown"], recovery_action: "None" },
    ...{ throttle_time_sw_thermal: 2_500_000, fabric_state: "Completed", fabric_status: "Success" },
    nvlink: { links: 18, active: 17, replay_errors: 4, recovery_errors: 0, crc_errors: null, ticks_ago: 3 },
    remapped_rows_histogram: { max: 640, high: 0, partial: 0, low: 0, none: 0 },
    ...{ pcie_link_gen: 5, pcie_link_width: 16, numa_node_id: 0 },
    mig_instances: [
      {
        ...{ gpu_instance_id: 1, compute_instance_id: 0, uuid: "MIG-1", profile: "1g.10gb" },
        ...{ used_memory: 3, total_memory: 4, multiprocessor_count: 14, ecc_sram_uncorrected_since_load: 0 },
      },
    ],
    ...changes,
  });
}

const LABELS = { host_id: "admin@dgx-01:22", hostname: "dgx-01", instance: "dgx-01", time: "" };

/** A frame with every section that has metrics. */
export function fullFrame(): FrameRecord {
  return frame({
    gpus: [fullGpu({ utilization: 57, frequency: 1410 })],
    cpus: [
      {
        ...LABELS,
        ...{ index: 0, cpu_model: "EPYC 9654", architecture: "x86_64", platform_type: { Other: "x" } },
        ...{ socket_count: 2, total_cores: 384, total_threads: 384, base_frequency_mhz: 2400 },
        ...{ max_frequency_mhz: 3700, cache_size_mb: 384, utilization: 12.5, temperature: null },
        ...{ power_consumption: 300, load_average: [1.5, null, 0], cpu_quota: 2.5, offline_cpus: 4 },
        per_socket_info: [0, 1].map((socket_id) => ({
          ...{ socket_id, utilization: socket_id * 10, cores: 96, threads: 192 },
          ...{ temperature: 50, frequency_mhz: 3000.25 },
        })),
        apple_silicon_info: null,
        per_core_utilization: [{ core_id: 0, core_type: "P", utilization: 5 }],
      },
    ],
    memory: [
      {
        ...LABELS,
        ...{
          index: 0,
          total_bytes: 100,
          used_bytes: 40,
          available_bytes: 60,
          free_bytes: 1,
          buffers_bytes: 2,
        },
        ...{
          cached_bytes: 3,
          swap_total_bytes: 0,
          swap_used_bytes: 0,
          swap_free_bytes: 0,
          utilization: 40,
        },
      },
    ],
    chassis: [
      {
        ...LABELS,
        ...{ total_power_watts: 5000, inlet_temperature: 22.5, outlet_temperature: null },
        ...{ thermal_pressure: "Nominal", psu_status: [], detail: {} },
        fan_speeds: ["fan1", "fan1"].map((name, id) => ({ id, name, speed_rpm: 9000 + id, max_rpm: null })),
      },
    ],
    host: [
      {
        ...LABELS,
        ...{ index: 0, boot_id: "b", uptime_seconds: 3600.5, os: "Ubuntu 24.04", kernel: "6.8.0" },
        driver_versions: { nvidia: "580.95.05" },
        pressure: { cpu_some: 25, memory_some: null, memory_full: 0, io_some: 1, io_full: 0 },
        numa_nodes: [{ node: 1, total_bytes: 8, free_bytes: null }],
        disks: [{ name: "md0", model: null, state: "clean", degraded_members: 1 }],
      },
    ],
    network: [
      {
        ...LABELS,
        ...{ index: 0, name: "eth0", kind: "ethernet", state: "up", driver: "mlx5_core", pci_bus_id: null },
        ...{ speed_mbps: 100_000, mtu: 9000, rx_bytes: 5, tx_bytes: 6, rx_errors: 0, tx_errors: null },
        ...{ rx_dropped: 1, tx_dropped: 2, carrier_changes: 3 },
      },
    ],
    storage: ["/", "/data", "/data"].map((mount_point, index) => ({
      ...LABELS,
      ...{ index, mount_point, total_bytes: 10 + index, available_bytes: 5, device: "/dev/sda1" },
    })),
  });
}

const NAMES = ["dgx-0", "Büro-GPU", 'quote"d', "back\\slash", "[2001:db8::7]", "same-name"];

/** `count` hosts of eight GPUs: odd names and labels, two hosts of one name, lost GPUs, hosts without a frame. */
export function oddFleet(count: number): readonly StreamRecord[] {
  return Array.from({ length: count }, (_, host): StreamRecord => {
    const hostname = `${NAMES[host % NAMES.length] ?? ""}${host % NAMES.length === 5 ? "" : host}`;
    const hostLabels = {
      rack: `r${host % 7}`,
      "a-b": "1",
      "a.b": "2",
      a_b: "3",
      host: "x",
      "expect.gpus": "8",
    };
    const own = {
      hostname,
      host_id: `admin@${hostname}:${22 + host}`,
      labels: host % 3 === 0 ? hostLabels : {},
    };
    if (host % 10 === 9) return state(own);
    const gpus = Array.from({ length: 8 }, (__, index) => {
      const uuid = `GPU-${host}-${index}`;
      if (index !== 3 || host % 5 !== 0) return fullGpu({ index, uuid });
      return gpu({
        ...{
          index,
          uuid: null,
          name: null,
          error: 'GPU is lost "\\"\n',
          utilization: null,
          temperature: null,
        },
        ...{
          used_memory: null,
          total_memory: null,
          frequency: null,
          power_consumption: null,
          power_limit: null,
        },
      });
    });
    const errors = host % 5 === 0 ? [{ section: "gpu", kind: "error", message: "lost", device: "3" }] : [];
    return frame({ ...own, gpus, ...(errors.length > 0 ? { errors } : {}) } as Parameters<typeof frame>[0]);
  });
}
