/** The first exec on a host: which tools and which operating system it is read with, and the answers of a first sample. */
import { ChannelRefused } from "../contract/connection.js";
import { HostError } from "../contract/errors.js";
import type { Section } from "../contract/record.js";
import type { PartOutput, PartOutputs, ProbeContext, Reading, Sampler, Shim } from "../shims/kit/shim.js";
import type { HostSystem } from "../system/host-system.js";
import { chooseSources, type DeviceSource } from "./choose.js";
import { TOOL_SECTIONS } from "./compose.js";
import { discoverPlain } from "./discover-plain.js";
import { firstScript } from "./first-script.js";
import {
  hasNative,
  hungPart,
  missingParts,
  type Discovery,
  type SessionOptions,
  type Ways,
} from "./found.js";
import type { Frame } from "./frame.js";
import { loginDenial, unlessDenied, type LoginDenial } from "./login-denial.js";
import { firstReading, isWanted, judgeFound, reachedBy, type Judged, type UsableTool } from "./probe.js";
import { PCI_VENDORS, type TimeoutCommand } from "./script.js";
import { probeTimeout, shellDied, whatCameInstead } from "./shell-failures.js";
import { answerStep, bootstrapStep } from "./steps.js";

export type { SessionOptions } from "./found.js";

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

/** What the rounds of a probe have shown so far. A later round asks only what the earlier ones left open. */
interface Shown {
  readonly outputs: Map<string, PartOutput>;
  readonly judged: Judged[];
  readonly tried: Set<Shim>;
  readonly hung: Set<string>;
  uname: string | null;
  limiter: TimeoutCommand | null;
  latencyMs: number;
}

async function discoverByScript(
  ways: Ways,
  options: SessionOptions,
  shims: readonly Shim[],
): Promise<Discovery> {
  const { lanes } = ways;
  const { sample, systems } = options;
  const context: ProbeContext = { include: sample.include, mode: "shell" };
  const wanted = TOOL_SECTIONS.some((section) => sample.include.has(section)) ? shims : [];
  const shown: Shown = {
    outputs: new Map(),
    judged: [],
    tried: new Set(),
    hung: new Set(),
    uname: null,
    limiter: null,
    latencyMs: 0,
  };
  let toTry = wanted;
  /** What the host answered to the first script, where that was none of ours. */
  let said: string | null = null;
  let denial: LoginDenial | null = null;
  for (let round = 0; ;) {
    const wasStuck = lanes.isStuck;
    const script = firstScript(options, toTry, round === 0 ? shown.hung : null, lanes.nonce);
    options.step?.("remote", bootstrapStep(script, toTry));
    const answer = await lanes.begin(script, 0);
    options.step?.("remote", answerStep("bootstrap", answer));
    shown.latencyMs += answer.latencyMs;
    const { frame } = answer;
    if (frame.uname === null && frame.limiter === null) {
      if (round > 0) break;
      if (said !== null) return unlessDenied(discoverPlain(ways, options, wanted, said), denial);
      said = whatCameInstead(answer);
      denial = loginDenial(said, answer.kind === "closed" ? answer.end : null);
      if (denial?.isCertain === true) throw denial.error;
      lanes.byInput();
      continue;
    }
    takeIn(shown, frame);
    const hung = answer.kind === "stuck" ? hungPart(frame.outputs) : null;
    if (hung !== null) shown.hung.add(hung);
    if (hung !== null && !wasStuck && shown.hung.size === 1 && isOwnPart(hung, options)) continue;
    const reached = reachedBy(toTry, frame, context);
    for (const shim of reached) shown.tried.add(shim);
    shown.judged.push(...judgeFound(reached, frame.found, shown.outputs, context));
    if (!frame.isWhole && frame.found.length === 0 && round === 0)
      throw answer.kind === "closed" ? shellDied(answer) : probeTimeout(answer);
    toTry = wanted.filter((shim) => !shown.tried.has(shim) && isWanted(shim, shown.judged));
    if (toTry.length === 0 || (answer.kind === "stuck" && wasStuck)) break;
    if (answer.kind === "closed" && !frame.isWhole) break;
    round += 1;
  }
  const system = systems.find((each) => each.uname === shown.uname) ?? null;
  const isBare = wanted.length === 0 && system !== null;
  const pci = shown.outputs.get(PCI_VENDORS);
  const sources = isBare ? [] : chooseSources(shown.judged, wanted, pci, "");
  const own = hasNative(sources) ? besideNative(system, sample.include) : sample.include;
  const limiter = shown.limiter ?? "watchdog";
  const late = await askMissing(ways, options, sources, shown, limiter);
  return {
    found: {
      sources,
      system: system === null || own.size === 0 ? null : system.sampler(shown.outputs, own),
      systemId: system?.id ?? null,
      unread:
        system === null
          ? `the host's system (${shown.uname ?? "unknown"}) is none that is read`
          : `nothing on the host reports it`,
      limiter,
    },
    outputs: shown.outputs,
    firsts: firstsOf(shown.judged, late, shown.outputs, context),
    latencyMs: shown.latencyMs,
    hung: [...shown.hung],
  };
}

function takeIn(shown: Shown, frame: Frame): void {
  shown.uname ??= frame.uname;
  shown.limiter ??= frame.limiter;
  for (const [id, output] of frame.outputs) shown.outputs.set(id, output);
}

function isOwnPart(part: string, { systems, sample }: SessionOptions): boolean {
  return systems.some((each) => each.probe(sample.include).some(({ id }) => id === part));
}

/**
 * The shell asks a tool's other parts only where its first one ended well. Of a tool that is used all the same, they are
 * asked now: the tools that were.
 */
async function askMissing(
  { lanes }: Ways,
  { sample }: SessionOptions,
  sources: readonly DeviceSource[],
  shown: Shown,
  limiter: TimeoutCommand,
): Promise<ReadonlySet<UsableTool>> {
  const missing = missingParts(sources, shown.outputs, shown.hung);
  if (missing.size === 0 || lanes.isStuck) return new Set();
  const answer = await lanes.ask(
    {
      toolTimeoutSecs: sample.toolTimeoutSecs,
      limiter,
      isGuarded: false,
      system: [],
      tools: [...missing.values()],
    },
    0,
  );
  if (answer.kind === "refused") return new Set();
  takeIn(shown, answer.frame);
  shown.latencyMs += answer.latencyMs;
  const hung = answer.kind === "stuck" ? hungPart(answer.frame.outputs) : null;
  if (hung !== null) shown.hung.add(hung);
  return new Set(missing.keys());
}

function firstsOf(
  judged: readonly Judged[],
  late: ReadonlySet<UsableTool>,
  outputs: PartOutputs,
  context: ProbeContext,
): ReadonlyMap<Sampler, Reading> {
  const firsts = new Map<Sampler, Reading>();
  for (const each of judged)
    if (each.kind === "usable" || each.kind === "poor") {
      const first = late.has(each.tool) ? firstReading(each.tool, outputs, context) : each.first;
      firsts.set(each.tool.sampler, first);
    }
  return firsts;
}

/** What a Linux host is asked beside a native all-smi: a snapshot's processor load there is the average since boot. */
function besideNative(system: HostSystem | null, include: ReadonlySet<Section>): ReadonlySet<Section> {
  return new Set<Section>(system?.id === "linux" && include.has("cpu") ? ["cpu"] : []);
}
