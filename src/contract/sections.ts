/**
 * What is read on a host: its sections, and the devices in each. The tables in gpu-fields.ts and host-fields.ts describe
 * every field; the compiler keeps both alike.
 */

/** What `--include` chooses from. */
export const SECTIONS = ["gpu", "cpu", "memory", "chassis", "process", "storage"] as const;
export type Section = (typeof SECTIONS)[number];

type Num = number | null;
type Text = string | null;

export interface MigInstance {
  /** GPU instance id, compute instance id. */
  readonly gpu_instance_id: Num;
  readonly compute_instance_id: Num;
  readonly uuid: Text;
  /** As `1g.10gb`. */
  readonly profile: Text;
  readonly used_memory: Num;
  readonly total_memory: Num;
}

/** One accelerator. The first group is all-smi's required fields. The others are there when the tool has them. */
export interface Gpu {
  readonly uuid: Text;
  readonly name: Text;
  /** "GPU", "NPU" or "TPU". */
  readonly device_type: string;
  readonly utilization: Num;
  readonly ane_utilization: Num;
  readonly dla_utilization: Num;
  readonly tensorcore_utilization: Num;
  readonly temperature: Num;
  readonly used_memory: Num;
  readonly total_memory: Num;
  readonly frequency: Num;
  readonly power_consumption: Num;
  readonly gpu_core_count: Num;
  readonly detail: Readonly<Record<string, string>>;

  readonly index?: Num;
  readonly pci_bus_id?: Text;
  readonly serial?: Text;
  readonly driver_version?: Text;
  readonly memory_utilization?: Num;
  readonly memory_free?: Num;
  readonly memory_reserved?: Num;
  /** "device", or "host" where the accelerator shares the host's memory (GB10, Grace, Orin, APUs). */
  readonly memory_source?: "device" | "host";
  readonly power_limit?: Num;
  readonly enforced_power_limit?: Num;
  readonly clock_memory?: Num;
  readonly clock_sm?: Num;
  readonly fan_speed_percent?: Num;
  readonly performance_state?: Num;
  readonly ecc_corrected_total?: Num;
  readonly ecc_uncorrected_total?: Num;
  readonly ecc_corrected_since_load?: Num;
  readonly ecc_uncorrected_since_load?: Num;
  readonly retired_pages_pending?: boolean | null;
  readonly remapped_rows_pending?: boolean | null;
  readonly remapped_rows_failure?: boolean | null;
  readonly throttle_reasons?: readonly string[] | null;
  readonly mig_mode?: boolean | null;
  readonly mig_instances?: readonly MigInstance[];
  readonly recovery_action?: Text;
  readonly persistence_mode?: boolean | null;
  readonly pcie_link_gen?: Num;
  readonly pcie_link_width?: Num;
  readonly numa_node_id?: Num;
  readonly temperature_memory?: Num;
  /** The kernel's runtime power state: `active`, or `suspended`, and then without readings. */
  readonly power_state?: Text;
  /** The id of the tool that reported the device, `native` for all-smi. Other tools may have filled missing fields. */
  readonly tool?: string;
  /** What the tool printed for a lost or failed device in place of readings. */
  readonly error?: string;
}

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
  readonly platform_type: string | { readonly Other: string };
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

export interface Process {
  readonly device_id: Num;
  readonly device_uuid: Text;
  readonly pid: number;
  readonly process_name: Text;
  readonly used_memory: Num;
  readonly cpu_percent: Num;
  readonly memory_percent: Num;
  readonly memory_rss: Num;
  readonly memory_vms: Num;
  readonly user: Text;
  readonly state: Text;
  readonly start_time: Text;
  readonly cpu_time: Num;
  readonly command: Text;
  readonly ppid: Num;
  readonly threads: Num;
  readonly uses_gpu: boolean;
  readonly priority: Num;
  readonly nice_value: Num;
  readonly gpu_utilization: Num;
  /** Where it uses several devices. */
  readonly device_ids?: readonly number[];
  readonly gpu_instance_id?: Num;
  readonly compute_instance_id?: Num;
}

export interface Storage {
  readonly index: number;
  readonly mount_point: string;
  readonly total_bytes: Num;
  readonly available_bytes: Num;
  readonly used_bytes?: Num;
  readonly device?: string;
}

/** The sections of one reading, before each device gets the envelope's labels. */
export interface Sections {
  readonly gpus?: readonly Gpu[];
  readonly cpus?: readonly Cpu[];
  readonly memory?: readonly Memory[];
  readonly chassis?: readonly Chassis[];
  readonly processes?: readonly Process[];
  readonly storage?: readonly Storage[];
}

/** The key of a record that holds a section's devices. */
export const KEY_OF_SECTION = {
  gpu: "gpus",
  cpu: "cpus",
  memory: "memory",
  chassis: "chassis",
  process: "processes",
  storage: "storage",
} as const satisfies Record<Section, keyof Sections>;

/** The section of this name (`gpu`) or of this key (`gpus`). */
export function sectionNamed(text: string): Section | null {
  return SECTIONS.find((section) => section === text || KEY_OF_SECTION[section] === text) ?? null;
}

/** Fields that a native `all-smi snapshot` has beyond ours, a newer one's too. They are passed on as they are. */
export type NativeExtras = Readonly<Record<string, unknown>>;
export type WithExtras<Device> = Device & NativeExtras;

/** The same device, by any field name: its own fields and those that only a native snapshot has. */
export function withExtras<Device extends object>(device: Device): WithExtras<Device> {
  return device as WithExtras<Device>;
}

/** Labels that a device object carries beside its readings, as all-smi's do. */
export interface DeviceLabels {
  readonly host_id: string;
  readonly hostname: string;
  readonly instance: string;
  readonly time: string;
}
