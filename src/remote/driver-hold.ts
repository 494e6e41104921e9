/**
 * Keeps a driver started between ticks, where starting it makes the tool slow. All readings still come from the tool. One
 * more program runs on the host, on its own channel, and only as long as measurements show that it helps.
 */
import type { Channel, Connection } from "../contract/connection.js";
import { withExtras, type Gpu } from "../contract/record.js";
import type { Holder, Reading } from "../shims/kit/shim.js";
import type { Frame } from "./frame.js";
import type { ChosenTool } from "./probe.js";
import { holdCommand } from "./script.js";

/** A tool that takes longer than this in a tick is slow. A host under load has one such tick now and then. */
const SLOW_MS = 1000;
const SLOW_TICKS = 2;
/** The first ticks may still wait for the driver's start. */
const TRIAL_TICKS = 5;

type State =
  /** What the last ticks took, as long as each was slow. */
  | { readonly kind: "measuring"; readonly slowMs: readonly number[] }
  | Holding
  /** It did not help: no further try in this run. */
  | { readonly kind: "given-up" };

interface Holding {
  readonly kind: "holding";
  /** What a tick took, and its reading, before the driver was held. */
  readonly slowMs: number;
  readonly before: Reading;
  /** Ticks left in which it has to show that it helps; null when it has. */
  trialTicks: number | null;
  /** Null until it is open. */
  channel: Channel | null;
  /** Why the program does not run: it ended by itself, or could not start. */
  failure: string | null;
}

const MEASURING: State = { kind: "measuring", slowMs: [] };

/** One for each host, for all its sessions: if holding did not help once, it is not tried again. */
export class DriverHold {
  readonly #report: (message: string) => void;
  #state: State = MEASURING;

  /** `report` gets a message when the driver is held, and when it no longer is. */
  constructor(report: (message: string) => void) {
    this.#report = report;
  }

  /** To be called after each tick of a session. Starts or stops holding, by how long the tool took and what it reported. */
  sampled(connection: Connection, tool: ChosenTool, { tookMs }: Frame, reading: Reading): void {
    if (tool.kind !== "usable" || tool.sampler.holder === undefined) return;
    const took = tool.sampler.parts.map(({ id }) => tookMs.get(id));
    const toolMs = took.some((ms) => ms === undefined)
      ? null
      : took.reduce((sum: number, ms = 0) => sum + ms, 0);
    const state = this.#state;
    if (state.kind === "holding") this.#judge(state, toolMs, reading);
    if (state.kind !== "measuring") return;
    if (toolMs === null || toolMs < SLOW_MS || !tool.sampler.holder.isWanted(reading)) {
      this.#state = MEASURING;
      return;
    }
    const slowMs = [...state.slowMs, toolMs];
    this.#state = { kind: "measuring", slowMs };
    if (slowMs.length < SLOW_TICKS) return;
    this.#hold(connection, tool.sampler.holder, tool.executable, Math.min(...slowMs), reading);
    this.#report(`${tool.shim.id} takes ${secs(Math.min(...slowMs))}; its driver is held from now on`);
  }

  /** The session has ended, or probes the host again. */
  release(): void {
    if (this.#state.kind === "given-up") return;
    letGo(this.#state);
    this.#state = MEASURING;
  }

  #hold(connection: Connection, holder: Holder, executable: string, slowMs: number, before: Reading): void {
    const holding: Holding = {
      kind: "holding",
      slowMs,
      before,
      trialTicks: TRIAL_TICKS,
      channel: null,
      failure: null,
    };
    this.#state = holding;
    const events = {
      stdout: () => undefined,
      stderr: () => undefined,
      closed: () => void (holding.failure ??= "the program that held it has ended"),
    };
    connection.open(holdCommand(holder.command, executable), events).then(
      (channel) => {
        holding.channel = channel;
        if (this.#state !== holding) letGo(holding);
      },
      (error: unknown) => {
        holding.failure ??= error instanceof Error ? error.message : String(error);
      },
    );
  }

  /** Only called in a tick: a program that ended with its connection is not judged, since no tick follows. */
  #judge(holding: Holding, toolMs: number | null, reading: Reading): void {
    if (holding.failure !== null) {
      this.#giveUp(holding, holding.failure);
    } else if (reportsLess(holding.before, reading)) {
      this.#giveUp(holding, "a reading failed meanwhile");
    } else if (holding.trialTicks !== null && toolMs !== null) {
      holding.trialTicks = toolMs < holding.slowMs / 2 ? null : holding.trialTicks - 1;
      if (holding.trialTicks === 0) this.#giveUp(holding, `the tool still takes ${secs(toolMs)}`);
    }
  }

  #giveUp(holding: Holding, why: string): void {
    letGo(holding);
    this.#state = { kind: "given-up" };
    this.#report(`its driver is not held any more: ${why}`);
  }
}

/** The end of its input ends the program on the host. */
function letGo(state: State): void {
  if (state.kind !== "holding") return;
  state.channel?.end();
  state.channel?.abandon();
}

const secs = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Whether a device is gone, has failed, or lacks a number that it had before. */
function reportsLess(before: Reading, now: Reading): boolean {
  const byKey = new Map(now.sections.gpus?.map((gpu) => [keyOf(gpu), gpu]));
  return (before.sections.gpus ?? []).some((gpu) => {
    const same = byKey.get(keyOf(gpu));
    if (same === undefined || same.error !== undefined) return true;
    return Object.entries(gpu).some(
      ([key, value]) => typeof value === "number" && typeof withExtras(same)[key] !== "number",
    );
  });
}

const keyOf = ({ uuid, index }: Gpu): string => `${uuid ?? ""} ${index ?? ""}`;
