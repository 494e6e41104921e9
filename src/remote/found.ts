/** The input and the result of a probe. */
import type { SampleOptions } from "../contract/options.js";
import type { StepLog } from "../contract/step-log.js";
import type { Clock } from "../lib/clock.js";
import type { Part, PartOutputs, Reading, Sampler, Shim } from "../shims/kit/shim.js";
import type { HostSystem } from "../system/host-system.js";
import type { KeptFacts } from "./kept-facts.js";
import type { Lanes } from "./lanes.js";
import type { PlainCommands } from "./plain-commands.js";
import { isNativeShim, toolsOf, type ChosenTool, type DeviceSource, type UsableTool } from "./probe.js";
import type { TimeoutCommand, ToolParts } from "./script-plan.js";

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
  /** The step log of the host; absent: off. */
  readonly step?: StepLog;
}

/** What a host is read with. */
export interface Found {
  /** In the order in which they are reported; none where no accelerator was asked for, or the host has none. */
  readonly sources: readonly DeviceSource[];
  /** The host's PCI bus shows that it has no accelerator. */
  readonly hasNoAccelerator: boolean;
  readonly system: Sampler | null;
  readonly systemId: string | null;
  /** Why the host's own sections are not read, where they are not. */
  readonly unread: string;
  readonly limiter: TimeoutCommand;
}

export interface Discovery {
  readonly found: Found;
  /** Outputs of every part that was asked; they hold a first sample. */
  readonly outputs: PartOutputs;
  /** What tools read in the first sample: their outputs are not parsed twice. */
  readonly firsts: ReadonlyMap<Sampler, Reading>;
  readonly latencyMs: number;
  /** Parts that a shell still hangs in. */
  readonly hung: readonly string[];
  /** To keep for a later run; absent where nothing changed. */
  readonly learned?: KeptFacts;
}

/** The ways to ask a host. */
export interface Ways {
  readonly lanes: Lanes;
  readonly commands: PlainCommands;
}

/** Whether all-smi reports the host. */
export function hasNative(sources: readonly DeviceSource[]): boolean {
  return sources.some(({ kind, main }) => kind === "usable" && isNativeShim(main.shim));
}

/** The parts of a first sample that the tools in use were not asked for in the probe. `hung`: parts not to ask again. */
export function missingParts(
  sources: readonly DeviceSource[],
  outputs: PartOutputs,
  hung: ReadonlySet<string>,
): ReadonlyMap<UsableTool, ToolParts> {
  const missing = new Map<UsableTool, ToolParts>();
  for (const tool of toolsOf(sources)) {
    if (tool.kind !== "usable") continue;
    const parts = tool.sampler.parts.filter(({ id }) => !outputs.has(id) && !hung.has(id));
    if (parts.length > 0) missing.set(tool, { parts, executable: tool.executable });
  }
  return missing;
}

/** The tool whose driver may be held: at most one has a holder. */
export function heldTool({ sources }: Found): ChosenTool | null {
  const usable = toolsOf(sources).filter((tool) => tool.kind === "usable");
  return usable.find(({ sampler }) => sampler.holder !== undefined) ?? usable[0] ?? null;
}

/** The parts that each of the host's tools is asked in a tick. */
export function partsOf({ sources }: Found): readonly (readonly Part[])[] {
  return toolsOf(sources).map((tool) => (tool.kind === "broken" ? NO_PARTS : tool.sampler.parts));
}

const NO_PARTS: readonly Part[] = [];
