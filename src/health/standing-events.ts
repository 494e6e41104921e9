/** What the kernel log of one host still means: an event is in one record only, and its fault outlives that record. */
import type { Finding } from "../contract/health.js";
import type { KernelEvent } from "../contract/kernel-event.js";
import type { FrameRecord, Gpu } from "../contract/record.js";
import { EVENT_RULES, EVENTS_UNREAD } from "./event-rules.js";

/** An event stands for this long, or until the host is booted. */
const STANDS_MS = 24 * 3600 * 1000;
/** Different faults of one host that are remembered; the newest count. */
const MAX_STANDING = 100;

interface Standing {
  readonly finding: Finding;
  readonly count: number;
  readonly lastMs: number;
}

export class StandingEvents {
  readonly #standing = new Map<string, Standing>();
  /** Addresses of GPUs that were ever read, also of those that are lost by now. */
  readonly #gpus = new Map<string, string>();
  #unread: Finding | null = null;

  /** Takes in a frame. Returns what stands with it: critical or not, oldest first. */
  with(frame: FrameRecord): readonly Finding[] {
    for (const [position, gpu] of (frame.gpus ?? []).entries()) this.#addGpu(gpu, position);
    for (const event of frame.events ?? []) this.#add(event, frame.timestamp);
    if (frame.events !== undefined) this.#unread = null;
    const verdict = EVENTS_UNREAD.check(frame.errors ?? [], []);
    if (verdict.kind !== "fine") {
      const { id: rule, action } = EVENTS_UNREAD;
      const since = this.#unread?.since ?? frame.timestamp;
      this.#unread = { rule, severity: "unknown", device: null, message: verdict.message, action, since };
    }
    const nowMs = Date.parse(frame.timestamp);
    for (const [key, { lastMs }] of this.#standing)
      if (nowMs - lastMs >= STANDS_MS) this.#standing.delete(key);
    const findings = [...this.#standing.values()].map(({ finding }) => finding);
    return this.#unread === null ? findings : [...findings, this.#unread];
  }

  #addGpu({ index, pci_bus_id: id }: Gpu, position: number): void {
    const slot = slotOf(id ?? null);
    if (slot !== null) this.#gpus.set(slot, `gpu ${index ?? position}`);
  }

  #add(event: KernelEvent, timestamp: string): void {
    if (event.kind === "boot") this.#standing.clear();
    for (const rule of EVENT_RULES) {
      const verdict = rule.check(event, []);
      if (verdict.kind !== "found") continue;
      const device = this.#deviceOf(event);
      const at = event.logged_at ?? timestamp;
      const key = [rule.id, event.kind, event.code ?? "", device ?? ""].join(" ");
      const before = this.#standing.get(key);
      const count = (before?.count ?? 0) + 1;
      const times = count === 1 ? "" : ` (${count} times, last at ${at})`;
      const finding: Finding = {
        rule: rule.id,
        severity: verdict.severity ?? rule.severity,
        device,
        message: `${verdict.message}${times}`,
        action: event.action,
        since: before?.finding.since ?? at,
      };
      // The newest comes last, so that the oldest go first.
      this.#standing.delete(key);
      this.#standing.set(key, { finding, count, lastMs: Date.parse(at) });
    }
    for (const key of this.#standing.keys())
      if (this.#standing.size > MAX_STANDING) this.#standing.delete(key);
  }

  #deviceOf({ kind, pci_bus_id: id }: KernelEvent): string | null {
    const slot = slotOf(id);
    if (slot === null) return null;
    return (kind === "nvidia-sxid" ? undefined : this.#gpus.get(slot)) ?? `pci ${id ?? ""}`;
  }
}

/** `00000000:18:00.0`, `0000:18:00.0` and `0000:18:00` are one slot: `0:18:00`. */
function slotOf(id: string | null): string | null {
  const match = /^([0-9a-f]{4,8}):([0-9a-f]{2}:[0-9a-f]{2})(?:\.[0-9a-f])?$/i.exec(id ?? "");
  return match === null
    ? null
    : `${(match[1] ?? "").replace(/^0+(?=.)/, "")}:${match[2] ?? ""}`.toLowerCase();
}
