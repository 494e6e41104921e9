/**
 * What is read on a host: its sections, and the devices in each. The tables in gpu-fields.ts and host-fields.ts describe
 * every field; the compiler keeps both alike.
 */
import type { Chassis, Cpu, Host, Memory, NetworkPort, Storage } from "./host-devices.js";
import type { KernelEvent } from "./kernel-event.js";

/** Those that `all-smi snapshot --include` takes (0.28). */
export const NATIVE_SECTIONS = ["gpu", "cpu", "memory", "chassis", "process", "storage"] as const;
export type NativeSection = (typeof NATIVE_SECTIONS)[number];

/** What `--include` chooses from. */
export const SECTIONS = [...NATIVE_SECTIONS, "host", "network", "event"] as const;
export type Section = (typeof SECTIONS)[number];

/** Those that each tick reads by the host's tools and files. The kernel log is read by questions of its own. */
export const TICK_SECTIONS: readonly Section[] = SECTIONS.filter((section) => section !== "event");

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
  readonly multiprocessor_count: Num;
  readonly ecc_sram_uncorrected_since_load: Num;
}

/** NVIDIA's row remapper: how many banks of memory have how many spare rows left. */
export interface RemapHistogram {
  readonly max: number;
  readonly high: number;
  readonly partial: number;
  readonly low: number;
  readonly none: number;
}

/** NVIDIA's links between GPUs, which are asked seldom. */
export interface Nvlink {
  /** All that the board has. */
  readonly links: number;
  readonly active: Num;
  /** Sums over all links since the driver was loaded. */
  readonly replay_errors: Num;
  readonly recovery_errors: Num;
  readonly crc_errors: Num;
  /** How many ticks ago this was read; 0: in this one. */
  readonly ticks_ago: number;
}

/** What the PCIe link of a device carries. Tools that read it slowly are asked seldom. */
export interface PcieLink {
  /** Transfers that were repeated since the driver was loaded. */
  readonly replay_errors: Num;
  /** As the device sees it: received from the host, sent to the host. */
  readonly rx_bytes_per_second?: Num;
  readonly tx_bytes_per_second?: Num;
  /** How many ticks ago this was read; 0: in this one. */
  readonly ticks_ago: number;
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
  readonly encoder_utilization?: Num;
  readonly decoder_utilization?: Num;
  readonly memory_free?: Num;
  readonly memory_reserved?: Num;
  /** With the processes: what none of them accounts for. */
  readonly memory_unaccounted?: Num;
  /** "device", or "host" where the accelerator shares the host's memory (GB10, Grace, Orin, APUs). */
  readonly memory_source?: "device" | "host";
  readonly power_limit?: Num;
  readonly enforced_power_limit?: Num;
  readonly power_limit_default?: Num;
  readonly power_limit_min?: Num;
  readonly power_limit_max?: Num;
  readonly frequency_max?: Num;
  readonly clock_memory?: Num;
  readonly clock_memory_max?: Num;
  readonly clock_sm?: Num;
  readonly clock_sm_max?: Num;
  /** Joules since the driver was loaded. */
  readonly energy_consumed?: Num;
  readonly fan_speed_percent?: Num;
  readonly performance_state?: Num;
  readonly ecc_corrected_total?: Num;
  readonly ecc_uncorrected_total?: Num;
  readonly ecc_corrected_since_load?: Num;
  readonly ecc_uncorrected_since_load?: Num;
  readonly ecc_sram_threshold_exceeded?: boolean | null;
  readonly retired_pages_single_bit?: Num;
  readonly retired_pages_double_bit?: Num;
  readonly retired_pages_pending?: boolean | null;
  readonly remapped_rows_correctable?: Num;
  readonly remapped_rows_uncorrectable?: Num;
  readonly remapped_rows_pending?: boolean | null;
  readonly remapped_rows_failure?: boolean | null;
  readonly remapped_rows_histogram?: RemapHistogram | null;
  readonly throttle_reasons?: readonly string[] | null;
  readonly throttle_time_sw_power_cap?: Num;
  readonly throttle_time_sw_thermal?: Num;
  readonly throttle_time_hw_thermal?: Num;
  readonly throttle_time_hw_power_brake?: Num;
  readonly mig_mode?: boolean | null;
  readonly mig_instances?: readonly MigInstance[];
  readonly recovery_action?: Text;
  readonly persistence_mode?: boolean | null;
  readonly pcie_link_gen?: Num;
  readonly pcie_link_gen_max?: Num;
  readonly pcie_link_width?: Num;
  readonly pcie_link_width_max?: Num;
  readonly pcie?: PcieLink | null;
  readonly fabric_state?: Text;
  readonly fabric_status?: Text;
  readonly nvlink?: Nvlink | null;
  readonly numa_node_id?: Num;
  readonly temperature_memory?: Num;
  readonly health_status?: Text;
  readonly temperature_margin?: Num;
  /** The kernel's runtime power state: `active`, or `suspended`, and then without readings. */
  readonly power_state?: Text;
  /** The id of the tool that reported the device, `native` for all-smi. Other tools may have filled missing fields. */
  readonly tool?: string;
  /** What the tool printed for a lost or failed device in place of readings. */
  readonly error?: string;
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
  readonly gpu_memory_utilization?: Num;
  readonly encoder_utilization?: Num;
  readonly decoder_utilization?: Num;
  readonly gpu_process_type?: Text;
  /** Where it uses several devices. */
  readonly device_ids?: readonly number[];
  readonly gpu_instance_id?: Num;
  readonly compute_instance_id?: Num;
  /** Who it belongs to, by its control group (Linux). */
  readonly container_id?: Text;
  readonly container_runtime?: Text;
  readonly pod_uid?: Text;
  readonly pod_name?: Text;
  readonly pod_namespace?: Text;
  readonly slurm_job_id?: Num;
  readonly slurm_step?: Text;
  readonly systemd_unit?: Text;
}

/** The sections of one reading, before each device gets the envelope's labels. */
export interface Sections {
  readonly gpus?: readonly Gpu[];
  readonly cpus?: readonly Cpu[];
  readonly memory?: readonly Memory[];
  readonly chassis?: readonly Chassis[];
  readonly processes?: readonly Process[];
  readonly storage?: readonly Storage[];
  readonly host?: readonly Host[];
  readonly network?: readonly NetworkPort[];
  readonly events?: readonly KernelEvent[];
}

/** The key of a record that holds a section's devices. */
export const KEY_OF_SECTION = {
  gpu: "gpus",
  cpu: "cpus",
  memory: "memory",
  chassis: "chassis",
  process: "processes",
  storage: "storage",
  host: "host",
  network: "network",
  event: "events",
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
