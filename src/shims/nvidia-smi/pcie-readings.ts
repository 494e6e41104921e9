/** One host's PCIe replays and traffic: when they are asked for, and what is known of them in between. */
import type { Gpu, SectionError } from "../../contract/record.js";
import { partError } from "../kit/part-output.js";
import type { Part, PartOutputs } from "../kit/shim.js";
import { type GpuTraffic, PCIE_COMMAND, readPcieTraffic } from "./pcie-traffic.js";
import { knownOf } from "./known-gpu.js";
import { SeldomTicks } from "./seldom-ticks.js";
import { wholeLines } from "./sections.js";

const PCIE = "nvidia-smi.pcie";
const PARTS: readonly Part[] = [{ id: PCIE, kind: "program", command: PCIE_COMMAND, isBuffered: true }];
const NO_PARTS: readonly Part[] = [];

/** A GPU that was in the last answer; `link` is null after a failure. */
interface Known {
  readonly index: number;
  readonly uuid: string | null;
  readonly link: GpuTraffic["link"] | null;
}

export class PcieReadings {
  /** False where the command would have to start the driver (no persistence mode), and where it turned out not to work. */
  #isWanted: boolean;
  readonly #ticks = new SeldomTicks();
  #known: readonly Known[] = [];

  /** `gpus`: as the probe read them; none where the XML, which has the same, is read in every tick. */
  constructor(gpus: readonly Gpu[]) {
    const alive = gpus.filter(({ error }) => error === undefined);
    this.#isWanted = alive.length > 0 && alive.every((gpu) => gpu.persistence_mode === true);
  }

  /** What the next tick asks; the same array as long as that does not change. */
  get parts(): readonly Part[] {
    return this.#isWanted && this.#ticks.isDue ? PARTS : NO_PARTS;
  }

  /** Takes a tick's answer where it was asked; `gpus` are the tick's own. The errors are those of a command that worked before. */
  read(outputs: PartOutputs, gpus: readonly Gpu[]): readonly SectionError[] {
    if (!this.#isWanted) return [];
    const output = outputs.get(PCIE);
    if (!this.#ticks.isDue || output === undefined) {
      this.#ticks.passed();
      return [];
    }
    this.#ticks.answered();
    const failure = partError("gpu", "nvidia-smi dmon", output);
    const traffic = failure === null ? readPcieTraffic(wholeLines(output)) : null;
    if (traffic !== null && traffic.length > 0) {
      this.#known = traffic.map(({ index, link }) => ({ index, uuid: uuidOf(index, gpus), link }));
      return [];
    }
    const wasKnown = this.#known.length > 0;
    this.#known = this.#known.map((known) => ({ ...known, link: null }));
    // Boards and drivers without the counters refuse the command, or print dashes.
    if (!wasKnown && failure?.kind !== "timeout") this.#isWanted = false;
    return this.#isWanted && failure !== null ? [failure] : [];
  }

  /** The GPUs with `pcie`, those that have the counters. */
  complete(gpus: readonly Gpu[]): readonly Gpu[] {
    if (this.#known.length === 0) return gpus;
    return gpus.map((gpu) => {
      const known = knownOf(gpu, this.#known);
      if (known === undefined) return gpu;
      return {
        ...gpu,
        pcie: known.link === null ? null : { ...known.link, ticks_ago: this.#ticks.ticksAgo },
      };
    });
  }
}

/** dmon has the index alone: the uuid shows later whether that is still the same GPU. */
function uuidOf(index: number, gpus: readonly Gpu[]): string | null {
  return gpus.find((gpu) => gpu.index === index)?.uuid ?? null;
}
