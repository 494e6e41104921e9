/** The first exec on a host: which tool and which operating system it is read with, and the answers of a first sample. */
import { HostError } from "../errors.js";
import type { Clock } from "../lib/clock.js";
import type { SampleOptions } from "../options.js";
import type { ChannelMode, Section } from "../record.js";
import type { PartOutput, PartOutputs, ProbeContext, Sampler, Shim } from "../shims/shim.js";
import type { Connection } from "../ssh/connection.js";
import type { HostSystem } from "../system/host-system.js";
import { TOOL_SECTIONS } from "./compose.js";
import { Lane, type Answer, type LaneTiming } from "./lane.js";
import { probePlain, runPlainParts } from "./plain.js";
import { bestFallback, candidatesOf, judgeFound, type ChosenTool, type Fallback } from "./probe.js";
import { bootstrapCommand, type Limiter } from "./script.js";

export interface SessionOptions {
  readonly sample: SampleOptions;
  /** In the order in which they are tried. */
  readonly shims: readonly Shim[];
  readonly systems: readonly HostSystem[];
  /** Systems without a POSIX shell, read by plain commands. */
  readonly plainSystems: readonly HostSystem[];
  readonly clock: Clock;
  /** False for a run of one tick: no shell is left open. */
  readonly stay: boolean;
}

/** What a host is read with. */
export interface Found {
  readonly tool: ChosenTool;
  readonly system: Sampler | null;
  readonly systemId: string | null;
  readonly limiter: Limiter;
  readonly mode: ChannelMode;
}

export interface Discovery {
  readonly found: Found;
  /** Answers of every part that was asked: a first sample is among them. */
  readonly outputs: PartOutputs;
  readonly latencyMs: number;
  /** The channel, on which a bare shell waits; null in plain mode. */
  readonly lane: Lane | null;
}

/**
 * Asks a host what it can tell, trying `shims` in order. Throws HostError of the probe phase when it can tell nothing,
 * and what Connection.open throws.
 */
export async function discover(
  connection: Connection,
  options: SessionOptions,
  shims: readonly Shim[],
  nonce: string,
): Promise<Discovery> {
  const { sample, systems, clock } = options;
  const context: ProbeContext = { include: sample.include, mode: "shell" };
  const timing: LaneTiming = { clock, toolTimeoutSecs: sample.toolTimeoutSecs };
  const fallbacks: Fallback[] = [];
  const tried = TOOL_SECTIONS.some((section) => sample.include.has(section)) ? shims : [];
  let toTry = tried;
  let latencyMs = 0;
  for (;;) {
    const command = bootstrapCommand({
      nonce,
      toolTimeoutSecs: sample.toolTimeoutSecs,
      systems: systems.map((each) => ({ uname: each.uname, probe: each.probe(sample.include) })),
      candidates: candidatesOf(toTry, context),
      stay: options.stay,
    });
    const { lane, answer } = await Lane.openAsking(connection, command, nonce, timing, 0);
    latencyMs += answer.latencyMs;
    const { frame } = answer;
    if (frame.uname === null && frame.limiter === null) {
      if (answer.kind === "closed") {
        return discoverPlain(connection, options, shims, `${answer.preamble}\n${answer.stderr}`, timing);
      }
      lane.abandon();
      throw probeTimeout(answer);
    }
    const judged = judgeFound(toTry, frame.found, frame.outputs, context);
    fallbacks.push(...judged.fallbacks);
    if (judged.usable === null && judged.others.length > 0) {
      toTry = judged.others;
      lane.abandon();
      continue;
    }
    const system = systems.find((each) => each.uname === frame.uname) ?? null;
    const isBare = tried.length === 0 && system !== null;
    const tool = judged.usable ?? (isBare ? { kind: "none" } : bestFallback(fallbacks, tried, ""));
    const own = isNative(tool) ? besideNative(system, sample.include) : sample.include;
    const found: Found = {
      tool,
      system: system === null || own.size === 0 ? null : system.sampler(frame.outputs, own),
      systemId: system?.id ?? null,
      limiter: frame.limiter ?? "watchdog",
      mode: "session",
    };
    return { found, outputs: frame.outputs, latencyMs, lane };
  }
}

/** `said` is what the host answered to the bootstrap. */
async function discoverPlain(
  connection: Connection,
  { sample, plainSystems, clock }: SessionOptions,
  shims: readonly Shim[],
  said: string,
  timing: LaneTiming,
): Promise<Discovery> {
  const context: ProbeContext = { include: sample.include, mode: "plain" };
  const begun = clock.nowMs();
  const probed = await probePlain(connection, shims, context, said, timing);
  const judged = judgeFound(shims, probed.found, probed.outputs, context);
  const tool = judged.usable ?? bestFallback(judged.fallbacks, shims, said);
  const system = isNative(tool)
    ? null
    : (plainSystems.find((each) => each.id === plainSystemId(said)) ?? null);
  const outputs = new Map<string, PartOutput>(probed.outputs);
  const own = system?.probe(sample.include) ?? [];
  for (const [id, output] of await runPlainParts(connection, own, "", timing)) outputs.set(id, output);
  const found: Found = {
    tool,
    system: system?.sampler(outputs, sample.include) ?? null,
    systemId: system?.id ?? null,
    limiter: "watchdog",
    mode: "plain",
  };
  return { found, outputs, latencyMs: clock.nowMs() - begun, lane: null };
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

function probeTimeout(answer: Answer): HostError {
  const secs = Math.round(answer.latencyMs / 1000);
  return new HostError("probe-timeout", "probe", `the host's shell gave no answer within ${secs} s`, {
    fix: "see whether the login shell's rc files or the home directory hang",
  });
}
