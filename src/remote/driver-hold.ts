/**
 * Keeps a driver started between ticks where its start is what makes the tool slow. Readings come from the tool alone:
 * one program more runs on the host, on a channel of its own, and only as long as it was measured to help.
 */
import type { Channel, Connection } from "../contract/connection.js";
import { withExtras, type Gpu } from "../contract/record.js";
import type { Holder, Reading } from "../shims/kit/shim.js";
import type { Frame } from "./frame.js";
import type { ChosenTool } from "./probe.js";
import { holdCommand } from "./script.js";

/** A tick's question that takes longer is slow; a host under load has one such tick now and then. */
const SLOW_MS = 1000;
const SLOW_TICKS = 2;
/** The first ticks may still wait for the start, or fall together with it. */
const TRIAL_TICKS = 5;

type State =
  /** How long the last ticks took, one slow one after another. */
  | { readonly kind: "measuring"; readonly slowMs: readonly number[] }
  | Holding
  /** For the rest of the run. */
  | { readonly kind: "given-up" };

interface Holding {
  readonly kind: "holding";
  /** What a tick took, and read, before. */
  readonly slowMs: number;
  readonly before: Reading;
  /** Ticks in which it may still show that it helps; null when it has. */
  trialTicks: number | null;
  /** Null until it is open. */
  channel: Channel | null;
  /** Why nothing holds any more: it ended by itself, or never began. */
  over: string | null;
}

const MEASURING: State = { kind: "measuring", slowMs: [] };

/** One host's, over all its sessions: what did not help once is not tried again. */
export class DriverHold {
  readonly #report: (words: string) => void;
  #state: State = MEASURING;

  constructor(tell: (words: string) => void) {
    this.#report = tell;
  }

  /** After each tick of a session: begins to hold, or lets go, by what the tool took and told. */
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

  /** The session has ended, or is to find its tool anew. */
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
      over: null,
    };
    this.#state = holding;
    const events = {
      stdout: () => undefined,
      stderr: () => undefined,
      closed: () => void (holding.over ??= "the program that held it has ended"),
    };
    connection.open(holdCommand(holder.command, executable), events).then(
      (channel) => {
        holding.channel = channel;
        if (this.#state !== holding) letGo(holding);
      },
      (error: unknown) => {
        holding.over ??= error instanceof Error ? error.message : String(error);
      },
    );
  }

  /** What ended with the connection is never judged: no tick follows on it. */
  #judge(holding: Holding, toolMs: number | null, reading: Reading): void {
    if (holding.over !== null) {
      this.#giveUp(holding, holding.over);
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

/** Whether a device is gone, failed, or lacks a number that it told before. */
function reportsLess(before: Reading, now: Reading): boolean {
  const told = new Map(now.sections.gpus?.map((gpu) => [keyOf(gpu), gpu]));
  return (before.sections.gpus ?? []).some((gpu) => {
    const same = told.get(keyOf(gpu));
    if (same === undefined || same.error !== undefined) return true;
    return Object.entries(gpu).some(
      ([key, value]) => typeof value === "number" && typeof withExtras(same)[key] !== "number",
    );
  });
}

const keyOf = ({ uuid, index }: Gpu): string => `${uuid ?? ""} ${index ?? ""}`;
