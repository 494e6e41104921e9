/** The probe of a host: which tools and which operating system it is read with, and the outputs of a first sample. */
import { ChannelRefused } from "../contract/connection.js";
import type { Section } from "../contract/record.js";
import type { PartOutput, PartOutputs, ProbeContext, Reading, Sampler, Shim } from "../shims/kit/shim.js";
import type { HostSystem } from "../system/host-system.js";
import {
  completesKeptFacts,
  HOST_FACTS,
  hostFactsToKeep,
  withKeptFacts,
  type HostFacts,
} from "../system/kept-host-facts.js";
import { chooseSources } from "./choose.js";
import { TOOL_SECTIONS } from "./compose.js";
import { hasClosed, hungPart } from "./ended.js";
import { firstScript } from "./first-script.js";
import { factsAfter, inScript, type KeptFacts } from "./kept-facts.js";
import { hasNative, missingParts, type Discovery, type SessionOptions, type Ways } from "./found.js";
import type { Frame } from "./frame.js";
import { hasNoAccelerator, readPciBus } from "./pci-bus.js";
import { discoverPlain } from "./plain-probe.js";
import {
  commandRefused,
  foreignOutput,
  loginDenial,
  shellFailure,
  unlessDenied,
  type LoginDenial,
} from "./probe-failures.js";
import {
  firstReading,
  isReadable,
  judgeFound,
  type DeviceSource,
  type Judged,
  type UsableTool,
} from "./probe.js";
import { isWanted, reachedBy } from "./probe-round.js";
import { PCI_DEVICES } from "./script.js";
import type { TimeoutCommand } from "./script-plan.js";
import { answerStep, bootstrapStep, keptStep } from "./steps.js";

export type { SessionOptions } from "./found.js";

/**
 * Probes a host, trying `shims` in order, and leaves a shell for the ticks in `ways` where the host allows one. Throws
 * HostError of the probe phase when nothing can be read, and what Connection.open throws when the host is gone. `kept`: facts
 * of an earlier run, which the host itself compares; null: none yet, undefined: none are kept of this host.
 */
export async function discover(
  ways: Ways,
  options: SessionOptions,
  shims: readonly Shim[],
  kept?: KeptFacts | null,
): Promise<Discovery> {
  const { include } = options.sample;
  const wanted = TOOL_SECTIONS.some((section) => include.has(section)) ? shims : [];
  try {
    const probed = await probeInRounds(ways, options, wanted, kept ?? null);
    if (probed.kind === "shell") {
      const discovery = await toDiscovery(ways, options, wanted, probed.rounds);
      if (kept === undefined) return discovery;
      const host = hostFactsAfter(probed.rounds, kept);
      const { machine, judged } = probed.rounds;
      if (kept !== null) options.step?.("remote", keptStep(kept, host, judged));
      const learned = factsAfter(kept, { machine, host, judged }, options.clock.wallMs());
      return learned === null ? discovery : { ...discovery, learned };
    }
    return await unlessDenied(discoverPlain(ways, options, wanted, probed.output), probed.denial);
  } catch (error) {
    ways.lanes.close();
    throw error instanceof ChannelRefused ? commandRefused(error.message) : error;
  }
}

type Probed =
  | { readonly kind: "shell"; readonly rounds: Rounds }
  /** The host runs no script of ours. `output`: what it answered to the first one. */
  | { readonly kind: "no-shell"; readonly output: string; readonly denial: LoginDenial | null };

/** The results of the rounds so far. A later round asks only what the earlier ones left open. */
interface Rounds {
  readonly outputs: Map<string, PartOutput>;
  readonly judged: Judged[];
  readonly tried: Set<Shim>;
  readonly hung: Set<string>;
  uname: string | null;
  machine: string | null;
  /** The host's facts were completed by kept ones. */
  isHostKept: boolean;
  limiter: TimeoutCommand | null;
  latencyMs: number;
}

async function probeInRounds(
  { lanes }: Ways,
  options: SessionOptions,
  wanted: readonly Shim[],
  kept: KeptFacts | null,
): Promise<Probed> {
  const context = shellContext(options, kept);
  const rounds: Rounds = {
    outputs: new Map(),
    judged: [],
    tried: new Set(),
    hung: new Set(),
    uname: null,
    machine: null,
    isHostKept: false,
    limiter: null,
    latencyMs: 0,
  };
  let toTry = wanted;
  let noShell: (Probed & { readonly kind: "no-shell" }) | null = null;
  for (let round = 0; ;) {
    const wasHung = lanes.isHung;
    const hungParts = round === 0 ? rounds.hung : null;
    const asKept = inScript(kept, toTry);
    const script = firstScript(
      options,
      toTry,
      hungParts,
      lanes.nonce,
      rounds.judged.some(isReadable),
      asKept,
    );
    options.step?.("remote", bootstrapStep(script.text, toTry));
    const answer = await lanes.begin(script, 0);
    options.step?.("remote", answerStep("bootstrap", answer));
    rounds.latencyMs += answer.latencyMs;
    const { frame, end } = answer;
    if (frame.uname === null && frame.limiter === null) {
      if (round > 0) break;
      if (noShell !== null) return noShell;
      // The login shell may have changed the quoted script: it is tried once more by standard input.
      const output = foreignOutput(answer);
      const denial = loginDenial(output, end);
      if (denial?.isCertain === true) throw denial.error;
      noShell = { kind: "no-shell", output, denial };
      lanes.byInput();
      continue;
    }
    addFrame(rounds, frame, kept);
    const hung = end.kind === "hung" ? hungPart(frame.outputs) : null;
    if (hung !== null) rounds.hung.add(hung);
    if (hung !== null && !wasHung && rounds.hung.size === 1 && isOwnPart(hung, options)) continue;
    const reached = reachedBy(toTry, frame, context);
    for (const shim of reached) rounds.tried.add(shim);
    rounds.judged.push(
      ...judgeFound(reached, frame.found, rounds.outputs, context, options.sample.toolPaths),
    );
    if (!frame.isWhole && frame.found.length === 0 && round === 0) throw shellFailure(answer);
    toTry = wanted.filter((shim) => !rounds.tried.has(shim) && isWanted(shim, rounds.judged));
    if (toTry.length === 0 || (end.kind === "hung" && wasHung)) break;
    if ((hasClosed(end) || end.kind === "flooded") && !frame.isWhole) break;
    round += 1;
  }
  return { kind: "shell", rounds };
}

async function toDiscovery(
  ways: Ways,
  options: SessionOptions,
  wanted: readonly Shim[],
  rounds: Rounds,
): Promise<Discovery> {
  const { include } = options.sample;
  const system = options.systems.find((each) => each.uname === rounds.uname) ?? null;
  const bus = readPciBus(rounds.outputs.get(PCI_DEVICES));
  // A tool that is there and fails, or is too old, stands for an accelerator that the bus has lost.
  const isWithout =
    system !== null && wanted.length > 0 && rounds.judged.length === 0 && hasNoAccelerator(bus);
  const isBare = isWithout || (wanted.length === 0 && system !== null);
  const sources = isBare ? [] : chooseSources(rounds.judged, wanted, bus, "");
  const own = isWithout ? withoutTool(include) : hasNative(sources) ? besideNative(system, include) : include;
  const limiter = rounds.limiter ?? "watchdog";
  const late = await askMissing(ways, options, sources, rounds, limiter);
  const { outputs } = rounds;
  return {
    found: {
      sources,
      hasNoAccelerator: isWithout,
      system: system === null || own.size === 0 ? null : system.sampler(outputs, own),
      systemId: system?.id ?? null,
      unread:
        system === null
          ? `the host's system (${rounds.uname ?? "unknown"}) is not supported`
          : `nothing on the host reports it`,
      limiter,
    },
    outputs,
    firsts: firstReadings(rounds.judged, late, outputs, shellContext(options, null)),
    latencyMs: rounds.latencyMs,
    hung: [...rounds.hung],
  };
}

function shellContext({ sample }: SessionOptions, kept: KeptFacts | null): ProbeContext {
  const context: ProbeContext = {
    include: sample.include,
    mode: "shell",
    isWaking: sample.wakeGpus === true,
  };
  return kept === null ? context : { ...context, kept: kept.tools };
}

function addFrame(rounds: Rounds, frame: Frame, kept: KeptFacts | null = null): void {
  rounds.uname ??= frame.uname;
  rounds.machine ??= frame.machine;
  rounds.limiter ??= frame.limiter;
  for (const [id, output] of frame.outputs) rounds.outputs.set(id, output);
  const facts = frame.outputs.get(HOST_FACTS);
  if (facts?.end.kind === "exit" && completesKeptFacts(facts.stdout) && kept !== null && kept.host !== null) {
    rounds.isHostKept = true;
    rounds.outputs.set(HOST_FACTS, { ...facts, stdout: withKeptFacts(facts.stdout, kept.host) });
  }
}

/** To keep; undefined: the host was not asked for its facts, null: they may not be kept. */
function hostFactsAfter(
  { outputs, isHostKept }: Rounds,
  kept: KeptFacts | null,
): HostFacts | null | undefined {
  if (isHostKept) return kept?.host ?? null;
  const answer = outputs.get(HOST_FACTS);
  if (answer === undefined) return undefined;
  return answer.end.kind === "exit" ? hostFactsToKeep(answer.stdout) : null;
}

function isOwnPart(part: string, { systems, sample }: SessionOptions): boolean {
  return systems.some((each) => each.probe(sample.include).some(({ id }) => id === part));
}

/**
 * The shell asks a tool's other parts only where its first one exited with 0. If the tool is used all the same, they are
 * asked now. Returns the tools that were asked.
 */
async function askMissing(
  { lanes }: Ways,
  { sample }: SessionOptions,
  sources: readonly DeviceSource[],
  rounds: Rounds,
  limiter: TimeoutCommand,
): Promise<ReadonlySet<UsableTool>> {
  const missing = missingParts(sources, rounds.outputs, rounds.hung);
  if (missing.size === 0 || lanes.isHung) return new Set();
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
  if (answer.end.kind === "refused") return new Set();
  addFrame(rounds, answer.frame);
  rounds.latencyMs += answer.latencyMs;
  const hung = answer.end.kind === "hung" ? hungPart(answer.frame.outputs) : null;
  if (hung !== null) rounds.hung.add(hung);
  return new Set(missing.keys());
}

function firstReadings(
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

/** The host's processes only fill in what a tool reports of those that use an accelerator. */
function withoutTool(include: ReadonlySet<Section>): ReadonlySet<Section> {
  return new Set([...include].filter((section) => !TOOL_SECTIONS.includes(section)));
}

/**
 * The sections that a Linux host with a working all-smi reports itself: all-smi has no host and no network, and the
 * processor load in its snapshot is the average since boot.
 */
function besideNative(system: HostSystem | null, include: ReadonlySet<Section>): ReadonlySet<Section> {
  if (system?.id !== "linux") return new Set();
  return new Set(BESIDE_NATIVE.filter((section) => include.has(section)));
}

const BESIDE_NATIVE: readonly Section[] = ["cpu", "host", "network"];
