/** One probed host: asks it for each tick's reading over whichever lane it allows, and recovers what hangs. */
import { randomBytes } from "node:crypto";
import { HostError } from "../errors.js";
import type { ChannelMode } from "../record.js";
import type { PartOutputs, Reading, Shim } from "../shims/shim.js";
import { ChannelRefused, type Connection } from "../ssh/connection.js";
import { failedSections } from "./compose.js";
import { discover, type Found, type SessionOptions } from "./discover.js";
import { HostReader } from "./host-reader.js";
import { Lane, type Answer, type LaneTiming } from "./lane.js";
import { runPlainParts } from "./plain.js";
import {
  bareShellCommand,
  tickCommand,
  tickDefinitions,
  tickLine,
  type TickPlan,
  type TickScope,
} from "./script.js";

export interface Sample {
  readonly reading: Reading;
  /** Command sent to last byte. */
  readonly latencyMs: number;
}

/** A tool that ran into its deadline is left alone for this long, so that the host's other sections keep their beat. */
const QUARANTINE_MS = 30_000;
/** A tool that is there and fails is asked again at this pace: drivers get loaded. */
const REPROBE_MS = 60_000;

type Asked = Answer | { readonly kind: "refused"; readonly message: string };

export class HostSession {
  readonly #connection: Connection;
  readonly #options: SessionOptions;
  readonly #timing: LaneTiming;
  readonly #reader: HostReader;
  readonly #nonce = randomBytes(6).toString("hex");
  #shims: readonly Shim[];
  #found: Found | null = null;
  #lane: Lane | null = null;
  /** The lane's shell knows the tick functions. */
  #isDefined = false;
  /** A lane whose shell hangs in a tool; the host's own sections go over another one meanwhile. */
  #stuck: Lane | null = null;
  #quarantinedUntil = 0;
  #reprobeAt: number | null = null;
  /** Said once, in the next reading. */
  #note: string | null = null;

  private constructor(connection: Connection, options: SessionOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#timing = { clock: options.clock, toolTimeoutSecs: options.sample.toolTimeoutSecs };
    this.#reader = new HostReader(options.sample);
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
    if (answer.kind === "refused") return { reading: this.#reader.failed(answer.message), latencyMs: 0 };
    if (answer.kind === "stuck") this.#setAside();
    if (answer.kind === "closed" && !answer.frame.isWhole) {
      return { reading: this.#reader.failed(closedMessage(answer)), latencyMs: answer.latencyMs };
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
    this.#lane?.abandon();
    this.#lane = null;
    this.#isDefined = false;
    const { found, outputs, latencyMs, lane } = await discover(
      this.#connection,
      this.#options,
      this.#shims,
      this.#nonce,
    );
    this.#found = found;
    this.#lane = lane;
    if (lane?.status === "stuck") this.#setAside();
    this.#reprobeAt = found.tool.kind === "broken" ? this.#options.clock.nowMs() + REPROBE_MS : null;
    return { reading: this.#read(found, outputs, "all"), latencyMs };
  }

  /** Probes again on the same connection; a probe that now finds nothing is this tick's failure, not the host's. */
  async #reprobe(): Promise<Sample> {
    const begun = this.#options.clock.nowMs();
    try {
      return await this.#probe();
    } catch (error) {
      if (!(error instanceof HostError) || error.failure.phase !== "probe") throw error;
      this.#reprobeAt = begun + REPROBE_MS;
      this.#shims = this.#options.shims;
      return { reading: this.#reader.failed(error.message), latencyMs: this.#options.clock.nowMs() - begun };
    }
  }

  // ---- one tick

  #scope(found: Found): TickScope {
    if (found.tool.kind !== "usable") return "system";
    if (this.#stuck?.status === "stuck") return "system";
    if (this.#stuck !== null) {
      // The hung tool has ended at last: its lane is whole again, and the stand-in may go.
      this.#lane?.abandon();
      this.#lane = this.#stuck.status === "idle" ? this.#stuck : null;
      this.#isDefined = this.#lane !== null;
      this.#stuck = null;
    }
    return this.#options.clock.nowMs() < this.#quarantinedUntil ? "system" : "all";
  }

  /** Leaves the tool alone for a while, and a shell that hangs in it for as long as it hangs. */
  #setAside(): void {
    this.#quarantinedUntil = this.#options.clock.nowMs() + QUARANTINE_MS;
    if (this.#lane?.status !== "stuck" || this.#stuck !== null) return;
    this.#stuck = this.#lane;
    this.#lane = null;
    this.#isDefined = false;
  }

  async #ask(found: Found, scope: TickScope, tick: number): Promise<Asked> {
    const plan = this.#tickPlan(found);
    try {
      if (this.#lane?.status === "stuck") return { kind: "refused", message: "the remote shell hangs" };
      const isDismissed = this.#lane?.status === "closed" && !this.#isDefined;
      if (found.mode === "exec" || isDismissed) return await this.#askByExec(found, plan, scope, tick);
      if (this.#lane === null || this.#lane.status === "closed") {
        this.#lane = await Lane.open(this.#connection, bareShellCommand(), this.#nonce, this.#timing);
        this.#isDefined = false;
      }
      const definitions = this.#isDefined ? "" : tickDefinitions(plan);
      const answer = await this.#lane.ask(definitions + tickLine(scope, tick), tick);
      if (
        answer.kind === "closed" &&
        !answer.frame.isWhole &&
        !this.#isDefined &&
        answer.end.kind !== "lost"
      ) {
        return await this.#askByExec(found, plan, scope, tick);
      }
      this.#isDefined = answer.kind !== "closed";
      return answer;
    } catch (error) {
      if (error instanceof ChannelRefused) return { kind: "refused", message: error.message };
      throw error;
    }
  }

  /** The shell that should stay was not allowed to: from now on each tick is an exec of its own. */
  async #askByExec(found: Found, plan: TickPlan, scope: TickScope, tick: number): Promise<Answer> {
    this.#found = { ...found, mode: "exec" };
    const command = tickCommand(plan, scope, tick);
    const { lane, answer } = await Lane.openAsking(
      this.#connection,
      command,
      this.#nonce,
      this.#timing,
      tick,
    );
    this.#lane = lane;
    return answer;
  }

  async #samplePlain(found: Found): Promise<Sample> {
    const { clock } = this.#options;
    const begun = clock.nowMs();
    const tool = found.tool.kind === "usable" ? found.tool : null;
    const parts = [...(found.system?.parts ?? []), ...(tool?.sampler.parts ?? [])];
    try {
      const outputs = await runPlainParts(this.#connection, parts, tool?.executable ?? "", this.#timing);
      return { reading: this.#read(found, outputs, "all"), latencyMs: clock.nowMs() - begun };
    } catch (error) {
      if (!(error instanceof ChannelRefused)) throw error;
      return { reading: this.#reader.failed(error.message), latencyMs: clock.nowMs() - begun };
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

  #read(found: Found, outputs: PartOutputs, scope: TickScope): Reading {
    const whyNot = `${this.transport} hung in an earlier tick; it is asked again after ${QUARANTINE_MS / 1000} s`;
    const note = this.#note;
    this.#note = null;
    const { reading, health } = this.#reader.read(found, outputs, scope, whyNot);
    if (health.kind === "hung") this.#setAside();
    if (health.kind === "native-failed") this.#giveUpNative(health.message);
    if (note === null) return reading;
    return { ...reading, errors: [...failedSections(["gpu"], "error", note), ...reading.errors] };
  }

  /** A native host whose snapshot fails is read with its vendor tool from the next tick on. */
  #giveUpNative(why: string): void {
    this.#shims = this.#shims.filter((shim) => shim.id !== "native");
    this.#reprobeAt = this.#options.clock.nowMs();
    this.#note = `fell back from all-smi to a vendor tool: ${why}`;
  }
}

function closedMessage({ end }: Answer & { readonly kind: "closed" }): string {
  if (end.kind === "exit") return `the remote shell ended with exit code ${end.code}`;
  if (end.kind === "signal") return `the remote shell was ended by ${end.signal}`;
  return "the channel was lost before the answer came";
}
