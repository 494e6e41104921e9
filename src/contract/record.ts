/**
 * The public record types: what is printed, one JSON object a line. Only ever added to.
 * Field names and units are those of all-smi's Snapshot schema 1 (bytes, %, degrees C, W, MHz; percentages 0..100).
 * `null` is a reading the source has but could not give; an absent section was not asked for or is not there.
 */

/** What `--include` chooses from. */
export const SECTIONS = ["gpu", "cpu", "memory", "chassis", "process", "storage"] as const;
export type Section = (typeof SECTIONS)[number];

export const HOST_STATES = [
  "connecting",
  "connected",
  "auth-failed",
  "host-key-rejected",
  "timeout",
  "unreachable",
  "disconnected",
  "unsupported",
] as const;
export type HostState = (typeof HOST_STATES)[number];

/** The state that a failure puts its host in, by failure code. The map is the contract's table. */
export const STATE_OF_CODE = {
  "auth-failed": "auth-failed",
  "no-usable-key": "auth-failed",
  "access-denied": "auth-failed",
  "host-key-unknown": "host-key-rejected",
  "host-key-changed": "host-key-rejected",
  "host-key-revoked": "host-key-rejected",
  "host-key-algorithm": "host-key-rejected",
  "connect-timeout": "timeout",
  "handshake-timeout": "timeout",
  "probe-timeout": "timeout",
  "keepalive-timeout": "timeout",
  "connection-refused": "unreachable",
  "dns-not-found": "unreachable",
  "network-unreachable": "unreachable",
  "proxy-failed": "unreachable",
  "not-ssh": "unreachable",
  "connection-lost": "disconnected",
  "protocol-error": "disconnected",
  "internal-error": "disconnected",
  "local-limit": "disconnected",
  "no-tool": "unsupported",
  "version-too-old": "unsupported",
} as const satisfies Record<string, HostState>;
export type FailureCode = keyof typeof STATE_OF_CODE;

export type Phase = "resolve" | "dial" | "handshake" | "auth" | "probe" | "sample";

/** Why a host has no reading. `sample-overrun` leaves the host connected: its last sample is still under way. */
export interface LastError {
  readonly code: FailureCode | "sample-overrun";
  readonly phase: Phase;
  readonly message: string;
  /** What would mend it, as a command or a sentence. */
  readonly fix?: string;
  /** Authentication only: what was offered, as `source SHA256:fingerprint result`, never key material. */
  readonly tried?: readonly string[];
  /** The config or known_hosts line that decided, as `file:line`. */
  readonly where?: string;
}

/** Which program speaks SSH for a host. */
export type SshClientKind = "ssh2" | "openssh";

/**
 * How ticks reach the host: one long-lived shell, one exec of a script a tick, or one exec of each tool's plain
 * command a tick (forced commands, Windows).
 */
export type ChannelMode = "session" | "exec" | "plain";

export interface Envelope {
  readonly schema: 1;
  readonly timestamp: string;
  /** Counts from 0; null on a transition between ticks. */
  readonly tick: number | null;
  /** `user@host:port` as resolved; unique in a run. */
  readonly host_id: string;
  /** `ssh://user@host[:port]`, the port left out when it is 22. */
  readonly target: string;
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: HostState;
  /** `native` or a shim's id; null until probed. */
  readonly transport: string | null;
  readonly ssh_client?: SshClientKind;
  readonly channel?: ChannelMode;
}

export interface SectionError {
  readonly section: Section;
  readonly kind: "timeout" | "error" | "parse";
  readonly message: string;
  /** The device that the error is about, where one row alone failed. */
  readonly device?: string;
  readonly exit_code?: number;
  readonly exit_signal?: string;
}

/** Labels that a device object carries beside its readings, as all-smi's do. */
export interface DeviceLabels {
  readonly host_id: string;
  readonly hostname: string;
  readonly instance: string;
  readonly time: string;
}

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

/** One accelerator. The first group is all-smi's required fields; the rest is there when the tool has it. */
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
  /** "device", or "host" where the accelerator shares the host's memory (GB10, Grace, Orin, APUs). */
  readonly memory_source?: "device" | "host";
  readonly power_limit?: Num;
  readonly clock_memory?: Num;
  readonly fan_speed_percent?: Num;
  readonly performance_state?: Num;
  readonly ecc_corrected_total?: Num;
  readonly ecc_uncorrected_total?: Num;
  readonly retired_pages_pending?: boolean | null;
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
  /** The id of the tool that reports the device, `native` for all-smi; another may have filled what it left open. */
  readonly tool?: string;
  /** What a lost or failed device said instead of readings. */
  readonly error?: string;
  readonly [extra: string]: unknown;
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
  readonly load_average?: readonly [Num, Num, Num];
  readonly [extra: string]: unknown;
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
  readonly [extra: string]: unknown;
}

export interface Chassis {
  readonly total_power_watts: Num;
  readonly inlet_temperature: Num;
  readonly outlet_temperature: Num;
  readonly thermal_pressure: Text;
  readonly fan_speeds: readonly {
    readonly id: number;
    readonly name: string;
    readonly speed_rpm: Num;
    readonly max_rpm: Num;
  }[];
  readonly psu_status: readonly object[];
  readonly detail: Readonly<Record<string, string>>;
  readonly [extra: string]: unknown;
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
  readonly [extra: string]: unknown;
}

export interface Storage {
  readonly index: number;
  readonly mount_point: string;
  readonly total_bytes: Num;
  readonly available_bytes: Num;
  readonly [extra: string]: unknown;
}

/** The sections of one reading, before the envelope's labels are put on each device. */
export interface Sections {
  readonly gpus?: readonly Gpu[];
  readonly cpus?: readonly Cpu[];
  readonly memory?: readonly Memory[];
  readonly chassis?: readonly Chassis[];
  readonly processes?: readonly Process[];
  readonly storage?: readonly Storage[];
}

/** The key of a record under which a section's devices stand. */
export const KEY_OF_SECTION = {
  gpu: "gpus",
  cpu: "cpus",
  memory: "memory",
  chassis: "chassis",
  process: "processes",
  storage: "storage",
} as const satisfies Record<Section, keyof Sections>;

type Labelled<T> = T & DeviceLabels;

/** A host that answered. A frame whose every asked section failed still is a frame: `errors` say why. */
export interface FrameRecord extends Envelope {
  readonly record: "frame";
  readonly tick: number;
  readonly state: "connected";
  /** From the command's first byte sent to the answer's last byte, in milliseconds. */
  readonly latency_ms: number;
  readonly gpus?: readonly Labelled<Gpu>[];
  readonly cpus?: readonly Labelled<Cpu>[];
  readonly memory?: readonly Labelled<Memory>[];
  readonly chassis?: readonly Labelled<Chassis>[];
  readonly processes?: readonly Labelled<Process>[];
  readonly storage?: readonly Labelled<Storage>[];
  readonly errors?: readonly SectionError[];
}

/** What happened to a host, or why it has no frame in a tick. */
export interface StateRecord extends Envelope {
  readonly record: "state";
  readonly previous_state: HostState | null;
  /** From 1: the connection attempt that this is about. */
  readonly attempt: number;
  readonly consecutive_failures: number;
  /** When this state was entered. */
  readonly since: string;
  /** Null: no retry is planned. */
  readonly retry_in_ms: number | null;
  readonly last_error: LastError | null;
}

export type StreamRecord = FrameRecord | StateRecord;

// The compiler holds this list to the types: a key that is missing here, or one too many, is an error.
const RECORD_KEYS: ReadonlySet<string> = new Set(
  Object.keys({
    schema: true,
    record: true,
    timestamp: true,
    tick: true,
    host_id: true,
    target: true,
    hostname: true,
    labels: true,
    state: true,
    transport: true,
    ssh_client: true,
    channel: true,
    latency_ms: true,
    gpus: true,
    cpus: true,
    memory: true,
    chassis: true,
    processes: true,
    storage: true,
    errors: true,
    previous_state: true,
    attempt: true,
    consecutive_failures: true,
    since: true,
    retry_in_ms: true,
    last_error: true,
  } satisfies Record<keyof FrameRecord | keyof StateRecord, true>),
);

/** Whether the key is one of a record's own, which no tool's output may write over. */
export function isRecordKey(key: string): boolean {
  return RECORD_KEYS.has(key);
}

const DEVICE_LABELS: ReadonlySet<string> = new Set(
  Object.keys({ host_id: true, hostname: true, instance: true, time: true } satisfies Record<
    keyof DeviceLabels,
    true
  >),
);

/** Whether a device's field is one of the labels that this program puts on it. */
export function isDeviceLabel(key: string): boolean {
  return DEVICE_LABELS.has(key);
}

/** How many objects and lists may be in each other in a record, itself the first: what every JSON reader takes. */
export const MAX_LEVELS = 64;
