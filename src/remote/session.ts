/** One probed host: asks it for each tick's reading in whichever way it allows, and recovers from what hangs. */
import { ChannelRefused, type Connection } from "../contract/connection.js";
import { HostError } from "../contract/errors.js";
import type { ChannelMode } from "../contract/record.js";
import { sharedValue } from "../lib/shared-values.js";
import type { Part, PartOutput, PartOutputs, Reading } from "../shims/kit/shim.js";
import { wokenBy } from "./asleep.js";
import { failedSections } from "./compose.js";
import { PartCooldown, ReprobeSchedule } from "./cooldown.js";
import { discover } from "./discover.js";
import type { DriverHold } from "./driver-hold.js";
import type { EventLooks } from "./event-looks.js";
import {
  endMessage,
  floodedOutput,
  hungPart,
  markCutShort,
  unstartedOutput,
  type CutShort,
} from "./ended.js";
import { heldTool, partsOf, type Discovery, type Found, type SessionOptions, type Ways } from "./found.js";
import { HostReader } from "./host-reader.js";
import { factsToWrite, keptFactsIn, type FactsPlace } from "./kept-facts.js";
import { Lanes, type SessionPlan } from "./lanes.js";
import { PlainCommands } from "./plain-commands.js";
import { toolsOf } from "./probe.js";
import { answerStep, cooldownStep, probedStep } from "./steps.js";

export interface Sample {
  readonly reading: Reading;
  /** Command sent to last byte. */
  readonly latencyMs: number;
}

/** When a channel is lost, the connection may be reported lost a moment later. */
const LOSS_FOLLOWS_MS = 100;

/** What belongs to a host, whose sessions follow one another. */
interface OfHost {
  /** Null: its driver is never held. */
  readonly hold: DriverHold | null;
  /** Null: its kernel log is never read. */
  readonly looks: EventLooks | null;
  /** Null: nothing of it is kept between runs. */
  readonly facts: FactsPlace | null;
}

export class HostSession {
  readonly #connection: Connection;
  readonly #options: SessionOptions;
  readonly #hold: DriverHold | null;
  readonly #looks: EventLooks | null;
  readonly #facts: FactsPlace | null;
  readonly #ways: Ways;
  readonly #reader: HostReader;
  readonly #cooldown: PartCooldown;
  readonly #reprobe: ReprobeSchedule;
  #found: Found;
  /** Made anew when the host was probed again, or a part enters or leaves its cooldown. */
  #plan: SessionPlan | null = null;
  #lost: HostError | null = null;

  private constructor(
    connection: Connection,
    options: SessionOptions,
    { hold, looks, facts }: OfHost,
    ways: Ways,
    found: Found,
  ) {
    const { clock, sample, shims } = options;
    this.#connection = connection;
    this.#options = options;
    this.#hold = hold;
    this.#looks = looks;
    this.#facts = facts;
    this.#ways = ways;
    this.#reader = new HostReader(sample, options.intervalMs === null);
    this.#cooldown = new PartCooldown(clock);
    this.#reprobe = new ReprobeSchedule(clock, shims, found);
    this.#found = found;
    // One listener a session: a promise that lives as long as the session keeps whatever each race with it made.
    void connection.lost.then((error) => (this.#lost = error));
  }

  /**
   * Probes the host and takes its first sample. Throws HostError when nothing can be read, or the host is gone.
   */
  static async start(
    connection: Connection,
    options: SessionOptions,
    ofHost: Partial<OfHost> = {},
  ): Promise<{ readonly session: HostSession; readonly first: Sample }> {
    const timing = { clock: options.clock, toolTimeoutSecs: options.sample.toolTimeoutSecs };
    const ways = {
      lanes: new Lanes(connection, timing),
      commands: new PlainCommands(connection, timing),
    };
    const { hold = null, looks = null, facts = null } = ofHost;
    hold?.release();
    const { clock, shims } = options;
    const kept = facts === null ? undefined : keptFactsIn(await facts.read(), shims, clock.wallMs());
    const discovery = await discover(ways, options, shims, kept);
    const session = new HostSession(connection, options, { hold, looks, facts }, ways, discovery.found);
    session.#keep(discovery);
    await looks?.connected(ways.lanes, discovery.found, options);
    return { session, first: session.#firstSample(discovery) };
  }

  /** `native`, a shim's id, or the system's id when no accelerator was asked for. */
  get transport(): string {
    return this.#found.sources[0]?.main.shim.id ?? this.#found.systemId ?? "none";
  }

  get channelMode(): ChannelMode {
    return this.#ways.lanes.mode;
  }

  /** One tick. Never rejects because of a tool; throws HostError when the connection is gone. */
  sample(tick: number): Promise<Sample> {
    const ask = (): Promise<Sample> => this.#sample(tick);
    return this.#looks === null ? ask() : this.#looks.beside(ask, this.#options.intervalMs);
  }

  async #sample(tick: number): Promise<Sample> {
    const { lanes } = this.#ways;
    const { step } = this.#options;
    if (this.#reprobe.isDue && !lanes.isHung) return this.#probeAgain();
    if (!this.#cooldown.isEmpty && this.#cooldown.expire(lanes.isHung)) {
      step?.("remote", "paused parts are asked again");
      this.#plan = null;
    }
    step?.("remote", `tick ${tick} asked (channel ${lanes.mode})`);
    if (lanes.mode === "plain") return this.#samplePlain();
    const answer = await lanes.ask((this.#plan ??= this.#makePlan()), tick);
    step?.("remote", answerStep(`tick ${tick}`, answer));
    const { frame, end, latencyMs, otherOutput } = answer;
    if (end.kind === "refused") return { reading: this.#reader.failed(endMessage(end)), latencyMs };
    const isWhole = frame.isWhole || end.kind === "whole";
    const reading = isWhole
      ? this.#read(frame.outputs)
      : await this.#readCutShort(frame.outputs, end, otherOutput);
    const held = heldTool(this.#found);
    if (held !== null) this.#hold?.sampled(this.#connection, held, frame, reading);
    return { reading, latencyMs };
  }

  /** Ends the input of everything that runs on the host; the connection is the owner's. */
  close(): void {
    this.#hold?.release();
    this.#looks?.disconnected(this.#ways.lanes);
    this.#ways.lanes.close();
  }

  #keep({ learned }: Discovery): void {
    if (learned !== undefined) this.#facts?.write(factsToWrite(learned));
  }

  // ---- probing

  #firstSample({ found, outputs, firsts, latencyMs, hung }: Discovery): Sample {
    this.#options.step?.("remote", probedStep(found, this.transport, this.channelMode));
    for (const part of hung) this.#coolDown(part, this.#timedOutEarlier(), true);
    return { reading: this.#read(outputs, firsts), latencyMs };
  }

  /** Probes again on the same connection. A probe that now finds nothing fails this tick, not the host. */
  async #probeAgain(): Promise<Sample> {
    const { clock } = this.#options;
    const beganAtMs = clock.nowMs();
    this.#options.step?.("remote", "probing again on the same connection");
    this.#hold?.release();
    try {
      const kept = this.#facts === null ? undefined : null;
      const discovery = await discover(this.#ways, this.#options, this.#reprobe.shims, kept);
      this.#keep(discovery);
      this.#found = discovery.found;
      this.#plan = null;
      this.#reprobe.succeeded(discovery.found);
      return this.#firstSample(discovery);
    } catch (error) {
      if (!(error instanceof HostError) || error.failure.phase !== "probe") throw error;
      this.#reprobe.failed(beganAtMs, this.#found);
      return { reading: this.#reader.failed(error.message), latencyMs: clock.nowMs() - beganAtMs };
    }
  }

  // ---- one tick

  async #readCutShort(outputs: PartOutputs, end: CutShort, otherOutput: string): Promise<Reading> {
    if (end.kind === "lost") await this.#throwIfGone();
    const hung = hungPart(outputs);
    if (hung !== null && end.kind === "hung") this.#coolDown(hung, this.#timedOutEarlier(), true);
    const instead = unstartedOutput(end, otherOutput) ?? floodedOutput(end);
    if (hung !== null && instead !== null) return this.#read(new Map([...outputs, [hung, instead]]));
    if (outputs.size === 0) return this.#reader.failed(endMessage(end));
    const late = end.kind === "hung" ? this.#timedOutEarlier() : null;
    return this.#read(markCutShort(this.#found.system, outputs, late));
  }

  async #samplePlain(): Promise<Sample> {
    const { clock } = this.#options;
    const { commands } = this.#ways;
    const startedAt = clock.nowMs();
    const { system, tools } = (this.#plan ??= this.#makePlan());
    try {
      const outputs = await commands.run(system, "");
      for (const { parts, executable } of tools)
        for (const [id, output] of await commands.run(parts, executable)) outputs.set(id, output);
      this.#options.step?.("remote", `tick answered: ${outputs.size} parts by plain commands`);
      if (hungPart(outputs) !== null) await this.#throwIfGone();
      return { reading: this.#read(outputs), latencyMs: clock.nowMs() - startedAt };
    } catch (error) {
      if (!(error instanceof ChannelRefused)) throw error;
      return { reading: this.#reader.failed(error.message), latencyMs: clock.nowMs() - startedAt };
    }
  }

  #makePlan(): SessionPlan {
    const { sample, intervalMs } = this.#options;
    const { limiter, system, sources } = this.#found;
    const isAsked = (part: Part): boolean => !this.#cooldown.has(part.id);
    return sharedValue<SessionPlan>({
      toolTimeoutSecs: sample.toolTimeoutSecs,
      limiter,
      // The guard wakes once a deadline, which costs more than a `timeout` a tick when ticks are rarer.
      isGuarded: (intervalMs ?? Infinity) < sample.toolTimeoutSecs * 1000,
      system: system?.parts.filter(isAsked) ?? [],
      tools: toolsOf(sources).flatMap((tool) =>
        tool.kind === "broken"
          ? []
          : [
              {
                parts: tool.sampler.parts.filter(isAsked),
                executable: tool.executable,
                ...(sample.wakeGpus === true || wokenBy(tool.shim).length === 0
                  ? {}
                  : { unlessAsleep: { shim: tool.shim.id, wakes: wokenBy(tool.shim) } }),
              },
            ],
      ),
    });
  }

  #read(answered: PartOutputs, firsts?: Discovery["firsts"]): Reading {
    const found = this.#found;
    const outputs = this.#cooldown.isEmpty ? answered : new Map([...this.#cooldown.outputs, ...answered]);
    const partsBefore = partsOf(found);
    const { reading, health } = this.#reader.read(found, outputs, firsts);
    for (const [part, output] of answered) {
      if (output.end.kind === "timeout")
        this.#coolDown(part, this.#timedOutEarlier(), this.#cooldown.has(part));
      if (output.end.kind === "flooded") this.#coolDown(part, output, false);
    }
    // A sampler may ask for other parts after what it has read.
    if (partsOf(found).some((parts, at) => parts !== partsBefore[at])) this.#plan = null;
    const note = this.#reprobe.takeNote();
    if (health.kind === "native-failed") this.#reprobe.giveUpNative(health.message);
    if (health.kind === "outdated") this.#reprobe.resultIsOutdated();
    if (note === null) return reading;
    return { ...reading, errors: [...failedSections(["gpu"], "error", note), ...reading.errors] };
  }

  // ---- failures

  #coolDown(part: string, output: PartOutput, holdsShell: boolean): void {
    this.#options.step?.("remote", cooldownStep(part, output));
    this.#cooldown.add(part, output, holdsShell);
    this.#plan = null;
  }

  #timedOutEarlier(): PartOutput {
    const afterSecs = this.#options.sample.toolTimeoutSecs;
    return { stdout: "", stderr: "", end: { kind: "timeout", afterSecs, earlier: true } };
  }

  async #throwIfGone(): Promise<void> {
    if (this.#lost === null)
      await new Promise<void>((resolve) => this.#options.clock.after(LOSS_FOLLOWS_MS, resolve));
    if (this.#lost !== null) throw this.#lost;
  }
}
