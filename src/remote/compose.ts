/** One host's reading of a tick, from what its vendor tool and its operating system told. */
import { ParseError } from "../errors.js";
import { KEY_OF_SECTION, SECTIONS, type Section, type SectionError, type Sections } from "../record.js";
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

/**
 * Joins both readings: the tool's word wins where both tell a section, except that the system's process table fills
 * what the tool's processes lack and its memory stands in for accelerators that have none of their own.
 */
export function composeReading(
  include: ReadonlySet<Section>,
  system: Reading,
  tool: Reading,
): Reading {
  const all: Sections = { ...system.sections, ...tool.sections };
  const asked: Record<string, unknown> = {};
  for (const section of SECTIONS) {
    const key = KEY_OF_SECTION[section];
    if (include.has(section) && all[key] !== undefined) asked[key] = all[key];
  }
  const sections = asked as Sections;
  const gpus = sections.gpus;
  const filled = gpus === undefined ? sections : { ...sections, gpus: fillUnifiedMemory(gpus, all.memory?.[0] ?? null) };
  const errors = [...system.errors, ...tool.errors].filter((error) => include.has(error.section));
  return { sections: filled, errors };
}
