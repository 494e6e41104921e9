/** The fields of `host` and `network`, in the order of their CSV columns. */
import type { FieldTable } from "./field-table.js";
import type { Disk, Host, NetworkPort, NumaNode, Pressure } from "./host-devices.js";

const PRESSURE_FIELDS = {
  cpu_some: { type: "number", nullable: true, unit: "%", text: "Some task waited for a processor." },
  memory_some: { type: "number", nullable: true, unit: "%", text: "Some task waited for memory." },
  memory_full: { type: "number", nullable: true, unit: "%", text: "All tasks waited for memory." },
  io_some: { type: "number", nullable: true, unit: "%", text: "Some task waited for a disk." },
  io_full: { type: "number", nullable: true, unit: "%", text: "All tasks waited for a disk." },
} as const satisfies FieldTable<Pressure>;

const NUMA_FIELDS = {
  node: { type: "integer", text: "The kernel's number of the node." },
  total_bytes: { type: "integer", nullable: true, unit: "bytes", text: "Memory of the node." },
  free_bytes: {
    type: "integer",
    nullable: true,
    unit: "bytes",
    text: "Memory in no use at all, not even as cache.",
  },
} as const satisfies FieldTable<NumaNode>;

const DISK_FIELDS = {
  name: { type: "string", text: "As `nvme0`, `sda`, `md0`." },
  model: { type: "string", nullable: true, text: "The model's name." },
  state: {
    ...{ type: "string", nullable: true },
    text: "As the kernel has it: `live` or `dead` (NVMe), `running` or `offline` (SCSI), `clean` (RAID), ...",
  },
  degraded_members: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Missing members of a software RAID.",
  },
} as const satisfies FieldTable<Disk>;

export const HOST_FIELDS = {
  index: { type: "integer", text: "Always 0." },
  boot_id: { type: "string", nullable: true, csv: true, text: "Another one after each boot." },
  uptime_seconds: { type: "number", nullable: true, unit: "s", csv: true, text: "Since the boot." },
  os: { type: "string", nullable: true, csv: true, text: "As `Ubuntu 24.04.2 LTS`." },
  kernel: { type: "string", nullable: true, csv: true, text: "As `6.8.0-60-generic`." },
  driver_versions: {
    ...{ type: "object", entries: { type: "string" } },
    text: "Versions of loaded accelerator drivers by module, as `nvidia`; a driver of the kernel's own has none.",
  },
  pressure: {
    ...{ type: "object", fields: PRESSURE_FIELDS },
    text: "Pressure stall information: shares of the last ten seconds in which tasks waited.",
  },
  numa_nodes: {
    ...{ type: "array", items: { type: "object", fields: NUMA_FIELDS } },
    text: "Memory of each NUMA node.",
  },
  disks: { ...{ type: "array", items: { type: "object", fields: DISK_FIELDS } }, text: "Disks and arrays." },
} as const satisfies FieldTable<Host>;

export const NETWORK_FIELDS = {
  index: { type: "integer", text: "Counts from 0." },
  name: { type: "string", csv: true, text: "As `eth0`, or `mlx5_0/1` for port 1 of an InfiniBand device." },
  kind: {
    ...{ type: "string", csv: true, text: "What it is." },
    values: {
      ethernet: "a network card",
      infiniband: "a port of an InfiniBand or RoCE device",
      bond: "several cards as one",
    },
  },
  state: {
    ...{ type: "string", nullable: true, csv: true },
    text: "`up` or `down`; InfiniBand: `ACTIVE`, `INIT`, `DOWN`, ...",
  },
  physical_state: {
    ...{ type: "string", nullable: true, optional: true },
    text: "InfiniBand: `LinkUp`, `Polling`, `Disabled`, ...",
  },
  driver: { type: "string", nullable: true, text: "The kernel's driver." },
  pci_bus_id: { type: "string", nullable: true, text: "PCI address of the card." },
  speed_mbps: { type: "number", nullable: true, csv: true, text: "Speed of the link in Mbit/s." },
  mtu: { type: "integer", nullable: true, text: "Largest packet, in bytes." },
  rx_bytes: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Received since boot." },
  tx_bytes: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Sent since boot." },
  rx_errors: { type: "integer", nullable: true, csv: true, text: "Packets received with errors." },
  tx_errors: { type: "integer", nullable: true, csv: true, text: "Packets that could not be sent." },
  rx_dropped: { type: "integer", nullable: true, csv: true, text: "Received packets dropped." },
  tx_dropped: { type: "integer", nullable: true, csv: true, text: "Packets dropped before they were sent." },
  carrier_changes: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Times that the link went up or down.",
  },
  link_downed: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "InfiniBand: times that the link failed to recover and went down.",
  },
  link_error_recovery: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "InfiniBand: times that the link recovered from errors.",
  },
  symbol_errors: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "InfiniBand: minor errors of the link.",
  },
} as const satisfies FieldTable<NetworkPort>;
