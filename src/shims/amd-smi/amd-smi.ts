/**
 * AMD's amd-smi, ROCm 5.7 to 7 and later. Source: amdsmi_commands.py and CHANGELOG.md of ROCm/amdsmi. `static` and
 * `list` run once, for names, ids and limits; `metric` runs each tick. Before 26 each prints a list; from 26 on `metric`
 * and `static` print {"gpu_data": list}. -w is not used: with it 7.1.1 prints nothing, and other releases a banner.
 */
import type { SectionError, Sections } from "../../contract/record.js";
import { amdSysfsIn, amdSysfsPart, type AmdSysfsCards } from "../kit/amd-sysfs.js";
import { at } from "../kit/json-text.js";
import { partError, outputText } from "../kit/part-output.js";
import type {
  Part,
  PartOutput,
  PartOutputs,
  ProbeContext,
  Reading,
  Sampler,
  Shim,
  ToolVerdict,
} from "../kit/shim.js";
import { amdGpu, itemsByGpu, type ItemsByGpu } from "./gpu.js";
import { amdProcesses } from "./processes.js";
import { violationsIn } from "./ras.js";

const METRIC: Part = { id: "amd-smi.metric", kind: "program", command: "{tool} metric --json" };
const STATIC: Part = { id: "amd-smi.static", kind: "program", command: "{tool} static --json" };
const LIST: Part = { id: "amd-smi.list", kind: "program", command: "{tool} list --json" };
const PROCESS: Part = { id: "amd-smi.process", kind: "program", command: "{tool} process --json" };
const VERSION: Part = { id: "amd-smi.version", kind: "program", command: "{tool} version" };
// `amd-smi bad-pages` reads the same file, at the cost of one more start of Python.
const SYSFS = amdSysfsPart("amd-smi.sysfs", false);

export const amdSmiShim: Shim = {
  id: "amd-smi",
  maker: { vendor: "amd", pci: ["0x1002"] },
  executables: ["amd-smi"],
  probe: (context) => [
    METRIC,
    STATIC,
    LIST,
    VERSION,
    ...(context.mode === "shell" && context.include.has("gpu") ? [SYSFS] : []),
    ...(context.include.has("process") ? [PROCESS] : []),
  ],
  judge(outputs, context): ToolVerdict {
    const metric = outputs.get(METRIC.id);
    const items = itemsByGpu(metric?.stdout ?? "");
    if (items.byGpu.size === 0) return { kind: "broken", message: `amd-smi: ${whyNoGpu(metric)}` };
    const sampler = new AmdSmiSampler(
      sectionFlags(items),
      violationFlag(items, outputs.get(VERSION.id)?.stdout ?? ""),
      outputs,
      context,
    );
    return { kind: "usable", sampler };
  },
};

function tickCommand(flags: readonly string[]): string {
  return flags.length === 0 ? METRIC.command : `{tool} metric ${flags.join(" ")} --json`;
}

/**
 * `metric` prints up to 30 kB a GPU. A tick asks only for the sections that are read, each by its flag, if the probe's
 * output has the section. Flags differ between releases, bare metal and guests, and the command fails for an unknown one.
 */
function sectionFlags(items: ItemsByGpu): readonly string[] {
  const flags: readonly (readonly [section: string, flag: string])[] = [
    ["usage", "--usage"],
    ["power", "--power"],
    ["clock", "--clock"],
    ["temperature", "--temperature"],
    ["ecc", "--ecc"],
    ["pcie", "--pcie"],
    ["energy", "--energy"],
    ["fan", "--fan"],
    ["mem_usage", "--mem-usage"],
    ["fb_usage", "--fb-usage"],
  ];
  const first = [...items.byGpu.values()][0];
  return flags.filter(([section]) => at(first, section) !== undefined).map(([, flag]) => flag);
}

/** amdsmi_get_violation_status sleeps 0.1 s for each GPU or partition between its two looks at the counters. */
const MAX_VIOLATION_GPUS = 8;

/** MI300 and later report why they are held back, under a flag that tool 25 (ROCm 6.4) renamed. */
function violationFlag({ byGpu }: ItemsByGpu, version: string): readonly string[] {
  const hasStatus = [...byGpu.values()].some((item) => violationsIn(at(item, "throttle")) !== null);
  const major = Number(/AMDSMI Tool:\s*(\d{1,4})\./i.exec(version)?.[1] ?? Number.NaN);
  if (!hasStatus || byGpu.size > MAX_VIOLATION_GPUS || Number.isNaN(major)) return [];
  return [major >= 25 ? "--violation" : "--throttle"];
}

/** How often `static` and `list` run again where the probe's deadline cut them off. */
const MAX_REPEATS = 3;

class AmdSmiSampler implements Sampler {
  #metric: Part;
  readonly #withoutViolations: Part;
  readonly #include: ProbeContext["include"];
  readonly #rocmVersion: string | null;
  #statics: ItemsByGpu;
  #list: ItemsByGpu;
  /** Whether any card has the driver's RAS files. */
  readonly #hasSysfs: boolean;
  #repeats = 0;
  #parts: readonly Part[];

  constructor(
    flags: readonly string[],
    violation: readonly string[],
    probed: PartOutputs,
    context: ProbeContext,
  ) {
    this.#metric = { ...METRIC, command: tickCommand([...flags, ...violation]) };
    this.#withoutViolations = { ...METRIC, command: tickCommand(flags) };
    this.#include = context.include;
    this.#rocmVersion = rocmVersionIn(probed.get(VERSION.id)?.stdout ?? "");
    this.#statics = itemsByGpu(probed.get(STATIC.id)?.stdout ?? "");
    this.#list = itemsByGpu(probed.get(LIST.id)?.stdout ?? "");
    this.#hasSysfs = amdSysfsIn(probed.get(SYSFS.id)?.stdout ?? "").size > 0;
    this.#parts = this.#partsNow();
  }

  get parts(): readonly Part[] {
    return this.#parts;
  }

  #partsNow(): readonly Part[] {
    const again = this.#repeats < MAX_REPEATS;
    return [
      this.#metric,
      ...(again && this.#statics.byGpu.size === 0 ? [STATIC] : []),
      ...(again && this.#list.byGpu.size === 0 ? [LIST] : []),
      ...(this.#hasSysfs ? [SYSFS] : []),
      ...(this.#include.has("process") ? [PROCESS] : []),
    ];
  }

  parse(outputs: PartOutputs): Reading {
    this.#learn(outputs);
    const metric = outputs.get(METRIC.id);
    const items = itemsByGpu(metric?.stdout ?? "");
    if (items.byGpu.size === 0 && metric?.end.kind === "exit" && metric.end.code !== 0)
      this.#askWithoutViolations();
    const errors: SectionError[] = [];
    const failed = partError("gpu", "amd-smi metric", metric, items.byGpu.size > 0);
    if (failed !== null) errors.push(failed);
    else if (items.byGpu.size === 0)
      errors.push({ section: "gpu", kind: "error", message: `amd-smi metric: ${whyNoGpu(metric)}` });
    if (items.cut)
      errors.push({ section: "gpu", kind: "parse", message: "amd-smi metric: the JSON is cut short" });

    const sysfs: AmdSysfsCards = amdSysfsIn(outputs.get(SYSFS.id)?.stdout ?? "");
    const gpus = [...items.byGpu]
      .sort(([a], [b]) => a - b)
      .map(([index, metric]) =>
        amdGpu(index, {
          metric,
          fixed: this.#statics.byGpu.get(index),
          listed: this.#list.byGpu.get(index),
          rocmVersion: this.#rocmVersion,
          sysfs,
        }),
      );
    const sections: Sections = this.#include.has("gpu") && gpus.length > 0 ? { gpus } : {};
    if (!this.#include.has("process")) return { sections, errors };
    const process = outputs.get(PROCESS.id);
    const failedProcess = partError("process", "amd-smi process", process);
    if (failedProcess !== null) errors.push(failedProcess);
    const processes = amdProcesses(process?.stdout ?? "", gpus);
    return { sections: processes === null ? sections : { ...sections, processes }, errors };
  }

  /** A release that has renamed the flag once more must cost one tick, not all. */
  #askWithoutViolations(): void {
    if (this.#metric.command === this.#withoutViolations.command) return;
    this.#metric = this.#withoutViolations;
    this.#parts = this.#partsNow();
  }

  /** Keeps the names and ids that a later tick printed. */
  #learn(outputs: PartOutputs): void {
    const statics = itemsByGpu(outputs.get(STATIC.id)?.stdout ?? "");
    const list = itemsByGpu(outputs.get(LIST.id)?.stdout ?? "");
    const isRepeat = outputs.has(STATIC.id) || outputs.has(LIST.id);
    if (this.#statics.byGpu.size === 0) this.#statics = statics;
    if (this.#list.byGpu.size === 0) this.#list = list;
    if (!isRepeat) return;
    this.#repeats += 1;
    this.#parts = this.#partsNow();
  }
}

/** The tool's own message for having no GPU. It needs the groups that own /dev/kfd and /dev/dri. */
function whyNoGpu(output: PartOutput | undefined): string {
  if (output === undefined) return "no answer";
  const printed = outputText(output);
  const hint = /permission|elevat|render|not permitted|access denied/i.test(printed)
    ? " (the user must be in the groups video and render)"
    : "";
  return `${printed === "" ? "it printed no GPU" : printed}${hint}`;
}

/** `AMDSMI Tool: 23.4.2+505b858 | AMDSMI Library version: 24.2.0.0 | ROCm version: 6.1.0` */
function rocmVersionIn(text: string): string | null {
  return /ROCm version:\s*(\d[\w.-]*)/i.exec(text)?.[1] ?? null;
}
