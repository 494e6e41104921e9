/** The fields of a record outside its devices: the envelope, frames, states and the errors in both. */
import type {
  Envelope,
  FrameRecord,
  SectionError,
  SkippedTicks,
  StateRecord,
  StreamRecord,
} from "./envelope.js";
import type { HostState, LastError } from "./failure-codes.js";
import type { FieldMap, FieldTable } from "./field-table.js";
import { KEY_OF_SECTION, type DeviceLabels, type Section, type Sections } from "./sections.js";
import { HEALTH_FIELDS, HELD_FIELDS } from "./verdict-fields.js";

const STATES = {
  connecting: "a first connection, or another attempt, is under way",
  connected: "the host answers",
  "auth-failed": "the host does not accept our login",
  "host-key-rejected": "we do not accept the host's key",
  timeout: "the host does not answer in time",
  unreachable: "no connection can be made",
  disconnected: "the connection, or the run's own resources, were lost",
  unsupported: "the host has no tool that can be read",
} as const satisfies Record<HostState, string>;

const SKIPPED_FIELDS = {
  first: { type: "integer", text: "The first tick without a record." },
  last: { type: "integer", text: "The last one." },
  reason: {
    ...{ type: "string", text: "Why." },
    values: {
      "reader-stalled": "what reads the records took none for longer than a tick",
      "run-stalled": "this process did not run, or not in time: stopped, suspended, or out of CPU",
    },
  },
} as const satisfies FieldTable<SkippedTicks>;

export const ENVELOPE_FIELDS = {
  schema: {
    type: "integer",
    values: { 1: "all-smi's Snapshot schema" },
    text: "Version of the field names.",
  },
  record: {
    ...{ type: "string", text: "Kind of record." },
    values: { frame: "a host that answered", state: "what happened to a host, or why it has no frame" },
  },
  timestamp: {
    ...{ type: "string", format: "date-time" },
    text: "When the reading or the transition arrived here: RFC 3339, UTC, with milliseconds.",
  },
  tick: { type: "integer", nullable: true, text: "Counts from 0; null on a transition between ticks." },
  host_id: { type: "string", text: "`user@host:port` as resolved: the join key, unique in a run." },
  target: { type: "string", text: "`ssh://user@host[:port]`, without the port when it is 22." },
  hostname: { type: "string", text: "The host as typed." },
  labels: {
    ...{ type: "object", entries: { type: "string" } },
    text: "The `key=value` pairs of the host in the hostfile.",
  },
  state: { type: "string", values: STATES, text: "State of the host; `connected` in every frame." },
  transport: {
    ...{ type: "string", nullable: true },
    text: "`native`, the id of the tool that is read, or the host's system (`linux`) where no tool is; null until that is known.",
  },
  ssh_client: {
    ...{ type: "string", optional: true, text: "Which program speaks SSH; absent until connected." },
    values: { ssh2: "the built-in client", openssh: "the system's `ssh`" },
  },
  channel: {
    ...{ type: "string", optional: true, text: "How ticks reach the host; absent until connected." },
    values: {
      session: "one shell for all ticks",
      exec: "one exec of a script each tick",
      plain: "one exec of each tool's plain command each tick (forced commands, Windows)",
    },
  },
  skipped_ticks: {
    ...{ type: "array", optional: true, items: { type: "object", fields: SKIPPED_FIELDS } },
    text: "Ticks of the host before this one that have no record, and why; absent where there are none.",
  },
  held: {
    ...{ type: "array", optional: true, items: { type: "object", fields: HELD_FIELDS } },
    text: "Where conditions of `--fail-on` hold with this record; absent where none does.",
  },
  health: {
    ...{ type: "object", optional: true, fields: HEALTH_FIELDS },
    text: "What health rules and expectations find in this record; with `--health` or `--expect`.",
  },
} as const satisfies FieldTable<Envelope & Pick<StreamRecord, "record">>;

const SECTION_NAMES = {
  gpu: "`gpus`",
  cpu: "`cpus`",
  memory: "`memory`",
  chassis: "`chassis`",
  process: "`processes`",
  storage: "`storage`",
  host: "`host`",
  network: "`network`",
  event: "`events`",
} as const satisfies Record<Section, string>;

export const SECTION_ERROR_FIELDS = {
  section: { type: "string", values: SECTION_NAMES, text: "The section that lacks a reading." },
  kind: {
    ...{ type: "string", text: "What went wrong." },
    values: {
      timeout: "the tool did not end in time",
      error: "the tool failed",
      parse: "its output does not match its documentation",
    },
  },
  message: { type: "string", text: "One line for the operator." },
  device: {
    ...{ type: "string", optional: true },
    text: "The device that the error is about: its `uuid`, `pci_bus_id` or `index`.",
  },
  exit_code: { type: "integer", optional: true, text: "The tool's exit status, where it was not 0." },
  exit_signal: { type: "string", optional: true, text: "The signal that ended the tool." },
} as const satisfies FieldTable<SectionError>;

export const FRAME_FIELDS = {
  latency_ms: {
    ...{ type: "number", unit: "ms", nullable: true },
    text: "From the first byte of the command sent to the last byte of the answer; null in a replayed recording of all-smi.",
  },
  errors: {
    ...{ type: "array", optional: true, items: { type: "object", fields: SECTION_ERROR_FIELDS } },
    text: "Asked sections, or devices in them, that could not be read; absent when there are none.",
  },
} as const satisfies FieldTable<Omit<FrameRecord, keyof Envelope | keyof Sections | "record">>;

export const LAST_ERROR_FIELDS = {
  code: {
    ...{ type: "string", text: "Stable name of the cause." },
    values: {
      "auth-failed": "no offered key or method was accepted",
      "no-usable-key": "there was no key to offer",
      "access-denied": "the login was accepted, the account or a policy was not",
      "host-key-unknown": "the host's key is not in known_hosts",
      "host-key-changed": "known_hosts has another key for the host",
      "host-key-revoked": "the host's key is revoked",
      "host-key-algorithm": "no key algorithm that both sides accept",
      "connect-timeout": "no connection in time",
      "handshake-timeout": "no finished handshake and login in time",
      "probe-timeout": "no answer of the first command in time",
      "keepalive-timeout": "no answer to keepalive messages",
      "connection-refused": "nothing listens on the port",
      "dns-not-found": "the name does not resolve",
      "network-unreachable": "no route to the host",
      "proxy-failed": "the jump host or proxy command failed",
      "not-ssh": "the port does not speak SSH",
      "connection-lost": "an open connection ended",
      "protocol-error": "the host broke the protocol",
      "internal-error": "a fault of allsmi-ssh, for this host only",
      "local-limit": "the watching machine is out of descriptors, memory or processes",
      "no-tool": "the host has none of the tools, and is not known to have no accelerator",
      "version-too-old": "the host's all-smi is too old, and fallbacks are off",
      removed: "the list of hosts was read again (SIGHUP) and does not have it any more: its last record",
      "sample-overrun": "the last reading is still under way; the host stays connected",
    },
  },
  phase: {
    ...{ type: "string", text: "What was being done." },
    values: {
      resolve: "looking up the name",
      dial: "connecting",
      handshake: "key exchange and host key check",
      auth: "logging in",
      probe: "looking for a tool",
      sample: "reading",
    },
  },
  message: { type: "string", text: "One line for the operator." },
  fix: { type: "string", optional: true, text: "How to fix it, as a command or a sentence." },
  tried: {
    ...{ type: "array", optional: true, items: { type: "string" } },
    text: "Authentication only: what was offered, as `source SHA256:fingerprint result`. Never key material.",
  },
  where: {
    ...{ type: "string", optional: true },
    text: "The line of a config or known_hosts file that decided, as `file:line`.",
  },
} as const satisfies FieldTable<LastError>;

export const STATE_FIELDS = {
  previous_state: { type: "string", nullable: true, values: STATES, text: "State before this one." },
  attempt: { type: "integer", text: "The connection attempt that this is about, from 1." },
  consecutive_failures: { type: "integer", text: "Failed attempts since the host was last connected." },
  since: { type: "string", format: "date-time", text: "When the host entered this state." },
  retry_in_ms: {
    ...{ type: "integer", nullable: true, unit: "ms" },
    text: "Time to the next attempt; null when none is planned.",
  },
  last_error: {
    ...{ type: "object", nullable: true, fields: LAST_ERROR_FIELDS },
    text: "Why the host has no reading.",
  },
} as const satisfies FieldTable<Omit<StateRecord, keyof Envelope | "record">>;

/** Labels that every device carries, as all-smi's devices do. */
export const DEVICE_LABEL_FIELDS = {
  host_id: { type: "string", text: "That of the record." },
  hostname: { type: "string", text: "That of the record." },
  instance: { type: "string", text: "The record's `hostname`, under all-smi's name." },
  time: { type: "string", format: "date-time", text: "The record's `timestamp`." },
} as const satisfies FieldTable<DeviceLabels>;

/** The fields that a frame or a state may have, without its sections. */
export const RECORD_FIELDS: FieldMap = { ...ENVELOPE_FIELDS, ...FRAME_FIELDS, ...STATE_FIELDS };

/** In a record of `--compact`, by section's key: what all of its devices have in common. */
export const DEFAULTS_KEY = "defaults";

const RECORD_KEYS: ReadonlySet<string> = new Set([
  ...Object.keys(RECORD_FIELDS),
  ...Object.values(KEY_OF_SECTION),
  DEFAULTS_KEY,
]);

/** Whether the key is one of a record's own. No tool's output may overwrite those. */
export function isRecordKey(key: string): boolean {
  return RECORD_KEYS.has(key);
}

/** Whether a device's field is one of the labels that this program puts on it. */
export function isDeviceLabel(key: string): boolean {
  return Object.hasOwn(DEVICE_LABEL_FIELDS, key);
}
