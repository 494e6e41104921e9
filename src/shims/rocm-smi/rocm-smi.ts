/**
 * AMD's rocm-smi of ROCm 4 to 7 (deprecated in favour of amd-smi, still on most hosts), and its fork, Hygon's hy-smi.
 * Source: rocm_smi.py of ROCm/rocm_smi_lib, from rocm-4.0 to rocm-7.0.
 */
import type { Gpu, Process, SectionError, Sections } from "../../contract/record.js";
import { acceleratorProcess, uuidsByIndex } from "../kit/accelerator.js";
import { amdSysfsIn, amdSysfsPart } from "../kit/amd-sysfs.js";
import { bytesCell, integerCell, textCell } from "../kit/cells.js";
import { partError, outputText } from "../kit/part-output.js";
import type { Part, PartOutput, PartOutputs, ProbeContext, Reading, Shim, ToolVerdict } from "../kit/shim.js";
import { cardsIn, gpuOf, type Values } from "./cards.js";

// Flags that every release since ROCm 4.0 has: the whole command fails for an unknown flag.
const FLAGS =
  "--showuse --showmemuse --showtemp --showpower --showmaxpower --showclocks --showfan --showperflevel" +
  " --showmeminfo vram --showid --showuniqueid --showserial --showbus --showproductname --showdriverversion";

const METRICS = "rocm-smi.metrics";
const PROCESS_GPUS = "rocm-smi.process-gpus";
const SYSFS = amdSysfsPart("rocm-smi.sysfs", true);

function parts(context: ProbeContext): readonly Part[] {
  const processes = context.include.has("process");
  const metrics: Part = {
    id: METRICS,
    kind: "program",
    command: `{tool} ${FLAGS}${processes ? " --showpids" : ""} --json`,
  };
  // --showpids prints only how many GPUs a process uses. This prints text even with --json.
  const gpusOfProcesses: Part = { id: PROCESS_GPUS, kind: "program", command: "{tool} --showpidgpus" };
  return processes ? [metrics, gpusOfProcesses] : [metrics];
}

export const rocmSmiShim: Shim = {
  id: "rocm-smi",
  maker: { vendor: "amd", pci: ["0x1002", "0x1d94"] },
  executables: ["rocm-smi", "hy-smi"],
  probe: (context) => [
    ...parts(context),
    ...(context.mode === "shell" && context.include.has("gpu") ? [SYSFS] : []),
  ],
  judge(outputs, context): ToolVerdict {
    const metrics = outputs.get(METRICS);
    if (metrics === undefined || cardsIn(metrics.stdout).cards.size === 0)
      return { kind: "broken", message: whyNoCard(metrics) };
    const hasSysfs = amdSysfsIn(outputs.get(SYSFS.id)?.stdout ?? "").size > 0;
    const tick = [...parts(context), ...(hasSysfs ? [SYSFS] : [])];
    return { kind: "usable", sampler: { parts: tick, parse: (answers) => parse(answers, context) } };
  },
};

function addressOf(card: Values): string {
  return textCell(card.get("pci bus"))?.toLowerCase() ?? "";
}

/** The tool's own message for having no card. */
function whyNoCard(output: PartOutput | undefined): string {
  const printed = output === undefined ? "" : outputText(output);
  return printed === "" ? "rocm-smi printed no card" : `rocm-smi: ${printed}`;
}

function parse(outputs: PartOutputs, context: ProbeContext): Reading {
  const metrics = outputs.get(METRICS);
  const found = cardsIn(metrics?.stdout ?? "");
  const errors: SectionError[] = [];
  const failed = partError("gpu", "rocm-smi", metrics, found.cards.size > 0);
  if (failed !== null) errors.push(failed);
  else if (found.cards.size === 0)
    errors.push({ section: "gpu", kind: "error", message: whyNoCard(metrics) });
  if (context.include.has("process")) {
    const failedList = partError("process", "rocm-smi --showpidgpus", outputs.get(PROCESS_GPUS));
    if (failedList !== null) errors.push(failedList);
  }
  if (found.cut) errors.push({ section: "gpu", kind: "parse", message: "rocm-smi: the JSON is cut short" });

  const driver = textCell(found.system.get("driver version"));
  const sysfs = amdSysfsIn(outputs.get(SYSFS.id)?.stdout ?? "");
  const gpus = [...found.cards]
    .sort(([a], [b]) => a - b)
    .map(([index, card]) => gpuOf(index, card, driver, sysfs.get(addressOf(card))));
  const sections: Sections = {
    ...(context.include.has("gpu") && gpus.length > 0 ? { gpus } : {}),
    ...(context.include.has("process") && gpus.length > 0
      ? { processes: processesOf(found.system, gpus, outputs.get(PROCESS_GPUS)?.stdout ?? "") }
      : {}),
  };
  return { sections, errors };
}

/**
 * The system's `PIDnnn` entries: `name, GPUs, VRAM bytes, SDMA, CU occupancy`, where the name may have commas. The memory
 * of a process on several GPUs is one sum, so that it has no single device. `gpuLists`: the output of `--showpidgpus`.
 */
function processesOf(system: Values, gpus: readonly Gpu[], gpuLists: string): readonly Process[] {
  const gpusOfPid = pidGpus(gpuLists);
  const uuidOf = uuidsByIndex(gpus);
  return [...system].flatMap(([key, value]) => {
    const pid = Number(/^pid\s?(\d{1,10})$/.exec(key)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid) || typeof value !== "string") return [];
    const cells = value.split(",").map((cell) => cell.trim());
    if (cells.length < 5) return [];
    const [count, vram] = cells.slice(-4);
    const indices = gpusOfPid.get(pid) ?? (gpus.length === 1 && count === "1" ? [gpus[0]?.index ?? 0] : []);
    const only = indices.length === 1 ? indices[0] : undefined;
    return [
      acceleratorProcess({
        pid,
        process_name: textCell(cells.slice(0, -4).join(", ")),
        device_id: only ?? null,
        device_uuid: only === undefined ? null : uuidOf(only),
        used_memory: bytesCell(vram, "B"),
        uses_gpu: integerCell(count) !== 0,
        ...(indices.length > 1 ? { device_ids: indices } : {}),
      }),
    ];
  });
}

/** `PID 1234 is using 2 DRM device(s):` with the indices on the next line. */
function pidGpus(text: string): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, readonly number[]>();
  for (const match of text.matchAll(/PID (\d{1,10}) is using \d+ DRM device\(s\):[ \t]*\r?\n?([\d \t]*)/g)) {
    const indices = (match[2] ?? "").split(/\s+/).filter((index) => index !== "");
    found.set(Number(match[1]), indices.map(Number));
  }
  return found;
}
