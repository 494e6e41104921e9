/** The sections `host` and `network`: what a Linux host itself reports beside its processors and memory. */
type Num = number | null;
type Text = string | null;

export interface NumaNode {
  readonly node: number;
  readonly total_bytes: Num;
  readonly free_bytes: Num;
}

/** Shares of the last ten seconds in which tasks waited for a resource (PSI), in %. */
export interface Pressure {
  readonly cpu_some: Num;
  readonly memory_some: Num;
  readonly memory_full: Num;
  readonly io_some: Num;
  readonly io_full: Num;
}

export interface Disk {
  readonly name: string;
  readonly model: Text;
  /** As the kernel has it: `live`, `running`, `dead`, `offline`, `clean`, ... */
  readonly state: Text;
  /** Failed members of a software RAID; absent for other disks. */
  readonly degraded_members?: Num;
}

/** One a host. */
export interface Host {
  readonly index: number;
  /** Another one after each boot. */
  readonly boot_id: Text;
  readonly uptime_seconds: Num;
  readonly os: Text;
  readonly kernel: Text;
  /** Versions of loaded accelerator drivers, by module, where the module has one. */
  readonly driver_versions: Readonly<Record<string, string>>;
  readonly pressure: Pressure;
  readonly numa_nodes: readonly NumaNode[];
  readonly disks: readonly Disk[];
}

/** A network card's port, or a bond of them. Counters count from boot. */
export interface NetworkPort {
  readonly index: number;
  /** As `eth0`, or `mlx5_0/1` for port 1 of an InfiniBand device. */
  readonly name: string;
  readonly kind: "ethernet" | "infiniband" | "bond";
  /** As the kernel has it: `up`, `down`, `ACTIVE`, `INIT`, ... */
  readonly state: Text;
  /** InfiniBand: `LinkUp`, `Polling`, `Disabled`, ... */
  readonly physical_state?: Text;
  readonly driver: Text;
  readonly pci_bus_id: Text;
  readonly speed_mbps: Num;
  readonly mtu: Num;
  readonly rx_bytes: Num;
  readonly tx_bytes: Num;
  readonly rx_errors: Num;
  readonly tx_errors: Num;
  readonly rx_dropped: Num;
  readonly tx_dropped: Num;
  /** Times that the link went up or down. */
  readonly carrier_changes?: Num;
  readonly link_downed?: Num;
  readonly link_error_recovery?: Num;
  readonly symbol_errors?: Num;
}
