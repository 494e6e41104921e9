/**
 * AMD's rocm-smi, ROCm 4 to 7 (deprecated in favour of amd-smi, still on most hosts), and Hygon's hy-smi, its fork.
 * Source: rocm_smi.py of ROCm/rocm_smi_lib, from rocm-4.0 to rocm-7.0.
 */
import type { SectionError, Sections } from "../../contract/record.js";
import { textCell } from "../kit/cells.js";
import { partError, outputText } from "../kit/part-output.js";
import type { Part, PartOutputs, ProbeContext, Reading, Shim, ToolVerdict } from "../kit/shim.js";
import { cardsIn, gpuOf } from "./cards.js";
import { processesOf } from "./processes.js";

// Flags that every release since ROCm 4.0 has: an unknown one would fail the whole command.
const FLAGS =
  "--showuse --showmemuse --showtemp --showpower --showmaxpower --showclocks --showfan --showperflevel" +
  " --showmeminfo vram --showid --showuniqueid --showserial --showbus --showproductname --showdriverversion";

const METRICS = "rocm-smi.metrics";
const PROCESS_GPUS = "rocm-smi.process-gpus";

function parts(context: ProbeContext): readonly Part[] {
  const processes = context.include.has("process");
  const metrics: Part = {
    id: METRICS,
    kind: "program",
    command: `{tool} ${FLAGS}${processes ? " --showpids" : ""} --json`,
  };
  // Its answer is text also under --json, and --showpids tells only how many GPUs a process uses.
  const gpusOfProcesses: Part = { id: PROCESS_GPUS, kind: "program", command: "{tool} --showpidgpus" };
  return processes ? [metrics, gpusOfProcesses] : [metrics];
}

export const rocmSmiShim: Shim = {
  id: "rocm-smi",
  maker: { vendor: "amd", pci: ["0x1002", "0x1d94"] },
  executables: ["rocm-smi", "hy-smi"],
  probe: parts,
  judge(outputs, context): ToolVerdict {
    const metrics = outputs.get(METRICS);
    if (metrics === undefined || cardsIn(metrics.stdout).cards.size === 0) {
      const said = metrics === undefined ? "" : outputText(metrics);
      return { kind: "broken", message: said === "" ? "rocm-smi printed no card" : `rocm-smi: ${said}` };
    }
    return {
      kind: "usable",
      sampler: { parts: parts(context), parse: (answers) => parse(answers, context) },
    };
  },
};

function parse(outputs: PartOutputs, context: ProbeContext): Reading {
  const metrics = outputs.get(METRICS);
  const found = cardsIn(metrics?.stdout ?? "");
  const errors: SectionError[] = [];
  const failed = partError("gpu", "rocm-smi", metrics, found.cards.size > 0);
  if (failed !== null) errors.push(failed);
  else if (found.cards.size === 0) {
    const said = metrics === undefined ? "" : outputText(metrics);
    const message = said === "" ? "rocm-smi printed no card" : `rocm-smi: ${said}`;
    errors.push({ section: "gpu", kind: "error", message });
  }
  if (context.include.has("process")) {
    const failedList = partError("process", "rocm-smi --showpidgpus", outputs.get(PROCESS_GPUS));
    if (failedList !== null) errors.push(failedList);
  }
  if (found.cut) errors.push({ section: "gpu", kind: "parse", message: "rocm-smi: the JSON is cut short" });

  const driver = textCell(found.system.get("driver version"));
  const gpus = [...found.cards].sort(([a], [b]) => a - b).map(([index, card]) => gpuOf(index, card, driver));
  const sections: Sections = {
    ...(context.include.has("gpu") && gpus.length > 0 ? { gpus } : {}),
    ...(context.include.has("process") && gpus.length > 0
      ? { processes: processesOf(found.system, gpus, outputs.get(PROCESS_GPUS)?.stdout ?? "") }
      : {}),
  };
  return { sections, errors };
}
