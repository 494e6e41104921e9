/** The two kinds of record, frame and state, and the envelope that they share. Fields: envelope-fields.ts. */
import type { Health } from "./health.js";
import type { Held } from "./held.js";
import type { HostState, LastError } from "./failure-codes.js";
import type { Chassis, Cpu, Host, Memory, NetworkPort, Storage } from "./host-devices.js";
import type { KernelEvent } from "./kernel-event.js";
import type { DeviceLabels, Gpu, Process, Section } from "./sections.js";

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
  /** Ticks before this one that have no record, and why; absent where there are none. */
  readonly skipped_ticks?: readonly SkippedTicks[];
  /** Where conditions of `--fail-on` hold with this record; absent where none does. */
  readonly held?: readonly Held[];
  /** What health rules and expectations find in this record; with `--health` or `--expect`. */
  readonly health?: Health;
}

/** `reader-stalled`: what reads the records took none. `run-stalled`: this process did not run, or not in time. */
export interface SkippedTicks {
  readonly first: number;
  readonly last: number;
  readonly reason: "reader-stalled" | "run-stalled";
}

export interface SectionError {
  readonly section: Section;
  readonly kind: "timeout" | "error" | "parse";
  readonly message: string;
  /** The device that the error is about, where only one device failed. */
  readonly device?: string;
  readonly exit_code?: number;
  readonly exit_signal?: string;
}

type Labelled<T> = T & DeviceLabels;

/** A host that answered, even when every asked section failed: `errors` has the reasons. */
export interface FrameRecord extends Envelope {
  readonly record: "frame";
  readonly tick: number;
  readonly state: "connected";
  /** From the command's first byte sent to the answer's last byte, in milliseconds; null in a recording of all-smi. */
  readonly latency_ms: number | null;
  readonly gpus?: readonly Labelled<Gpu>[];
  readonly cpus?: readonly Labelled<Cpu>[];
  readonly memory?: readonly Labelled<Memory>[];
  readonly chassis?: readonly Labelled<Chassis>[];
  readonly processes?: readonly Labelled<Process>[];
  readonly storage?: readonly Labelled<Storage>[];
  readonly host?: readonly Labelled<Host>[];
  readonly network?: readonly Labelled<NetworkPort>[];
  /** Only in a frame of a tick in which the kernel log was read. */
  readonly events?: readonly Labelled<KernelEvent>[];
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

/** How many objects and lists may be in each other in a record, itself the first: what every JSON reader takes. */
export const MAX_LEVELS = 64;
