/**
 * Lines of `all-smi record` as records (0.28.1, src/record/, src/snapshot/options.rs): a frame of all hosts becomes one record
 * a host. Its values are judged as those of an `all-smi snapshot` that ran on the host: stand-ins become null.
 */
import { checkRecord } from "../contract/record-check.js";
import {
  HOST_STATES,
  KEY_OF_SECTION,
  NATIVE_SECTIONS,
  type FrameRecord,
  type LastError,
  type Phase,
  type SectionError,
  type StreamRecord,
} from "../contract/record.js";
import { frameRecord, stateRecord, type HostIdentity } from "../host/host-record.js";
import { cleanText, oneLine } from "../lib/text.js";
import { readSnapshot } from "../shims/native/snapshot.js";
import { unreadAsNull } from "./unread.js";

type Fields = Readonly<Record<string, unknown>>;

/** Of `--format all-smi-record`. */
const WITHOUT_DEVICES = "hosts_without_devices";
const NO_SECTIONS: ReadonlySet<string> = new Set(["errors", WITHOUT_DEVICES]);
/** all-smi's name for the hosts of a remote recording together. */
const NO_HOST = "remote";
const MAX_MESSAGE = 1000;

/** Whether a line's value is all-smi's: it has its schema, and none of our records' kinds. */
export function isAllSmiLine(value: unknown): value is Fields {
  if (!isFields(value) || value["schema"] !== 1 || Object.hasOwn(value, "record")) return false;
  return value["header"] === true || value["index"] === true || typeof value["hostname"] === "string";
}

export class AllSmiRecording {
  #tick = 0;
  /** The hosts that had a reading in the latest frame. */
  #present: ReadonlyMap<string, HostIdentity> = new Map();

  /** The records of a line, none for a line without readings; or what is wrong with it. */
  read(line: Fields): readonly StreamRecord[] | string {
    if (line["header"] === true || line["index"] === true) return [];
    const wallMs = Date.parse(String(line["timestamp"]));
    if (Number.isNaN(wallMs)) return "is an all-smi frame without a time";
    const tick = this.#tick++;
    const failures = failuresIn(line, wallMs, tick);
    const failed = new Set(failures.map(({ host_id }) => host_id));
    const hosts = hostsIn(line, failed);
    const frames = [...hosts.values()].map((host) => frameOf(host, wallMs, tick));
    const missing = [...this.#present.values()]
      .filter(({ hostId }) => !hosts.has(hostId) && !failed.has(hostId))
      .map((identity) => lostRecord(identity, wallMs, tick));
    this.#present = new Map([...hosts.values()].map(({ identity }) => [identity.hostId, identity]));
    const records = [...frames, ...failures, ...missing];
    const problem = records.map(checkRecord).find((checked) => typeof checked === "string");
    return problem ?? records;
  }
}

interface HostPart {
  readonly identity: HostIdentity;
  /** As a snapshot of this host alone. */
  readonly snapshot: Record<string, unknown>;
  readonly errors: SectionError[];
}

/** The devices of a frame by their hosts. Each host has every section that the frame has. */
function hostsIn(line: Fields, failed: ReadonlySet<string>): ReadonlyMap<string, HostPart> {
  const keys = Object.keys(line).filter((key) => Array.isArray(line[key]) && !NO_SECTIONS.has(key));
  const hosts = new Map<string, HostPart>();
  const hostOf = (hostId: string, hostname: string): HostPart => {
    const known = hosts.get(hostId);
    if (known !== undefined) return known;
    const identity = { hostId, target: hostId, hostname, labels: {} };
    const snapshot = Object.fromEntries(keys.map((key) => [key, []]));
    const part = { identity, snapshot, errors: [] };
    hosts.set(hostId, part);
    return part;
  };
  const owners = new Map<string, string>();
  const frameHost = cleanText(String(line["hostname"]));
  for (const key of keys) {
    for (const device of devicesIn(line, key)) {
      const uuid = device[key === KEY_OF_SECTION.process ? "device_uuid" : "uuid"];
      const owner = typeof uuid === "string" ? owners.get(uuid) : undefined;
      const hostId = textIn(device, "host_id") ?? owner ?? onlyOne(hosts) ?? frameHost;
      if (typeof uuid === "string" && key === KEY_OF_SECTION.gpu) owners.set(uuid, hostId);
      const { snapshot } = hostOf(hostId, textIn(device, "hostname") ?? hostId);
      (snapshot[key] as unknown[]).push(device);
    }
  }
  for (const host of devicesIn(line, WITHOUT_DEVICES)) {
    const hostId = textIn(host, "host_id");
    if (hostId !== null) hostOf(hostId, textIn(host, "hostname") ?? hostId);
  }
  // A host without any device is still one that was read, where it is the only one.
  const errors = devicesIn(line, "errors").filter((error) => !Object.hasOwn(error, "state"));
  if (hosts.size === 0 && frameHost !== NO_HOST && !failed.has(frameHost)) hostOf(frameHost, frameHost);
  for (const error of errors) {
    const hostId = textIn(error, "host_id");
    const own = hostId === null ? undefined : hosts.get(hostId);
    if (own !== undefined && hostId !== null) own.errors.push(ownError(error, hostId));
    else for (const { snapshot } of hostId === null ? hosts.values() : []) addError(snapshot, error);
  }
  return hosts;
}

function addError(snapshot: Record<string, unknown>, error: Fields): void {
  const errors = (snapshot["errors"] ??= []);
  if (Array.isArray(errors)) errors.push(error);
}

/** An error that `--format all-smi-record` has written, with its host in front. */
function ownError(error: Fields, hostId: string): SectionError {
  const section = NATIVE_SECTIONS.find((candidate) => candidate === error["section"]) ?? "gpu";
  const message = oneLine(String(error["message"]), MAX_MESSAGE).replace(`${hostId}: `, "");
  return { section, kind: error["kind"] === "timeout" ? "timeout" : "error", message };
}

function frameOf({ identity, snapshot, errors }: HostPart, wallMs: number, tick: number): FrameRecord {
  const reading = readSnapshot(inOrder(unreadAsNull(snapshot)), true);
  const all = { sections: reading.sections, errors: [...reading.errors, ...errors] };
  const route = { transport: "native", client: "ssh2", channel: "session" } as const;
  const frame: { -readonly [Key in keyof FrameRecord]: FrameRecord[Key] } = frameRecord(
    identity,
    route,
    wallMs,
    tick,
    all,
    0,
  );
  // all-smi records without SSH, and not how long it took.
  delete frame.ssh_client;
  delete frame.channel;
  frame.latency_ms = null;
  return frame;
}

/** A recording of scraped hosts has GPUs in any order, and their index as a text of `detail`. */
function inOrder(snapshot: Fields): Fields {
  const gpus = devicesIn(snapshot, KEY_OF_SECTION.gpu).map((gpu) => {
    const index = isFields(gpu["detail"]) ? textIn(gpu["detail"], "index") : null;
    return index !== null && /^\d{1,4}$/.test(index) ? { ...gpu, index: Number(index) } : gpu;
  });
  const indices = new Set(gpus.map((gpu) => gpu["index"]));
  if (gpus.length === 0 || indices.has(undefined) || indices.size < gpus.length) return snapshot;
  const sorted = gpus.sort((a, b) => Number(a["index"]) - Number(b["index"]));
  return { ...snapshot, [KEY_OF_SECTION.gpu]: sorted };
}

/** Hosts that `--format all-smi-record` has written as errors: they had no reading in this tick. */
function failuresIn(line: Fields, wallMs: number, tick: number): readonly StreamRecord[] {
  return devicesIn(line, "errors").flatMap((error) => {
    const state = HOST_STATES.find((known) => known === error["state"]);
    const hostId = textIn(error, "host_id");
    if (state === undefined || hostId === null) return [];
    const identity = { hostId, target: hostId, hostname: textIn(error, "hostname") ?? hostId, labels: {} };
    const facts = { ...NOT_RECORDED, sinceMs: wallMs };
    return [stateRecord(identity, null, wallMs, tick, { ...facts, state, lastError: lastErrorIn(error) })];
  });
}

/** A host that had a reading in the frame before, and has none now. Why is not recorded. */
function lostRecord(identity: HostIdentity, wallMs: number, tick: number): StreamRecord {
  const facts = { ...NOT_RECORDED, previous: "connected", sinceMs: wallMs } as const;
  return stateRecord(identity, null, wallMs, tick, { ...facts, state: "disconnected", lastError: null });
}

const NOT_RECORDED = { previous: null, attempt: 1, consecutiveFailures: 1, retryInMs: null } as const;

function lastErrorIn(error: Fields): LastError | null {
  const last = error["last_error"];
  if (!isFields(last)) return null;
  const [code, phase, message] = [textIn(last, "code"), textIn(last, "phase"), textIn(last, "message")];
  if (code === null || phase === null || message === null) return null;
  const fix = textIn(last, "fix");
  // A name that a later version writes passes through, as in a recorded line of our own.
  return {
    code: code as LastError["code"],
    phase: phase as Phase,
    message,
    ...(fix === null ? {} : { fix }),
  };
}

function onlyOne(hosts: ReadonlyMap<string, HostPart>): string | undefined {
  return hosts.size === 1 ? [...hosts.keys()][0] : undefined;
}

function devicesIn(line: Fields, key: string): readonly Fields[] {
  const list = line[key];
  return Array.isArray(list) ? list.filter(isFields) : [];
}

/** Null where there is none, or it is empty. */
function textIn(fields: Fields, key: string): string | null {
  const value = fields[key];
  return typeof value === "string" && value !== "" ? cleanText(value) : null;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
