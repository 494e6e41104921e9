/** One host's reading of a tick, from what its vendor tool and its operating system told. */
import { ParseError } from "../errors.js";
import type { SampleOptions } from "../options.js";
import type { Process, Section, SectionError, Sections } from "../record.js";
import { joinProcesses, redact } from "../shims/processes.js";
import { fillUnifiedMemory } from "../shims/unified-memory.js";
import type { PartOutputs, Reading, Sampler } from "../shims/shim.js";

/** Sections that only a vendor tool can tell; the rest is the operating system's where the tool does not tell it. */
export const TOOL_SECTIONS: readonly Section[] = ["gpu", "process"];

/** Parses; a ParseError becomes one entry for each section that the sampler was asked for. */
export function readSampler(sampler: Sampler, outputs: PartOutputs, sections: readonly Section[]): Reading {
  try {
    return sampler.parse(outputs);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { sections: {}, errors: failedSections(sections, "parse", error.message) };
  }
}

/** The same error for several sections. */
export function failedSections(
  sections: readonly Section[],
  kind: SectionError["kind"],
  message: string,
): readonly SectionError[] {
  return sections.map((section) => ({ section, kind, message }));
}

export interface Told {
  readonly system: Reading;
  readonly tool: Reading;
  /** The host's processes by pid, for what the vendor tool does not know of its own. */
  readonly ps: ReadonlyMap<number, Partial<Process>>;
}

/**
 * Joins what both told: the tool's word wins where both tell a section. The host's process table fills what the tool's
 * processes lack, and its memory stands in for accelerators that have none of their own.
 */
export function composeReading({ include, redact: isRedacted }: SampleOptions, told: Told): Reading {
  const all: Sections = { ...told.system.sections, ...told.tool.sections };
  const { gpus, cpus, memory, chassis, processes, storage } = all;
  const joined = processes && joinProcesses(processes, told.ps);
  const sections: Sections = {
    ...(gpus && include.has("gpu") && { gpus: fillUnifiedMemory(gpus, memory) }),
    ...(cpus && include.has("cpu") && { cpus }),
    ...(memory && include.has("memory") && { memory }),
    ...(chassis && include.has("chassis") && { chassis }),
    ...(joined && include.has("process") && { processes: isRedacted ? redact(joined) : joined }),
    ...(storage && include.has("storage") && { storage }),
  };
  const errors = [...told.system.errors, ...told.tool.errors];
  return { sections, errors: errors.filter((error) => include.has(error.section)) };
}
