/** One host's NVLinks: when they are asked for, and what is known of them in between. */
import type { Gpu, SectionError } from "../../contract/record.js";
import { partError } from "../kit/part-output.js";
import type { Part, PartOutputs } from "../kit/shim.js";
import { type GpuLinks, NVLINK_ERRORS_COMMAND, NVLINK_STATE_COMMAND, readNvlink } from "./nvlink.js";
import { knownOf } from "./known-gpu.js";
import { SeldomTicks } from "./seldom-ticks.js";

const STATE = "nvidia-smi.nvlink-state";
const ERRORS = "nvidia-smi.nvlink-errors";
const PARTS: readonly Part[] = [
  { id: STATE, kind: "program", command: NVLINK_STATE_COMMAND, isBuffered: true },
  { id: ERRORS, kind: "program", command: NVLINK_ERRORS_COMMAND, isBuffered: true },
];
const NO_PARTS: readonly Part[] = [];

type Known = Omit<GpuLinks, "links"> & { readonly links: GpuLinks["links"] | null };

export class NvlinkReadings {
  /**
   * False where there is nothing to link, where each command would have to start the driver (no persistence mode), and
   * where the host turned out to have no links.
   */
  #isWanted: boolean;
  readonly #ticks = new SeldomTicks();
  #known: readonly Known[] = [];

  /** `gpus`: as the probe read them. */
  constructor(gpus: readonly Gpu[]) {
    const alive = gpus.filter(({ error }) => error === undefined);
    this.#isWanted = alive.length > 1 && alive.every((gpu) => gpu.persistence_mode === true);
  }

  /** What the next tick asks; the same array as long as that does not change. */
  get parts(): readonly Part[] {
    return this.#isWanted && this.#ticks.isDue ? PARTS : NO_PARTS;
  }

  /** Takes a tick's answer where it was asked. The errors are those of a command that worked before. */
  read(outputs: PartOutputs): readonly SectionError[] {
    if (!this.#isWanted) return [];
    if (this.#ticks.isDue && outputs.has(STATE)) return this.#readAnswer(outputs);
    this.#ticks.passed();
    return [];
  }

  /** The GPUs with `nvlink`, those that have links. */
  complete(gpus: readonly Gpu[]): readonly Gpu[] {
    if (this.#known.length === 0) return gpus;
    return gpus.map((gpu) => {
      const known = knownOf(gpu, this.#known);
      if (known === undefined) return gpu;
      return {
        ...gpu,
        nvlink: known.links === null ? null : { ...known.links, ticks_ago: this.#ticks.ticksAgo },
      };
    });
  }

  #readAnswer(outputs: PartOutputs): readonly SectionError[] {
    this.#ticks.answered();
    const state = outputs.get(STATE);
    const failure = partError("gpu", "nvidia-smi nvlink -s", state);
    if (failure === null) {
      const links = readNvlink(state?.stdout ?? "", outputs.get(ERRORS)?.stdout ?? "");
      // Once there, links do not go away: what lists none of them was no answer.
      this.#known = links.length === 0 ? this.#known.map(withoutLinks) : links;
      this.#isWanted = this.#known.length > 0;
      return [];
    }
    const isNew = this.#known.length === 0;
    this.#known = this.#known.map(withoutLinks);
    // A driver or board without NVLink refuses the command.
    if (isNew && failure.kind !== "timeout") this.#isWanted = false;
    return this.#isWanted ? [failure] : [];
  }
}

function withoutLinks(known: Known): Known {
  return { ...known, links: null };
}
