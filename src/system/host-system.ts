/** What an operating system is to the pipeline: the questions for the host's own sections and their parser. */
import type { Section } from "../contract/record.js";
import type { Part, PartOutputs, Sampler } from "../shims/kit/shim.js";

export interface HostSystem {
  /** The record's `transport` when no accelerator was asked for, as `linux`. */
  readonly id: string;
  /** What `uname -s` prints there. */
  readonly uname: string;
  /** Asked once a session: the facts that do not change, and the parts of a first tick (same ids as the sampler's). */
  probe(include: ReadonlySet<Section>): readonly Part[];
  /** `outputs` are the probe's. The sampler keeps what it needs between ticks (CPU counters). */
  sampler(outputs: PartOutputs, include: ReadonlySet<Section>): Sampler;
}
