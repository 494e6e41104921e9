/** What a session does not do again at once: ask a part that hung, probe a host whose tool failed. */
import type { Clock } from "../lib/clock.js";
import type { PartOutput, Shim } from "../shims/kit/shim.js";
import type { Found } from "./found.js";
import { isNativeShim } from "./probe.js";

const COOLDOWN_MS = 30_000;

interface Entry {
  readonly untilMs: number;
  /** A shell hangs in it: it stays in cooldown until that shell is free again. */
  readonly holdsShell: boolean;
  /** Recorded as its output meanwhile. */
  readonly output: PartOutput;
}

/** The parts that hung, or flooded us, in an earlier tick: they are not asked for a while, so that the others stay on the tick schedule. */
export class PartCooldown {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(part: string, output: PartOutput, holdsShell: boolean): void {
    this.#entries.set(part, { untilMs: this.#clock.nowMs() + COOLDOWN_MS, holdsShell, output });
  }

  /** Drops the parts whose cooldown has ended. True when there were any. */
  expire(isHung: boolean): boolean {
    const now = this.#clock.nowMs();
    const ended = [...this.#entries].filter(
      ([, { untilMs, holdsShell }]) => now >= untilMs && !(holdsShell && isHung),
    );
    for (const [part] of ended) this.#entries.delete(part);
    return ended.length > 0;
  }

  has(part: string): boolean {
    return this.#entries.has(part);
  }

  get outputs(): ReadonlyMap<string, PartOutput> {
    return new Map([...this.#entries].map(([part, { output }]) => [part, output]));
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }
}

/** A tool that is there and fails is probed again after this time, and no host more often: probes load drivers. */
const REPROBE_MS = 60_000;
/** The same beside a tool that works: a probe interrupts its readings. */
const REPROBE_BESIDE_MS = 600_000;

type NativeState =
  | { readonly kind: "allowed" }
  /** `note`: the reason, for the next reading; null once it was taken. */
  | { readonly kind: "given-up"; readonly atMs: number; readonly note: string | null };

/** When a host is probed again on the same connection, and with which tools. */
export class ReprobeSchedule {
  readonly #clock: Clock;
  readonly #allShims: readonly Shim[];
  #shims: readonly Shim[];
  #probedAtMs: number;
  #dueAtMs: number;
  #native: NativeState = { kind: "allowed" };

  /** `found`: the result of a probe that has just ended. */
  constructor(clock: Clock, shims: readonly Shim[], found: Found) {
    this.#clock = clock;
    this.#allShims = shims;
    this.#shims = shims;
    this.#probedAtMs = clock.nowMs();
    this.#dueAtMs = this.#probedAtMs + reprobeAfterMs(found);
  }

  get isDue(): boolean {
    return this.#clock.nowMs() >= this.#dueAtMs;
  }

  /** The tools to try. */
  get shims(): readonly Shim[] {
    return this.#shims;
  }

  /** The host was probed again. */
  succeeded(found: Found): void {
    this.#restart(this.#clock.nowMs(), found);
  }

  /** The probe that began then found nothing; `found` is still in use. The next one may try all-smi again. */
  failed(beganAtMs: number, found: Found): void {
    this.#restart(beganAtMs, found);
    this.#shims = this.#allShims;
  }

  /** A tool has gone, or has changed. */
  resultIsOutdated(): void {
    this.#dueAtMs = this.#probedAtMs + REPROBE_MS;
  }

  /** all-smi is there and its snapshots fail: from the next tick on the host is read with its vendor tool, if it has one. */
  giveUpNative(reason: string): void {
    const now = this.#clock.nowMs();
    if (this.#native.kind === "given-up" && now - this.#native.atMs < REPROBE_MS) return;
    this.#native = {
      kind: "given-up",
      atMs: now,
      note: `fell back from all-smi to a vendor tool: ${reason}`,
    };
    this.#shims = this.#shims.filter((shim) => !isNativeShim(shim));
    this.#dueAtMs = now;
  }

  /** The reason why all-smi was given up, once. */
  takeNote(): string | null {
    if (this.#native.kind === "allowed" || this.#native.note === null) return null;
    const { note } = this.#native;
    this.#native = { ...this.#native, note: null };
    return note;
  }

  #restart(fromMs: number, found: Found): void {
    this.#probedAtMs = fromMs;
    this.#dueAtMs = fromMs + reprobeAfterMs(found);
  }
}

function reprobeAfterMs({ sources }: Found): number {
  if (!sources.some(({ kind }) => kind === "broken")) return Infinity;
  const works = sources.some(({ kind, main }) => kind === "usable" && !isNativeShim(main.shim));
  return works ? REPROBE_BESIDE_MS : REPROBE_MS;
}
