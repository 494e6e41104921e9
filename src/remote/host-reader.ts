/** Parses a host's outputs of one tick into a reading, and reports whether the tools are still as the probe found them. */
import type { SampleOptions } from "../contract/options.js";
import { TICK_SECTIONS, type Gpu, type Section } from "../contract/record.js";
import type { PartOutputs, Reading, Sampler } from "../shims/kit/shim.js";
import { createPsReader, type PsReader } from "../system/ps.js";
import { asleepReading, namesOf, sleepersIn, wokenBy, type NamedGpu } from "./asleep.js";
import { composeReading, failedSections, readSampler, TOOL_SECTIONS } from "./compose.js";
import type { Found } from "./found.js";
import { mergeSources, withTool, type SourceReading } from "./merge-sources.js";
import {
  isNativeShim,
  sectionsOfTool,
  toolsOf,
  type BrokenTool,
  type DeviceSource,
  type UsableTool,
} from "./probe.js";
import { withUnaccountedMemory } from "./unaccounted-memory.js";

/** Whether the next ticks can go on as before. */
export type ToolHealth =
  | { readonly kind: "well" }
  /** The probe's result no longer holds. */
  | { readonly kind: "outdated" }
  /** all-smi is there and its snapshot fails: try a vendor tool. */
  | { readonly kind: "native-failed"; readonly message: string };

type Readings = ReadonlyMap<Sampler, Reading>;
const NOTHING_READ: Readings = new Map<Sampler, Reading>();
const NOTHING: Reading = { sections: {}, errors: [] };
const NO_PROCESSES: ReadonlyMap<number, never> = new Map<number, never>();

export class HostReader {
  readonly #options: SampleOptions;
  readonly #asked: Asked;
  readonly #asksProcesses: boolean;
  /** There is no later tick that would need anything of this one. */
  readonly #isOfOneTick: boolean;
  readonly #ps: PsReader | null;
  /** For what GPUs are called that have gone to sleep. */
  readonly #named = new WeakMap<Sampler, readonly NamedGpu[]>();

  constructor(options: SampleOptions, isOfOneTick = false) {
    this.#options = options;
    this.#isOfOneTick = isOfOneTick;
    this.#asksProcesses = options.include.has("process");
    this.#ps = this.#asksProcesses ? createPsReader() : null;
    this.#asked = askedBy(options);
  }

  /** `firsts`: readings that the probe has already parsed from the same outputs. */
  read(
    found: Found,
    outputs: PartOutputs,
    firsts: Readings = NOTHING_READ,
  ): { readonly reading: Reading; readonly health: ToolHealth } {
    const system = found.system === null ? NOTHING : readSampler(found.system, outputs, this.#asked.ofHost);
    const sources = found.sources.map((source) => this.#readSource(source, outputs, firsts));
    const ps = this.#ps?.read(outputs) ?? NO_PROCESSES;
    const unread = (section: Section): string | null => whyUnread(found, section);
    return {
      reading: composeReading(this.#options, { system, tool: mergeSources(sources), ps, unread }),
      health: healthOf(sources, outputs),
    };
  }

  /** A reading in which every asked section failed. */
  failed(message: string): Reading {
    return { sections: {}, errors: failedSections(this.#asked.all, "error", message) };
  }

  #readSource(source: DeviceSource, outputs: PartOutputs, firsts: Readings): SourceReading {
    if (source.kind === "broken") return { source, main: this.#failureOf(source.main), second: null };
    const read = (tool: UsableTool): Reading => {
      const asked = isNativeShim(tool.shim) ? this.#asked.all : this.#asked.ofTool;
      const sleepers = firsts.has(tool.sampler) ? null : sleepersIn(tool.shim.id, outputs);
      const reading =
        sleepers !== null
          ? this.#asleep(tool, sleepers)
          : (firsts.get(tool.sampler) ?? readSampler(tool.sampler, outputs, asked));
      if (!this.#isOfOneTick && reading.sections.gpus !== undefined && wokenBy(tool.shim).length > 0)
        this.#nameGpus(tool.sampler, reading.sections.gpus);
      return withTool(this.#asksProcesses ? withUnaccountedMemory(reading) : reading, tool.shim.id);
    };
    return { source, main: read(source.main), second: source.second === null ? null : read(source.second) };
  }

  /** The tool was not run. all-smi would have read more than these GPUs: from the next tick on others read the host. */
  #asleep(tool: UsableTool, sleepers: readonly string[]): Reading {
    if (isNativeShim(tool.shim)) {
      const message = `all-smi was not run: it would wake ${sleepers.join(", ")}`;
      return { sections: {}, errors: failedSections(this.#asked.all, "error", message) };
    }
    return asleepReading(sleepers, this.#named.get(tool.sampler) ?? []);
  }

  #nameGpus(sampler: Sampler, gpus: readonly Gpu[]): void {
    const before = this.#named.get(sampler) ?? [];
    const named = namesOf(gpus, before);
    if (named !== before) this.#named.set(sampler, named);
  }

  #failureOf({ shim, isTimeout, message }: BrokenTool): Reading {
    // Where all-smi fails, the host's own sections are still read from the host.
    const asked = sectionsOfTool(shim, this.#asked.all).filter((section) => TOOL_SECTIONS.includes(section));
    return { sections: {}, errors: failedSections(asked, isTimeout ? "timeout" : "error", message) };
  }
}

/** Sections in the order of a record. */
interface Asked {
  readonly all: readonly Section[];
  /** Those of them that only a vendor tool reports, and those that the host reports itself. */
  readonly ofTool: readonly Section[];
  readonly ofHost: readonly Section[];
}

/** A fleet's hosts have the same options. */
const ASKED = new WeakMap<SampleOptions, Asked>();

function askedBy(options: SampleOptions): Asked {
  const known = ASKED.get(options);
  if (known !== undefined) return known;
  const all = TICK_SECTIONS.filter((section) => options.include.has(section));
  const asked: Asked = {
    all,
    ofTool: all.filter((section) => TOOL_SECTIONS.includes(section)),
    ofHost: all.filter((section) => !TOOL_SECTIONS.includes(section)),
  };
  ASKED.set(options, asked);
  return asked;
}

/** Null: the host was read, and has nothing of the section. Hosts lack accelerators and sensors of the chassis. */
function whyUnread({ sources, hasNoAccelerator, system, unread }: Found, section: Section): string | null {
  if (TOOL_SECTIONS.includes(section) && hasNoAccelerator) return null;
  const names = toolsOf(sources).map(({ shim }) => (isNativeShim(shim) ? "all-smi" : shim.id));
  if (section === "chassis" && (system !== null || names[0] === "all-smi")) return null;
  if (!TOOL_SECTIONS.includes(section) && names[0] !== "all-smi") return `${section} is not read: ${unread}`;
  return names.length === 0
    ? `no tool reports ${section}`
    : `${names.join(" and ")} did not report ${section}`;
}

function healthOf(sources: readonly SourceReading[], outputs: PartOutputs): ToolHealth {
  let health: ToolHealth = { kind: "well" };
  for (const { source, main, second } of sources) {
    if (source.kind === "broken") continue;
    const tools = source.second === null ? [source.main] : [source.main, source.second];
    const ends = tools.flatMap(({ sampler }) => sampler.parts.map(({ id }) => outputs.get(id)?.end));
    const wasAsked = !ends.some((end) => end?.kind === "timeout" && end.earlier === true);
    const [error] = main.errors;
    if (isNativeShim(source.main.shim) && wasAsked && error !== undefined && isEmpty(main))
      return { kind: "native-failed", message: error.message };
    const isGone = ends.some((end) => end?.kind === "exit" && (end.code === 126 || end.code === 127));
    if (isGone || main.outdated === true || second?.outdated === true) health = { kind: "outdated" };
  }
  return health;
}

function isEmpty(reading: Reading): boolean {
  return Object.values(reading.sections).every((devices) => (devices as readonly unknown[]).length === 0);
}
