/** What a host itself reports: processors, memory, chassis, file systems, and the sections `host` and `network`. */
type Num = number | null;
type Text = string | null;

export interface CoreUtilization {
  readonly core_id: number;
  readonly core_type: string;
  readonly utilization: Num;
}
export interface CpuSocket {
  readonly socket_id: number;
  readonly utilization: Num;
  readonly cores: Num;
  readonly threads: Num;
  readonly temperature: Num;
  readonly frequency_mhz: Num;
}
export interface Cpu {
  readonly index: number;
  readonly cpu_model: Text;
  readonly architecture: Text;
  /** all-smi's enum: "Intel", "Amd", "AppleSilicon", "Arm", or {Other: name}. */
  readonly platform_type: string | { readonly Other: string } | null;
  readonly socket_count: Num;
  /** Logical processors, as all-smi counts them. */
  readonly total_cores: Num;
  readonly total_threads: Num;
  readonly base_frequency_mhz: Num;
  readonly max_frequency_mhz: Num;
  readonly cache_size_mb: Num;
  /** Since the previous tick; null in the first. */
  readonly utilization: Num;
  readonly temperature: Num;
  readonly power_consumption: Num;
  readonly per_socket_info: readonly CpuSocket[];
  readonly apple_silicon_info: null | object;
  readonly per_core_utilization: readonly CoreUtilization[];
  /** Physical cores; all-smi has no field for it. */
  readonly physical_cores?: Num;
  readonly performance_cores?: Num;
  readonly efficiency_cores?: Num;
  readonly offline_cpus?: number;
  readonly allowed_cpus?: number;
  readonly cpu_quota?: number;
  readonly load_average?: readonly [Num, Num, Num];
}

export interface Memory {
  readonly index: number;
  readonly total_bytes: Num;
  readonly used_bytes: Num;
  readonly available_bytes: Num;
  readonly free_bytes: Num;
  readonly buffers_bytes: Num;
  readonly cached_bytes: Num;
  readonly swap_total_bytes: Num;
  readonly swap_used_bytes: Num;
  readonly swap_free_bytes: Num;
  readonly utilization: Num;
  /** A container's limit where one is visible (cgroup), else absent. */
  readonly limit_bytes?: Num;
}

export interface Fan {
  readonly id: number;
  readonly name: string;
  readonly speed_rpm: Num;
  readonly max_rpm: Num;
}
export interface Chassis {
  readonly total_power_watts: Num;
  readonly inlet_temperature: Num;
  readonly outlet_temperature: Num;
  readonly thermal_pressure: Text;
  readonly fan_speeds: readonly Fan[];
  readonly psu_status: readonly object[];
  readonly detail: Readonly<Record<string, string>>;
}

export interface Storage {
  readonly index: number;
  readonly mount_point: string;
  readonly total_bytes: Num;
  readonly available_bytes: Num;
  readonly used_bytes?: Num;
  readonly device?: string;
}

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
