/** A host's answers to a tick, as a reading; says what the answers mean for the next tick. */
import type { SampleOptions } from "../options.js";
import { SECTIONS, type Section } from "../record.js";
import type { PartOutputs, Reading } from "../shims/shim.js";
import { createPsReader } from "../system/ps.js";
import { composeReading, failedSections, readSampler, TOOL_SECTIONS } from "./compose.js";
import { isNative, type Found } from "./discover.js";
import type { ChosenTool } from "./probe.js";
import type { TickScope } from "./script.js";

/** What a tick's answers mean for the vendor tool. */
export type ToolHealth =
  | { readonly kind: "well" }
  /** It ran into its deadline. */
  | { readonly kind: "hung" }
  /** all-smi is there and its snapshot fails: a vendor tool is to be tried. */
  | { readonly kind: "native-failed"; readonly message: string };

const NOTHING: Reading = { sections: {}, errors: [] };

export class HostReader {
  readonly #options: SampleOptions;
  readonly #asked: readonly Section[];
  readonly #ps = createPsReader();

  constructor(options: SampleOptions) {
    this.#options = options;
    this.#asked = SECTIONS.filter((section) => options.include.has(section));
  }

  /** `scope` system: the vendor tool was not asked, for `whyNot`. */
  read(
    found: Found,
    outputs: PartOutputs,
    scope: TickScope,
    whyNot: string,
  ): { readonly reading: Reading; readonly health: ToolHealth } {
    const own = this.#asked.filter((section) => !TOOL_SECTIONS.includes(section));
    const system = found.system === null ? NOTHING : readSampler(found.system, outputs, own);
    const tool = this.#readTool(found.tool, outputs, scope, whyNot);
    const ps = this.#options.include.has("process") ? this.#ps.read(outputs) : new Map<number, never>();
    return {
      reading: composeReading(this.#options, { system, tool, ps }),
      health: scope === "all" ? healthOf(found.tool, outputs, tool) : { kind: "well" },
    };
  }

  /** A reading in which every asked section failed. */
  failed(message: string): Reading {
    return { sections: {}, errors: failedSections(this.#asked, "error", message) };
  }

  #readTool(tool: ChosenTool, outputs: PartOutputs, scope: TickScope, whyNot: string): Reading {
    if (tool.kind === "none") return NOTHING;
    const told = isNative(tool)
      ? this.#asked
      : this.#asked.filter((section) => TOOL_SECTIONS.includes(section));
    if (tool.kind === "broken") {
      return {
        sections: {},
        errors: failedSections(told, tool.isTimeout ? "timeout" : "error", tool.message),
      };
    }
    if (scope === "system") return { sections: {}, errors: failedSections(told, "timeout", whyNot) };
    return readSampler(tool.sampler, outputs, told);
  }
}

function healthOf(tool: ChosenTool, outputs: PartOutputs, reading: Reading): ToolHealth {
  if (tool.kind !== "usable") return { kind: "well" };
  const [error] = reading.errors;
  if (isNative(tool) && error !== undefined && isEmpty(reading)) {
    return { kind: "native-failed", message: error.message };
  }
  const hung = tool.sampler.parts.some((part) => outputs.get(part.id)?.end.kind === "timeout");
  return hung ? { kind: "hung" } : { kind: "well" };
}

function isEmpty(reading: Reading): boolean {
  return Object.values(reading.sections).every((devices) => (devices as readonly unknown[]).length === 0);
}
