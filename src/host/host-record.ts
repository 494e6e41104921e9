/** Records of one host: the envelope around a reading or a transition. */
import {
  isRecordKey,
  type DeviceLabels,
  type FrameRecord,
  type HostState,
  type LastError,
  type StateRecord,
  type ChannelMode,
  type SshClientKind,
} from "../contract/record.js";
import { isoTime } from "../lib/iso-time.js";
import { setOwn } from "../lib/host-json.js";
import type { NewEvents } from "../remote/event-looks.js";
import type { Reading } from "../shims/kit/shim.js";

/** What identifies a host in every record. */
export interface HostIdentity {
  /** `user@host:port` as resolved. */
  readonly hostId: string;
  /** `ssh://user@host[:port]`. */
  readonly target: string;
  /** As typed. */
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** How the host is read at present. */
export interface HostRoute {
  readonly transport: string;
  readonly client: SshClientKind;
  readonly channel: ChannelMode;
}

/** A frame; `wallMs` is when the reading arrived. The reading is used up: its devices are labelled in place. */
export function frameRecord(
  host: HostIdentity,
  route: HostRoute,
  wallMs: number,
  tick: number,
  reading: Reading,
  latencyMs: number,
): FrameRecord {
  const timestamp = isoTime(wallMs);
  const labels: DeviceLabels = {
    host_id: host.hostId,
    hostname: host.hostname,
    instance: host.hostname,
    time: timestamp,
  };
  // No spreads: they cost several times as much, and every host makes a frame each tick.
  const frame: Draft = {
    schema: 1,
    record: "frame",
    timestamp,
    tick,
    host_id: host.hostId,
    target: host.target,
    hostname: host.hostname,
    labels: host.labels,
    transport: route.transport,
    ssh_client: route.client,
    channel: route.channel,
    state: "connected",
    latency_ms: Math.round(latencyMs * 10) / 10,
  };
  const { gpus, cpus, memory, chassis, processes, storage, events } = reading.sections;
  if (gpus) frame.gpus = gpus.map((device) => withLabels(device, labels));
  if (cpus) frame.cpus = cpus.map((device) => withLabels(device, labels));
  if (memory) frame.memory = memory.map((device) => withLabels(device, labels));
  if (chassis) frame.chassis = chassis.map((device) => withLabels(device, labels));
  if (processes) frame.processes = processes.map((device) => withLabels(device, labels));
  if (storage) frame.storage = storage.map((device) => withLabels(device, labels));
  if (events) frame.events = events.map((device) => withLabels(device, labels));
  const { host: hosts, network } = reading.sections;
  if (hosts) frame.host = hosts.map((device) => withLabels(device, labels));
  if (network) frame.network = network.map((device) => withLabels(device, labels));
  // Sections that only a newer all-smi has, with the labels of this record.
  for (const key of Object.keys(reading.sections)) {
    if (!isRecordKey(key)) setOwn(frame, key, relabelled(Reflect.get(reading.sections, key), labels));
  }
  if (reading.errors.length > 0) frame.errors = reading.errors;
  return frame;
}

/** The reading with the events that belong into the same frame. */
export function withEvents(reading: Reading, { events, errors }: NewEvents): Reading {
  return {
    ...reading,
    sections: events === null ? reading.sections : { ...reading.sections, events },
    errors: [...reading.errors, ...errors],
  };
}

function relabelled(section: unknown, labels: DeviceLabels): unknown {
  if (!Array.isArray(section)) return section;
  return section.map((device: unknown) =>
    typeof device === "object" && device !== null && !Array.isArray(device)
      ? withLabels(device, labels)
      : device,
  );
}

type Draft = { -readonly [Key in keyof FrameRecord]: FrameRecord[Key] };

function withLabels<Device extends object>(device: Device, labels: DeviceLabels): Device & DeviceLabels {
  const labelled: Device & { -readonly [Key in keyof DeviceLabels]?: string } = device;
  labelled.host_id = labels.host_id;
  labelled.hostname = labels.hostname;
  labelled.instance = labels.instance;
  labelled.time = labels.time;
  return labelled as Device & DeviceLabels;
}

/** The content of a state record, without the envelope. */
export interface StateFacts {
  readonly state: HostState;
  readonly previous: HostState | null;
  readonly attempt: number;
  readonly consecutiveFailures: number;
  readonly sinceMs: number;
  readonly retryInMs: number | null;
  readonly lastError: LastError | null;
}

export function stateRecord(
  host: HostIdentity,
  route: HostRoute | null,
  wallMs: number,
  tick: number | null,
  facts: StateFacts,
): StateRecord {
  return {
    schema: 1,
    record: "state",
    timestamp: isoTime(wallMs),
    tick,
    host_id: host.hostId,
    target: host.target,
    hostname: host.hostname,
    labels: host.labels,
    transport: route?.transport ?? null,
    ...(route === null ? {} : { ssh_client: route.client, channel: route.channel }),
    state: facts.state,
    previous_state: facts.previous,
    attempt: facts.attempt,
    consecutive_failures: facts.consecutiveFailures,
    since: isoTime(facts.sinceMs),
    retry_in_ms: facts.retryInMs,
    last_error: facts.lastError,
  };
}
