/** One probed host: asks it for each tick's reading over whichever lane it allows, and recovers what hangs. */
import { randomBytes } from "node:crypto";
import { HostError } from "../errors.js";
import type { Clock } from "../lib/clock.js";
import type { SampleOptions } from "../options.js";
import { SECTIONS, type ChannelMode, type Section } from "../record.js";
import type { PartOutputs, ProbeContext, Reading, Sampler, Shim } from "../shims/shim.js";
import { ChannelRefused, type Connection } from "../ssh/connection.js";
import type { HostSystem } from "../system/host-system.js";
import { createPsReader } from "../system/ps.js";
import { composeReading, failedSections, readSampler, TOOL_SECTIONS } from "./compose.js";
import { Lane, type Answer, type LaneTiming } from "./lane.js";
import { probePlain, runPlainParts } from "./plain.js";
import { bestFallback, candidatesOf, judgeFound, type ChosenTool, type Fallback } from "./probe.js";
import {
  bareShellCommand,
  bootstrapCommand,
  tickCommand,
  tickDefinitions,
  tickLine,
  type Limiter,
  type TickPlan,
  type TickScope,
} from "./script.js";

export interface SessionOptions {
  readonly sample: SampleOptions;
  /** In the order in which they are tried. */
  readonly shims: readonly Shim[];
  readonly systems: readonly HostSystem[];
  readonly clock: Clock;
  /** False for a run of one tick: no shell is left open. */
  readonly stay: boolean;
}

export interface Sample {
  readonly reading: Reading;
  /** Command sent to last byte. */
  readonly latencyMs: number;
}

/** A tool that ran into its deadline is left alone for this long, so that the host's other sections keep their beat. */
const QUARANTINE_MS = 30_000;
/** A tool that is there and fails is asked again at this pace: drivers get loaded. */
const REPROBE_MS = 60_000;

/** What the probe settled about a host. */
interface Found {
  readonly tool: ChosenTool;
  readonly system: Sampler | null;
  readonly systemId: string | null;
  readonly limiter: Limiter;
  readonly mode: ChannelMode;
}

export class HostSession {
  readonly #connection: Connection;
  readonly #options: SessionOptions;
  readonly #timing: LaneTiming;
  readonly #nonce = randomBytes(6).toString("hex");
  #shims: readonly Shim[];
  #found: Found | null = null;
  #lane: Lane | null = null;
  #isDefined = false;
  /** A lane whose shell hangs in a tool; the host's own sections go over another one meanwhile. */
  #stuck: Lane | null = null;
  #quarantinedUntil = 0;
  #reprobeAt: number | null = null;
  #note: string | null = null;
  readonly #ps = createPsReader();

  private constructor(connection: Connection, options: SessionOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#timing = { clock: options.clock, toolTimeoutSecs: options.sample.toolTimeoutSecs };
    this.#shims = options.shims;
  }

  /** Probes the host and takes its first sample. Throws HostError (probe phase) when it can tell nothing. */
  static async start(
    connection: Connection,
    options: SessionOptions,
  ): Promise<{ readonly session: HostSession; readonly first: Sample }> {
    const session = new HostSession(connection, options);
    return { session, first: await session.#probe() };
  }

  /** `native`, a shim's id, or the system's id when no accelerator was asked for. */
  get transport(): string {
    const tool = this.#found?.tool;
    return tool === undefined || tool.kind === "none" ? (this.#found?.systemId ?? "none") : tool.shim.id;
  }

  get channelMode(): ChannelMode {
    return this.#found?.mode ?? "session";
  }

  /** One tick. Never rejects for what tools do; throws HostError when the connection is gone. */
  async sample(tick: number): Promise<Sample> {
    const found = this.#found;
    if (found === null || (this.#reprobeAt !== null && this.#options.clock.nowMs() >= this.#reprobeAt)) {
      return this.#reprobe();
    }
    if (found.mode === "plain") return this.#samplePlain(found);
    const scope = this.#scope(found);
    const answer = await this.#ask(found, scope, tick);
    if (answer.kind === "refused") return this.#failed(answer.message, 0);
    if (answer.kind === "stuck") this.#quarantine();
    if (answer.kind === "closed" && !answer.frame.isWhole) {
      return this.#failed(closedMessage(answer), answer.latencyMs);
    }
    return { reading: this.#read(found, answer.frame.outputs, scope), latencyMs: answer.latencyMs };
  }

  /** Ends the remote shells' input; the connection is the owner's. */
  close(): void {
    this.#lane?.abandon();
    this.#stuck?.abandon();
  }

  // ---- probing

  async #probe(): Promise<Sample> {
    const { sample, systems, clock, stay } = this.#options;
    const context: ProbeContext = { include: sample.include, mode: "shell" };
    const fallbacks: Fallback[] = [];
    let shims = TOOL_SECTIONS.some((section) => sample.include.has(section)) ? this.#shims : [];
    const tried = shims;
    let latencyMs = 0;
    for (;;) {
      this.#lane?.abandon();
      const plan = {
        nonce: this.#nonce,
        toolTimeoutSecs: sample.toolTimeoutSecs,
        systems: systems.map((each) => ({ uname: each.uname, probe: each.probe(sample.include) })),
        candidates: candidatesOf(shims, context),
        complete: ["native"],
        stay,
      };
      const { lane, answer } = await this.#openAsking(bootstrapCommand(plan), 0);
      this.#lane = lane;
      this.#isDefined = false;
      latencyMs += answer.latencyMs;
      const { frame } = answer;
      if (frame.uname === null && frame.limiter === null) {
        if (answer.kind === "closed") return this.#probePlain(`${answer.preamble}\n${answer.stderr}`);
        throw this.#probeTimeout(answer);
      }
      const judged = judgeFound(shims, frame.found, frame.outputs, context);
      fallbacks.push(...judged.fallbacks);
      if (judged.usable === null && judged.others.length > 0) {
        shims = judged.others;
        continue;
      }
      if (answer.kind === "stuck") this.#quarantine();
      const system = systems.find((each) => each.uname === frame.uname) ?? null;
      const tool: ChosenTool =
        judged.usable ??
        (tried.length === 0 && system !== null ? { kind: "none" } : bestFallback(fallbacks, tried, ""));
      this.#reprobeAt = tool.kind === "broken" ? clock.nowMs() + REPROBE_MS : null;
      const isComplete = tool.kind === "usable" && tool.shim.id === "native";
      this.#found = {
        tool,
        system: system === null || isComplete ? null : system.sampler(frame.outputs, sample.include),
        systemId: system?.id ?? null,
        limiter: frame.limiter ?? "watchdog",
        mode: "session",
      };
      return { reading: this.#read(this.#found, frame.outputs, "all"), latencyMs };
    }
  }

  async #probePlain(said: string): Promise<Sample> {
    const { sample, clock } = this.#options;
    const context: ProbeContext = { include: sample.include, mode: "plain" };
    const begun = clock.nowMs();
    const { found, outputs } = await probePlain(this.#connection, this.#shims, context, said, {
      clock,
      toolTimeoutSecs: sample.toolTimeoutSecs,
    });
    const judged = judgeFound(this.#shims, found, outputs, context);
    const tool = judged.usable ?? bestFallback(judged.fallbacks, this.#shims, said);
    this.#reprobeAt = tool.kind === "broken" ? clock.nowMs() + REPROBE_MS : null;
    this.#found = { tool, system: null, systemId: null, limiter: "watchdog", mode: "plain" };
    return { reading: this.#read(this.#found, outputs, "all"), latencyMs: clock.nowMs() - begun };
  }

  /** Probes again on the same connection; a probe that now finds nothing is this tick's failure, not the host's. */
  async #reprobe(): Promise<Sample> {
    const begun = this.#options.clock.nowMs();
    try {
      const first = await this.#probe();
      return first;
    } catch (error) {
      if (!(error instanceof HostError) || error.failure.phase !== "probe") throw error;
      this.#reprobeAt = begun + REPROBE_MS;
      this.#shims = this.#options.shims;
      return this.#failed(error.message, this.#options.clock.nowMs() - begun);
    }
  }

  #probeTimeout(answer: Answer): HostError {
    this.#lane?.abandon();
    const secs = Math.round(answer.latencyMs / 1000);
    return new HostError("probe-timeout", "probe", `the host's shell gave no answer within ${secs} s`, {
      fix: "see whether the login shell's rc files or the home directory hang",
    });
  }

  // ---- one tick

  #scope(found: Found): TickScope {
    if (found.tool.kind !== "usable") return "system";
    if (this.#stuck !== null) {
      if (this.#stuck.status === "stuck") return "system";
      // The hung tool has ended at last: its lane is whole again, and the stand-in may go.
      this.#lane?.abandon();
      this.#lane = this.#stuck.status === "idle" ? this.#stuck : null;
      this.#isDefined = this.#lane !== null;
      this.#stuck = null;
    }
    return this.#options.clock.nowMs() < this.#quarantinedUntil ? "system" : "all";
  }

  #quarantine(): void {
    this.#quarantinedUntil = this.#options.clock.nowMs() + QUARANTINE_MS;
    if (this.#lane?.status === "stuck" && this.#stuck === null) {
      this.#stuck = this.#lane;
      this.#lane = null;
      this.#isDefined = false;
    }
  }

  async #ask(
    found: Found,
    scope: TickScope,
    tick: number,
  ): Promise<Answer | { readonly kind: "refused"; readonly message: string }> {
    const plan = this.#tickPlan(found);
    try {
      if (found.mode === "exec") {
        const { lane, answer } = await this.#openAsking(tickCommand(plan, scope, tick), tick);
        this.#lane = lane;
        return answer;
      }
      if (this.#lane?.status === "stuck") return { kind: "refused", message: "the remote shell hangs" };
      if (this.#lane?.status === "closed" && !this.#isDefined) {
        // The shell that the bootstrap should have left was not allowed to stay.
        this.#found = { ...found, mode: "exec" };
        return await this.#ask(this.#found, scope, tick);
      }
      if (this.#lane === null || this.#lane.status === "closed") {
        this.#lane = await Lane.open(this.#connection, bareShellCommand(), this.#nonce, this.#timing);
        this.#isDefined = false;
      }
      const definitions = this.#isDefined ? "" : tickDefinitions(plan);
      const answer = await this.#lane.ask(definitions + tickLine(scope, tick), tick);
      if (
        answer.kind === "closed" &&
        !this.#isDefined &&
        !answer.frame.isWhole &&
        answer.end.kind !== "lost"
      ) {
        this.#found = { ...found, mode: "exec" };
        return await this.#ask(this.#found, scope, tick);
      }
      this.#isDefined = answer.kind !== "closed";
      return answer;
    } catch (error) {
      if (error instanceof ChannelRefused) return { kind: "refused", message: error.message };
      throw error;
    }
  }

  #tickPlan(found: Found): TickPlan {
    const tool = found.tool.kind === "usable" ? found.tool : null;
    return {
      nonce: this.#nonce,
      toolTimeoutSecs: this.#options.sample.toolTimeoutSecs,
      limiter: found.limiter,
      system: found.system?.parts ?? [],
      tool: tool?.sampler.parts ?? [],
      executable: tool?.executable ?? null,
    };
  }

  async #samplePlain(found: Found): Promise<Sample> {
    const { clock } = this.#options;
    if (found.tool.kind !== "usable")
      return { reading: this.#read(found, new Map(), "system"), latencyMs: 0 };
    const begun = clock.nowMs();
    const { sampler, executable } = found.tool;
    try {
      const outputs = await runPlainParts(this.#connection, sampler.parts, executable, this.#timing);
      return { reading: this.#read(found, outputs, "all"), latencyMs: clock.nowMs() - begun };
    } catch (error) {
      if (error instanceof ChannelRefused) return this.#failed(error.message, clock.nowMs() - begun);
      throw error;
    }
  }

  async #openAsking(
    command: string,
    tick: number,
  ): Promise<{ readonly lane: Lane; readonly answer: Answer }> {
    return Lane.openAsking(this.#connection, command, this.#nonce, this.#timing, tick);
  }

  // ---- reading

  #read(found: Found, outputs: PartOutputs, scope: TickScope): Reading {
    const { include } = this.#options.sample;
    const asked = SECTIONS.filter((section) => include.has(section));
    const own = asked.filter((section) => !TOOL_SECTIONS.includes(section));
    const empty: Reading = { sections: {}, errors: [] };
    const note = this.#note;
    this.#note = null;
    const system = found.system === null ? empty : readSampler(found.system, outputs, own);
    const tool = this.#readTool(found.tool, outputs, scope, asked);
    const ps = include.has("process") ? this.#ps.read(outputs) : new Map<number, never>();
    const reading = composeReading(this.#options.sample, { system, tool, ps });
    return note === null
      ? reading
      : { ...reading, errors: [...failedSections(["gpu"], "error", note), ...reading.errors] };
  }

  #readTool(tool: ChosenTool, outputs: PartOutputs, scope: TickScope, asked: readonly Section[]): Reading {
    const none: Reading = { sections: {}, errors: [] };
    if (tool.kind === "none") return none;
    const told =
      tool.shim.id === "native" ? asked : asked.filter((section) => TOOL_SECTIONS.includes(section));
    if (tool.kind === "broken") {
      return {
        sections: {},
        errors: failedSections(told, tool.isTimeout ? "timeout" : "error", tool.message),
      };
    }
    if (scope === "system") {
      const message = `${tool.shim.id} hung in an earlier tick; it is asked again after ${QUARANTINE_MS / 1000} s`;
      return { sections: {}, errors: failedSections(told, "timeout", message) };
    }
    const reading = readSampler(tool.sampler, outputs, told);
    if (tool.sampler.parts.some((part) => outputs.get(part.id)?.end.kind === "timeout")) this.#quarantine();
    if (tool.shim.id === "native" && isEmpty(reading) && reading.errors.length > 0)
      this.#giveUpNative(reading);
    return reading;
  }

  /** A native host whose snapshot fails is read with its vendor tool from the next tick on. */
  #giveUpNative(reading: Reading): void {
    this.#shims = this.#shims.filter((shim) => shim.id !== "native");
    this.#quarantinedUntil = 0;
    this.#reprobeAt = this.#options.clock.nowMs();
    const why = reading.errors[0]?.message ?? "its snapshot failed";
    this.#note = `fell back from all-smi to a vendor tool: ${why}`;
  }

  #failed(message: string, latencyMs: number): Sample {
    const asked = SECTIONS.filter((section) => this.#options.sample.include.has(section));
    return { reading: { sections: {}, errors: failedSections(asked, "error", message) }, latencyMs };
  }
}

function isEmpty(reading: Reading): boolean {
  return Object.values(reading.sections).every(
    (devices: readonly unknown[] | undefined) => (devices?.length ?? 0) === 0,
  );
}

function closedMessage(answer: Answer & { readonly kind: "closed" }): string {
  const { end } = answer;
  if (end.kind === "exit") return `the remote shell ended with exit code ${end.code}`;
  if (end.kind === "signal") return `the remote shell was ended by ${end.signal}`;
  return "the channel was lost before the answer came";
}
