/** One probed host: asks it for each tick's reading over whichever way it allows, and recovers what hangs. */
import { ChannelRefused, type Connection } from "../contract/connection.js";
import { HostError } from "../contract/errors.js";
import type { ChannelMode } from "../contract/record.js";
import type { Part, PartOutput, PartOutputs, Reading, Shim } from "../shims/kit/shim.js";
import { toolsOf } from "./choose.js";
import { failedSections } from "./compose.js";
import { markCutShort, floodIn } from "./cut-short.js";
import { discover } from "./discover.js";
import type { DriverHold } from "./driver-hold.js";
import { hungPart, type Discovery, type Found, type SessionOptions } from "./found.js";
import { HostReader } from "./host-reader.js";
import type { Answer } from "./lane.js";
import { Lanes, type SessionPlan } from "./lanes.js";
import { PartCooldown } from "./part-cooldown.js";
import { PlainCommands } from "./plain.js";
import type { ChosenTool } from "./probe.js";
import { howItEnded } from "./shell-failures.js";
import { answerStep, cooldownStep, probedStep } from "./steps.js";

export interface Sample {
  readonly reading: Reading;
  /** Command sent to last byte. */
  readonly latencyMs: number;
}

/** A tool that is there and fails is probed again at this pace, and nothing ever more often: drivers get loaded. */
const REPROBE_MS = 60_000;
/** The same beside a tool that works, whose readings a probe interrupts. */
const REPROBE_BESIDE_MS = 600_000;
/** A channel that was lost tells nothing of the connection, whose own end may follow by a moment. */
const LOSS_FOLLOWS_MS = 100;

export class HostSession {
  readonly #connection: Connection;
  readonly #options: SessionOptions;
  readonly #reader: HostReader;
  readonly #lanes: Lanes;
  readonly #commands: PlainCommands;
  readonly #cooldown: PartCooldown;
  readonly #hold: DriverHold | null;
  #shims: readonly Shim[];
  #found: Found | null = null;
  /** Made anew when the host was probed again, or a part is left alone or asked again. */
  #plan: SessionPlan | null = null;
  #probedAt = 0;
  #reprobeAt = Infinity;
  #nativeGivenUpAt = -Infinity;
  #lost: HostError | null = null;
  /** Said once, in the next reading. */
  #note: string | null = null;

  private constructor(connection: Connection, options: SessionOptions, hold: DriverHold | null) {
    const { clock, sample } = options;
    const timing = { clock, toolTimeoutSecs: sample.toolTimeoutSecs };
    this.#connection = connection;
    this.#options = options;
    this.#reader = new HostReader(sample);
    this.#lanes = new Lanes(connection, timing);
    this.#commands = new PlainCommands(connection, timing);
    this.#cooldown = new PartCooldown(clock);
    this.#hold = hold;
    this.#shims = options.shims;
    // Listened to once: a promise that lives as long as the session keeps what each race with it made.
    void connection.lost.then((error) => (this.#lost = error));
  }

  /**
   * Probes the host and takes its first sample. Throws HostError when it can tell nothing, or is gone. `hold` is the
   * host's, whose sessions follow one another; null: its driver is never held.
   */
  static async start(
    connection: Connection,
    options: SessionOptions,
    hold: DriverHold | null = null,
  ): Promise<{ readonly session: HostSession; readonly first: Sample }> {
    const session = new HostSession(connection, options, hold);
    return { session, first: await session.#probe() };
  }

  /** `native`, a shim's id, or the system's id when no accelerator was asked for. */
  get transport(): string {
    return this.#found?.sources[0]?.main.shim.id ?? this.#found?.systemId ?? "none";
  }

  get channelMode(): ChannelMode {
    return this.#lanes.mode;
  }

  /** One tick. Never rejects for what tools do; throws HostError when the connection is gone. */
  async sample(tick: number): Promise<Sample> {
    const { clock, step } = this.#options;
    const found = this.#found;
    if (found === null || (clock.nowMs() >= this.#reprobeAt && !this.#lanes.isStuck)) return this.#reprobe();
    if (!this.#cooldown.isEmpty && this.#cooldown.expire(this.#lanes.isStuck)) {
      step?.("remote", "paused parts are asked again");
      this.#plan = null;
    }
    step?.("remote", `tick ${tick} asked (channel ${this.#lanes.mode})`);
    if (this.#lanes.mode === "plain") return this.#samplePlain(found);
    const answer = await this.#lanes.ask((this.#plan ??= this.#makePlan(found)), tick);
    step?.("remote", answerStep(`tick ${tick}`, answer));
    if (answer.kind === "refused") return { reading: this.#reader.failed(answer.message), latencyMs: 0 };
    const { isWhole, outputs } = answer.frame;
    const reading = isWhole ? this.#read(found, outputs) : await this.#readPartial(found, answer);
    const held = heldTool(found);
    if (held !== null) this.#hold?.sampled(this.#connection, held, answer.frame, reading);
    return { reading, latencyMs: answer.latencyMs };
  }

  /** Ends the input of all that runs on the host; the connection is the owner's. */
  close(): void {
    this.#hold?.release();
    this.#lanes.close();
  }

  // ---- probing

  async #probe(): Promise<Sample> {
    const { clock } = this.#options;
    const ways = { lanes: this.#lanes, commands: this.#commands };
    this.#hold?.release();
    const { found, outputs, firsts, latencyMs, hung } = await discover(ways, this.#options, this.#shims);
    this.#found = found;
    this.#plan = null;
    this.#probedAt = clock.nowMs();
    this.#reprobeAt = this.#probedAt + reprobeAfterMs(found);
    this.#options.step?.("remote", probedStep(found, this.transport, this.channelMode));
    for (const part of hung) this.#coolDown(part, this.#late(), true);
    return { reading: this.#read(found, outputs, firsts), latencyMs };
  }

  /** Probes again on the same connection; a probe that now finds nothing is this tick's failure, not the host's. */
  async #reprobe(): Promise<Sample> {
    const { clock, shims } = this.#options;
    const begun = clock.nowMs();
    this.#options.step?.("remote", "probing again on the same connection");
    try {
      return await this.#probe();
    } catch (error) {
      if (!(error instanceof HostError) || error.failure.phase !== "probe") throw error;
      this.#probedAt = begun;
      this.#reprobeAt = begun + (this.#found === null ? REPROBE_MS : reprobeAfterMs(this.#found));
      this.#shims = shims;
      return { reading: this.#reader.failed(error.message), latencyMs: clock.nowMs() - begun };
    }
  }

  // ---- one tick

  async #readPartial(found: Found, answer: Answer): Promise<Reading> {
    const { outputs } = answer.frame;
    if (answer.kind === "closed" && answer.end.kind === "lost") await this.#throwIfGone();
    const hung = hungPart(outputs);
    if (hung !== null && answer.kind === "stuck") this.#coolDown(hung, this.#late(), true);
    const flooded = answer.kind === "closed" ? floodIn(answer.end) : null;
    if (hung !== null && flooded !== null) return this.#read(found, new Map([...outputs, [hung, flooded]]));
    if (outputs.size === 0) {
      return this.#reader.failed(
        answer.kind === "closed" ? howItEnded(answer.end) : "the host's shell gives no answer",
      );
    }
    return this.#read(found, markCutShort(found, outputs, answer.kind === "stuck" ? this.#late() : null));
  }

  async #samplePlain(found: Found): Promise<Sample> {
    const { clock } = this.#options;
    const begun = clock.nowMs();
    const { system, tools } = (this.#plan ??= this.#makePlan(found));
    try {
      const outputs = await this.#commands.run(system, "");
      for (const { parts, executable } of tools)
        for (const [id, output] of await this.#commands.run(parts, executable)) outputs.set(id, output);
      if (hungPart(outputs) !== null) await this.#throwIfGone();
      this.#options.step?.("remote", `tick answered: ${outputs.size} parts by plain commands`);
      return { reading: this.#read(found, outputs), latencyMs: clock.nowMs() - begun };
    } catch (error) {
      if (!(error instanceof ChannelRefused)) throw error;
      return { reading: this.#reader.failed(error.message), latencyMs: clock.nowMs() - begun };
    }
  }

  #makePlan(found: Found): SessionPlan {
    const { sample, intervalMs } = this.#options;
    const asked = (part: Part): boolean => !this.#cooldown.has(part.id);
    return {
      toolTimeoutSecs: sample.toolTimeoutSecs,
      limiter: found.limiter,
      // Its guard wakes once a deadline, which is dearer than a `timeout` a tick when ticks are rarer.
      isGuarded: (intervalMs ?? Infinity) < sample.toolTimeoutSecs * 1000,
      system: found.system?.parts.filter(asked) ?? [],
      tools: toolsOf(found.sources).flatMap((tool) =>
        tool.kind === "broken"
          ? []
          : [{ parts: tool.sampler.parts.filter(asked), executable: tool.executable }],
      ),
    };
  }

  #read(found: Found, answered: PartOutputs, firsts?: Discovery["firsts"]): Reading {
    const outputs = this.#cooldown.isEmpty ? answered : new Map([...this.#cooldown.outputs, ...answered]);
    const asked = partsOf(found);
    const { reading, health } = this.#reader.read(found, outputs, firsts);
    for (const [part, output] of answered) {
      if (output.end.kind === "timeout") this.#coolDown(part, this.#late(), this.#cooldown.has(part));
      if (output.end.kind === "flooded") this.#coolDown(part, output, false);
    }
    // What a sampler learned may change what it asks.
    if (partsOf(found).some((parts, at) => parts !== asked[at])) this.#plan = null;
    const note = this.#note;
    this.#note = null;
    if (health.kind === "native-failed") this.#giveUpNative(health.message);
    if (health.kind === "outdated") this.#reprobeAt = this.#probedAt + REPROBE_MS;
    if (note === null) return reading;
    return { ...reading, errors: [...failedSections(["gpu"], "error", note), ...reading.errors] };
  }

  // ---- what goes wrong

  #coolDown(part: string, output: PartOutput, holdsShell: boolean): void {
    this.#options.step?.("remote", cooldownStep(part, output));
    this.#cooldown.add(part, output, holdsShell);
    this.#plan = null;
  }

  #late(): PartOutput {
    const afterSecs = this.#options.sample.toolTimeoutSecs;
    return { stdout: "", stderr: "", end: { kind: "timeout", afterSecs, earlier: true } };
  }

  async #throwIfGone(): Promise<void> {
    if (this.#lost === null)
      await new Promise<void>((resolve) => this.#options.clock.after(LOSS_FOLLOWS_MS, resolve));
    if (this.#lost !== null) throw this.#lost;
  }

  /** A native host whose snapshot fails is read with its vendor tool from the next tick on, where it has one. */
  #giveUpNative(why: string): void {
    const now = this.#options.clock.nowMs();
    if (now - this.#nativeGivenUpAt < REPROBE_MS) return;
    this.#nativeGivenUpAt = now;
    this.#shims = this.#shims.filter((shim) => shim.id !== "native");
    this.#reprobeAt = now;
    this.#note = `fell back from all-smi to a vendor tool: ${why}`;
  }
}

/** The one whose driver may be held: at most one tool has a holder. */
function heldTool({ sources }: Found): ChosenTool | null {
  const usable = toolsOf(sources).filter((tool) => tool.kind === "usable");
  return usable.find(({ sampler }) => sampler.holder !== undefined) ?? usable[0] ?? null;
}

function reprobeAfterMs({ sources }: Found): number {
  if (!sources.some(({ kind }) => kind === "broken")) return Infinity;
  const works = sources.some(({ kind, main }) => kind === "usable" && main.shim.id !== "native");
  return works ? REPROBE_BESIDE_MS : REPROBE_MS;
}

/** What each of the host's tools is asked with in a tick. */
function partsOf({ sources }: Found): readonly (readonly Part[])[] {
  return toolsOf(sources).map((tool) => (tool.kind === "broken" ? NO_PARTS : tool.sampler.parts));
}

const NO_PARTS: readonly Part[] = [];
