/** Records of one host: the envelope around a reading or a transition. */
import type {
  DeviceLabels,
  Envelope,
  FrameRecord,
  HostState,
  LastError,
  Sections,
  StateRecord,
  ChannelMode,
  SshClientKind,
} from "../record.js";
import type { Reading } from "../shims/shim.js";

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

/** How the host is read at present; null until it has been connected once. */
export interface HostRoute {
  readonly transport: string;
  readonly client: SshClientKind;
  readonly channel: ChannelMode;
}

function envelope(
  host: HostIdentity,
  route: HostRoute | null,
  wallMs: number,
  tick: number | null,
): Omit<Envelope, "state"> {
  return {
    schema: 1,
    timestamp: new Date(wallMs).toISOString(),
    tick,
    host_id: host.hostId,
    target: host.target,
    hostname: host.hostname,
    labels: host.labels,
    transport: route?.transport ?? null,
    ...(route === null ? {} : { ssh_client: route.client, channel: route.channel }),
  };
}

/** A frame; `wallMs` is when the reading arrived. */
export function frameRecord(
  host: HostIdentity,
  route: HostRoute,
  wallMs: number,
  tick: number,
  reading: Reading,
  latencyMs: number,
): FrameRecord {
  const { schema, timestamp, ...rest } = envelope(host, route, wallMs, tick);
  const labels: DeviceLabels = {
    host_id: host.hostId,
    hostname: host.hostname,
    instance: host.hostname,
    time: timestamp,
  };
  return {
    schema,
    record: "frame",
    timestamp,
    ...rest,
    tick,
    state: "connected",
    latency_ms: Math.round(latencyMs * 10) / 10,
    ...labelled(reading.sections, labels),
    ...(reading.errors.length === 0 ? {} : { errors: reading.errors }),
  };
}

type LabelledSections = Pick<FrameRecord, keyof Sections>;

function labelled(sections: Sections, labels: DeviceLabels): LabelledSections {
  const { gpus, cpus, memory, chassis, processes, storage } = sections;
  return {
    ...(gpus && { gpus: gpus.map((device) => withLabels(device, labels)) }),
    ...(cpus && { cpus: cpus.map((device) => withLabels(device, labels)) }),
    ...(memory && { memory: memory.map((device) => withLabels(device, labels)) }),
    ...(chassis && { chassis: chassis.map((device) => withLabels(device, labels)) }),
    ...(processes && { processes: processes.map((device) => withLabels(device, labels)) }),
    ...(storage && { storage: storage.map((device) => withLabels(device, labels)) }),
  };
}

/** One by one: a second spread would cost several times the first. */
function withLabels<Device>(device: Device, labels: DeviceLabels): Device & DeviceLabels {
  return {
    ...device,
    host_id: labels.host_id,
    hostname: labels.hostname,
    instance: labels.instance,
    time: labels.time,
  };
}

/** What a state record says beside the envelope. */
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
  const { schema, ...rest } = envelope(host, route, wallMs, tick);
  return {
    schema,
    record: "state",
    ...rest,
    state: facts.state,
    previous_state: facts.previous,
    attempt: facts.attempt,
    consecutive_failures: facts.consecutiveFailures,
    since: new Date(facts.sinceMs).toISOString(),
    retry_in_ms: facts.retryInMs,
    last_error: facts.lastError,
  };
}
