/** The interface of an operating system: the commands for the host's own sections, and their parser. */
import type { Section, SectionError } from "../contract/record.js";
import type { Part, PartOutputs, Sampler } from "../shims/kit/shim.js";

export interface HostSystem {
  /** The record's `transport` when no accelerator was asked for, as `linux`. */
  readonly id: string;
  /** What `uname -s` prints there. */
  readonly uname: string;
  /** The parts that run once a session: facts that do not change, and a first tick's parts (same ids as the sampler's). */
  probe(include: ReadonlySet<Section>): readonly Part[];
  /** `outputs`: the probe's. The sampler keeps what it needs between ticks (CPU counters). */
  sampler(outputs: PartOutputs, include: ReadonlySet<Section>): Sampler;
}

/** For a command or file (`what`) that succeeded without a value that a parser knows. */
export function unreadable(section: Section, what: string): SectionError {
  return { section, kind: "parse", message: `${what} gave no readable values` };
}
