/** The first exec on a host: which tool and which operating system it is read with, and the answers of a first sample. */
import { HostError } from "../errors.js";
import type { Clock } from "../lib/clock.js";
import type { SampleOptions } from "../options.js";
import type { Section } from "../record.js";
import type { PartOutput, PartOutputs, ProbeContext, Sampler, Shim } from "../shims/shim.js";
import { ChannelRefused } from "../ssh/connection.js";
import type { HostSystem } from "../system/host-system.js";
import { MORE_THAN_A_FRAME } from "./answer-bounds.js";
import { TOOL_SECTIONS } from "./compose.js";
import type { Limiter } from "./bounds.js";
import type { Answer, LaneEnd } from "./lane.js";
import type { Lanes } from "./lanes.js";
import { loginDenial, unlessDenied } from "./login-denial.js";
import { probePlain, type PlainCommands } from "./plain.js";
import { bestFallback, candidatesOf, judgeFound, type ChosenTool, type Fallback } from "./probe.js";
import { bootstrapCommand } from "./script.js";

export interface SessionOptions {
  readonly sample: SampleOptions;
  /** In the order in which they are tried. */
  readonly shims: readonly Shim[];
  readonly systems: readonly HostSystem[];
  /** Systems without a POSIX shell, read by plain commands. */
  readonly plainSystems: readonly HostSystem[];
  readonly clock: Clock;
  /** Between ticks. Null for a run of one: no shell is left open. */
  readonly intervalMs: number | null;
}

/** What a host is read with. */
export interface Found {
  readonly tool: ChosenTool;
  readonly system: Sampler | null;
  readonly systemId: string | null;
  readonly limiter: Limiter;
}

export interface Discovery {
  readonly found: Found;
  /** Answers of every part that was asked: a first sample is among them. */
  readonly outputs: PartOutputs;
  readonly latencyMs: number;
  /** Parts that a shell still hangs in. */
  readonly hung: readonly string[];
}

/** The ways to ask a host. */
export interface Ways {
  readonly lanes: Lanes;
  readonly commands: PlainCommands;
}

/**
 * Asks a host what it can tell, trying `shims` in order, and leaves a shell for the ticks in `ways` where the host allows
 * one. Throws HostError of the probe phase when it can tell nothing, and what Connection.open throws when it is gone.
 */
export async function discover(
  ways: Ways,
  options: SessionOptions,
  shims: readonly Shim[],
): Promise<Discovery> {
  try {
    return await discoverByScript(ways, options, shims);
  } catch (error) {
    ways.lanes.close();
    if (!(error instanceof ChannelRefused)) throw error;
    throw new HostError("no-tool", "probe", `the server runs no command for us: ${error.message}`, {
      fix: "see sshd_config on the host for what this account may do (ForceCommand, MaxSessions)",
    });
  }
}

async function discoverByScript(
  ways: Ways,
  options: SessionOptions,
  shims: readonly Shim[],
): Promise<Discovery> {
  const { lanes } = ways;
  const { sample, systems } = options;
  const context: ProbeContext = { include: sample.include, mode: "shell" };
  const fallbacks: Fallback[] = [];
  const tried = TOOL_SECTIONS.some((section) => sample.include.has(section)) ? shims : [];
  let toTry = tried;
  let latencyMs = 0;
  /** A part of the host's own that hung the first shell. */
  let left: string | null = null;
  for (;;) {
    const command = firstCommand(options, toTry, left, lanes.nonce);
    const wasStuck = lanes.isStuck;
    const answer = await lanes.begin(command, 0);
    latencyMs += answer.latencyMs;
    const { frame } = answer;
    if (frame.uname === null && frame.limiter === null) {
      if (answer.kind === "stuck") throw probeTimeout(answer);
      if (answer.kind === "closed" && (answer.end.kind === "signal" || answer.end.kind === "flooded"))
        throw shellDied(answer);
      const said = answer.kind === "closed" ? `${answer.preamble}\n${answer.stderr}` : "";
      const denial = loginDenial(said, answer.kind === "closed" ? answer.end : null);
      if (denial?.isCertain === true) throw denial.error;
      return unlessDenied(discoverPlain(ways, options, shims, said), denial);
    }
    if (answer.kind === "stuck" && !wasStuck && left === null) {
      const hung = hungPart(frame.outputs);
      const isOwn = systems.some((each) => each.probe(sample.include).some((part) => part.id === hung));
      if (hung !== null && isOwn) {
        left = hung;
        continue;
      }
    }
    const judged = judgeFound(toTry, frame.found, frame.outputs, context);
    fallbacks.push(...judged.fallbacks);
    if (judged.usable === null && judged.others.length > 0) {
      toTry = judged.others;
      continue;
    }
    if (!frame.isWhole && frame.found.length === 0)
      throw answer.kind === "closed" ? shellDied(answer) : probeTimeout(answer);
    const system = systems.find((each) => each.uname === frame.uname) ?? null;
    const isBare = tried.length === 0 && system !== null;
    const tool = judged.usable ?? (isBare ? { kind: "none" } : bestFallback(fallbacks, tried, ""));
    const own = isNative(tool) ? besideNative(system, sample.include) : sample.include;
    const found: Found = {
      tool,
      system: system === null || own.size === 0 ? null : system.sampler(frame.outputs, own),
      systemId: system?.id ?? null,
      limiter: frame.limiter ?? "watchdog",
    };
    const hung = answer.kind === "stuck" ? hungPart(frame.outputs) : null;
    return { found, outputs: frame.outputs, latencyMs, hung: [left, hung].filter((part) => part !== null) };
  }
}

/** The part in which a shell hangs: it has begun and not ended. */
export function hungPart(outputs: PartOutputs): string | null {
  for (const [id, { end }] of outputs) if (end.kind === "missing") return id;
  return null;
}

/** `said` is what the host answered to the bootstrap. */
async function discoverPlain(
  { lanes, commands }: Ways,
  { sample, plainSystems, clock }: SessionOptions,
  shims: readonly Shim[],
  said: string,
): Promise<Discovery> {
  const context: ProbeContext = { include: sample.include, mode: "plain" };
  const begun = clock.nowMs();
  lanes.plain();
  const probed = await probePlain(commands, shims, context, said);
  const judged = judgeFound(shims, probed.found, probed.outputs, context);
  const tool = judged.usable ?? bestFallback(judged.fallbacks, shims, said);
  const system = isNative(tool)
    ? null
    : (plainSystems.find((each) => each.id === plainSystemId(said)) ?? null);
  const outputs = new Map<string, PartOutput>(probed.outputs);
  const own = system?.probe(sample.include) ?? [];
  for (const [id, output] of await commands.run(own, "")) outputs.set(id, output);
  const found: Found = {
    tool,
    system: system?.sampler(outputs, sample.include) ?? null,
    systemId: system?.id ?? null,
    limiter: "watchdog",
  };
  return { found, outputs, latencyMs: clock.nowMs() - begun, hung: [] };
}

export function isNative(tool: ChosenTool): boolean {
  return tool.kind !== "none" && tool.shim.id === "native";
}

/** cmd.exe and PowerShell, asked to `exec`, answer in these words. */
function plainSystemId(said: string): string | null {
  return /is not recognized as (an internal|the name of)/.test(said) ? "windows" : null;
}

/** What a Linux host is asked beside a native all-smi: a snapshot's processor load there is the average since boot. */
function besideNative(system: HostSystem | null, include: ReadonlySet<Section>): ReadonlySet<Section> {
  return new Set<Section>(system?.id === "linux" && include.has("cpu") ? ["cpu"] : []);
}

/** For a shell that ended before its answer did. */
export function howItEnded(end: LaneEnd): string {
  switch (end.kind) {
    case "exit":
      return `the remote shell ended with exit code ${end.code}`;
    case "signal":
      return `the remote shell was ended by ${end.signal}`;
    case "flooded":
      return `the host sent ${MORE_THAN_A_FRAME} for one tick`;
    case "lost":
      return "the channel was lost before the answer came";
  }
}

function shellDied(answer: Answer & { readonly kind: "closed" }): HostError {
  return new HostError("connection-lost", "probe", howItEnded(answer.end));
}

function probeTimeout(answer: Answer): HostError {
  const secs = Math.round(answer.latencyMs / 1000);
  return new HostError("probe-timeout", "probe", `the host's shell gave no answer within ${secs} s`, {
    fix: "see whether the login shell's rc files or the home directory hang",
  });
}

/** Hosts of a run are asked the same but for the nonce: ten kilobytes that are put together and checked once. */
const COMMANDS = new WeakMap<SessionOptions, Map<string, string>>();
const ANY_NONCE = "any";

function firstCommand(
  options: SessionOptions,
  shims: readonly Shim[],
  left: string | null,
  nonce: string,
): string {
  const known = COMMANDS.get(options) ?? new Map<string, string>();
  COMMANDS.set(options, known);
  const key = [left, ...shims.map((shim) => shim.id)].join(" ");
  const { sample, systems, intervalMs } = options;
  const command =
    known.get(key) ??
    bootstrapCommand({
      nonce: ANY_NONCE,
      toolTimeoutSecs: sample.toolTimeoutSecs,
      systems: systems.map((each) => ({
        uname: each.uname,
        probe: each.probe(sample.include).filter((part) => part.id !== left),
      })),
      candidates: candidatesOf(shims, { include: sample.include, mode: "shell" }),
      stay: intervalMs !== null,
    });
  known.set(key, command);
  return command.replace(`N=${ANY_NONCE};`, `N=${nonce};`);
}
