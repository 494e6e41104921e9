/** What a run knows of one host: its latest record, and counts since the run began. */
import type { KernelEvent } from "../../contract/kernel-event.js";
import type { Gpu, StateRecord, StreamRecord } from "../../contract/record.js";

export class HostHistory {
  #latest: StreamRecord;
  #arrivedMs: number;
  #lastFrame: string | null = null;
  #frames = 0;
  #missedTicks = 0;
  #connects = 0;
  readonly #failures = new Map<string, number>();
  readonly #sectionErrors = new Map<string, SectionErrors>();
  readonly #events = new Map<string, EventCount>();
  #uuids: ReadonlyMap<string, string> = new Map();

  constructor(record: StreamRecord, nowMs: number) {
    this.#latest = record;
    this.#arrivedMs = nowMs;
    this.take(record, nowMs);
  }

  get latest(): StreamRecord {
    return this.#latest;
  }
  /** When the latest record came, by the monotonic clock. */
  get arrivedMs(): number {
    return this.#arrivedMs;
  }
  /** The counts as they are now, which later records do not change. */
  counts(): HostCounts {
    return {
      lastFrame: this.#lastFrame,
      frames: this.#frames,
      missedTicks: this.#missedTicks,
      reconnects: Math.max(0, this.#connects - 1),
      failures: [...this.#failures],
      sectionErrors: [...this.#sectionErrors.values()],
      events: [...this.#events.values()],
    };
  }

  take(record: StreamRecord, nowMs: number): void {
    this.#latest = record;
    this.#arrivedMs = nowMs;
    if (record.record === "state") {
      if (record.tick !== null) this.#missedTicks += 1;
      if (record.tick === null && record.state === "connected") this.#connects += 1;
      if (isFailure(record)) add(this.#failures, record.last_error?.code ?? record.state);
      return;
    }
    this.#lastFrame = record.timestamp;
    this.#frames += 1;
    for (const { section, kind } of record.errors ?? []) {
      const key = `${section} ${kind}`;
      const count = this.#sectionErrors.get(key)?.count ?? 0;
      this.#sectionErrors.set(key, { section, kind, count: count + 1 });
    }
    for (const event of record.events ?? []) this.#countEvent(event);
    if (record.gpus !== undefined) this.#uuids = uuidsOf(record.gpus, this.#uuids);
  }

  #countEvent({ kind, severity, code, pci_bus_id }: KernelEvent): void {
    const key = JSON.stringify([kind, severity, code, pci_bus_id]);
    const known = this.#events.get(key);
    if (known === undefined && this.#events.size >= MAX_EVENT_KINDS) return;
    this.#events.set(key, { kind, severity, code, pci_bus_id, count: (known?.count ?? 0) + 1 });
  }

  get hasTick(): boolean {
    return this.#frames + this.#missedTicks > 0;
  }

  /**
   * The uuid that a device had in this run, where it reports none any more: its series must not get another identity
   * because it is lost. Null where it never had one, or where another device of the frame has it now.
   */
  knownUuid(gpus: readonly Gpu[], place: number): string | null {
    const gpu = gpus[place];
    const known = gpu === undefined ? undefined : this.#uuids.get(deviceKey(gpu, place));
    return known === undefined || gpus.some(({ uuid }) => uuid === known) ? null : known;
  }
}

interface EventCount extends Pick<KernelEvent, "kind" | "severity" | "code" | "pci_bus_id"> {
  readonly count: number;
}

/** Kinds of events, by code and device, that are counted of a host: whoever may write its kernel log has no end of them. */
const MAX_EVENT_KINDS = 256;

export interface HostCounts {
  /** Time of the last frame, RFC 3339; null where there was none. */
  readonly lastFrame: string | null;
  readonly frames: number;
  /** Ticks that have a state in place of a frame. */
  readonly missedTicks: number;
  /** Connections after the first one. */
  readonly reconnects: number;
  /** Failed connections and lost ones, by the code of the cause. */
  readonly failures: readonly (readonly [code: string, count: number])[];
  readonly sectionErrors: readonly SectionErrors[];
  readonly events: readonly EventCount[];
}

interface SectionErrors {
  readonly section: string;
  readonly kind: string;
  readonly count: number;
}

/** A run of one tick has no transitions: its only record of a host is the failure. */
function isFailure({ state, tick, retry_in_ms: retry }: StateRecord): boolean {
  return state !== "connecting" && state !== "connected" && (tick === null || retry === null);
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** By the device's index. Holds devices of this frame only. */
function uuidsOf(gpus: readonly Gpu[], before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const uuids = new Map<string, string>();
  for (const [place, gpu] of gpus.entries()) {
    const key = deviceKey(gpu, place);
    const uuid = typeof gpu.uuid === "string" && gpu.uuid !== "" ? gpu.uuid : before.get(key);
    if (uuid !== undefined) uuids.set(key, uuid);
  }
  return uuids;
}

/** A replayed or native device may hold anything, which need not have a text. */
function deviceKey({ index, tool }: Gpu, place: number): string {
  return `${typeof tool === "string" ? tool : ""} ${typeof index === "number" ? index : `at ${place}`}`;
}
