/** The probe of a host: which tools and which operating system it is read with, and the outputs of a first sample. */
import { ChannelRefused } from "../contract/connection.js";
import type { Section } from "../contract/record.js";
import type { PartOutputs, ProbeContext, Reading, Sampler, Shim } from "../shims/kit/shim.js";
import type { HostSystem } from "../system/host-system.js";
import { HOST_FACTS, hostFactsToKeep, type HostFacts } from "../system/kept-host-facts.js";
import { chooseSources } from "./choose.js";
import { TOOL_SECTIONS } from "./compose.js";
import { hungPart } from "./ended.js";
import { hasNative, missingParts, type Discovery, type SessionOptions, type Ways } from "./found.js";
import { factsAfter, type KeptFacts } from "./kept-facts.js";
import { hasNoAccelerator, readPciBus } from "./pci-bus.js";
import { discoverPlain } from "./plain-probe.js";
import { commandRefused, unlessDenied } from "./probe-failures.js";
import { addFrame, probeInRounds, shellContext, type Rounds } from "./probe-rounds.js";
import { firstReading, type DeviceSource, type Judged, type UsableTool } from "./probe.js";
import { PCI_DEVICES } from "./script.js";
import type { TimeoutCommand } from "./script-plan.js";
import { keptStep } from "./steps.js";

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
