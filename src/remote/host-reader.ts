/** A host's answers to a tick, as a reading; says what the answers mean for the next tick. */
import type { SampleOptions } from "../options.js";
import { SECTIONS, type Section } from "../record.js";
import type { PartOutputs, Reading } from "../shims/shim.js";
import { createPsReader } from "../system/ps.js";
import { composeReading, failedSections, readSampler, TOOL_SECTIONS } from "./compose.js";
import { isNative, type Found } from "./discover.js";
import type { ChosenTool } from "./probe.js";

/** What a tick's answers mean for the ticks to come. */
export type ToolHealth =
  | { readonly kind: "well" }
  /** What the probe learned no longer holds. */
  | { readonly kind: "outdated" }
  /** all-smi is there and its snapshot fails: a vendor tool is to be tried. */
  | { readonly kind: "native-failed"; readonly message: string };

const NOTHING: Reading = { sections: {}, errors: [] };
const NO_PROCESSES: ReadonlyMap<number, never> = new Map<number, never>();

export class HostReader {
  readonly #options: SampleOptions;
  readonly #asked: readonly Section[];
  /** Those of them that only a vendor tool tells, and those that the host tells itself. */
  readonly #askedOfTool: readonly Section[];
  readonly #askedOfHost: readonly Section[];
  readonly #ps = createPsReader();

  constructor(options: SampleOptions) {
    this.#options = options;
    this.#asked = SECTIONS.filter((section) => options.include.has(section));
    this.#askedOfTool = this.#asked.filter((section) => TOOL_SECTIONS.includes(section));
    this.#askedOfHost = this.#asked.filter((section) => !TOOL_SECTIONS.includes(section));
  }

  read(found: Found, outputs: PartOutputs): { readonly reading: Reading; readonly health: ToolHealth } {
    const system = found.system === null ? NOTHING : readSampler(found.system, outputs, this.#askedOfHost);
    const tool = this.#readTool(found.tool, outputs);
    const ps = this.#options.include.has("process") ? this.#ps.read(outputs) : NO_PROCESSES;
    return {
      reading: composeReading(this.#options, { system, tool, ps }),
      health: healthOf(found.tool, outputs, tool),
    };
  }

  /** A reading in which every asked section failed. */
  failed(message: string): Reading {
    return { sections: {}, errors: failedSections(this.#asked, "error", message) };
  }

  #readTool(tool: ChosenTool, outputs: PartOutputs): Reading {
    if (tool.kind === "none") return NOTHING;
    const told = isNative(tool) ? this.#asked : this.#askedOfTool;
    if (tool.kind === "usable") return readSampler(tool.sampler, outputs, told);
    return { sections: {}, errors: failedSections(told, tool.isTimeout ? "timeout" : "error", tool.message) };
  }
}

function healthOf(tool: ChosenTool, outputs: PartOutputs, reading: Reading): ToolHealth {
  if (tool.kind !== "usable") return { kind: "well" };
  const ends = tool.sampler.parts.map(({ id }) => outputs.get(id)?.end);
  const wasAsked = !ends.some((end) => end?.kind === "timeout" && end.earlier === true);
  const [error] = reading.errors;
  if (isNative(tool) && wasAsked && error !== undefined && isEmpty(reading)) {
    return { kind: "native-failed", message: error.message };
  }
  const isGone = ends.some((end) => end?.kind === "exit" && (end.code === 126 || end.code === 127));
  return isGone || reading.outdated === true ? { kind: "outdated" } : { kind: "well" };
}

function isEmpty(reading: Reading): boolean {
  return Object.values(reading.sections).every((devices) => (devices as readonly unknown[]).length === 0);
}
