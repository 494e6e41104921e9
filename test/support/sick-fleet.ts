/** Records with every fault that a panel is about and the demo fleet does not have. */
import type { KernelEvent } from "../../src/contract/kernel-event.js";
import type { Gpu, Host, NetworkPort, StreamRecord } from "../../src/contract/record.js";
import { frame, gpu, state } from "./records.js";

/** Everything that can be wrong with one GPU at once. */
const SICK_GPU: Partial<Gpu> = {
  index: 0,
  uuid: "GPU-sick-0",
  fan_speed_percent: 40,
  performance_state: 0,
  ecc_corrected_total: 90,
  ecc_corrected_since_load: 30,
  ecc_uncorrected_total: 5,
  ecc_uncorrected_since_load: 2,
  ecc_sram_threshold_exceeded: true,
  retired_pages_single_bit: 3,
  retired_pages_double_bit: 1,
  retired_pages_pending: true,
  remapped_rows_correctable: 4,
  remapped_rows_uncorrectable: 2,
  remapped_rows_pending: true,
  remapped_rows_failure: true,
  remapped_rows_histogram: { max: 600, high: 30, partial: 8, low: 1, none: 1 },
  throttle_reasons: ["hw_thermal_slowdown"],
  temperature_margin: -1,
  recovery_action: "Reset",
  fabric_state: "In Progress",
  fabric_status: "Failure",
  pcie_link_gen: 3,
  pcie_link_gen_max: 5,
  pcie_link_width: 8,
  pcie_link_width_max: 16,
  nvlink: { links: 18, active: 12, replay_errors: 7, recovery_errors: 1, crc_errors: 2, ticks_ago: 0 },
};

const XID: KernelEvent = {
  kind: "nvidia-xid",
  severity: "critical",
  logged_at: null,
  message: "NVRM: Xid (PCI:0000:18:00): 48, DBE",
  action: "reset the GPU",
  code: 48,
  pci_bus_id: "0000:18:00",
  pid: null,
};

const HOST: Host = {
  ...{ index: 0, boot_id: null, uptime_seconds: 100, os: "Ubuntu 24.04", kernel: "6.8.0" },
  ...{ driver_versions: {}, numa_nodes: [] },
  pressure: { cpu_some: 1, memory_some: 2, memory_full: 3, io_some: 4, io_full: 5 },
  disks: [
    { name: "nvme0n1", model: "SAMSUNG MZQL2", state: "dead" },
    { name: "md0", model: null, state: "clean", degraded_members: 1 },
  ],
};

const INFINIBAND: NetworkPort = {
  ...{ index: 0, name: "mlx5_0/1", kind: "infiniband", state: "INIT", driver: "mlx5_core", pci_bus_id: null },
  ...{ speed_mbps: 400_000, mtu: 4096, rx_bytes: 1, tx_bytes: 1, rx_errors: 5, tx_errors: 0 },
  ...{ rx_dropped: 0, tx_dropped: 0, link_downed: 2, link_error_recovery: 1, symbol_errors: 12 },
};

/** Two ticks: a host with all of the faults, and one that has answered and does so no longer. `atMs`: the wall time. */
export function sickFleet(atMs: number): readonly (readonly StreamRecord[])[] {
  const { host_id, hostname, instance, time } = gpu();
  const labelled = { host_id, hostname, instance, time };
  const timestamp = new Date(atMs).toISOString();
  const sick = frame({
    hostname: "sick-01",
    labels: { rack: "f1" },
    timestamp,
    gpus: [gpu(SICK_GPU), gpu({ index: 1, uuid: "GPU-sick-1", error: "GPU is lost" })],
    events: [{ ...labelled, ...XID }],
    host: [{ ...labelled, ...HOST }],
    network: [{ ...labelled, ...INFINIBAND }],
  });
  const gone = { hostname: "gone-01", timestamp };
  return [[sick, frame({ ...gone, gpus: [gpu()] })], [state({ ...gone, tick: 1, state: "disconnected" })]];
}
