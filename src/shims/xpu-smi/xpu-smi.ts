/**
 * Intel's xpu-smi. 1.x prints JSON for one device per call, and total memory only in that device's `discovery`. 2.0 has
 * --query-gpu, as nvidia-smi, for all devices at once. Source: xpumanager's smi_user_guide.md (1.x) and overview.rst (2.0).
 */
import type { Gpu, SectionError, Sections } from "../../contract/record.js";
import { firstErrors, partError, outputText } from "../kit/part-output.js";
import type { Part, PartOutputs, ProbeContext, Reading, Sampler, Shim, ToolVerdict } from "../kit/shim.js";
import { devicesIn, gpusInJson, xpuProcesses, type XpuDevices } from "./gpu.js";
import { XPU_QUERY_FIELDS, gpusInCsv } from "./query.js";

const DISCOVERY: Part = { id: "xpu-smi.discovery", kind: "program", command: "{tool} discovery -j" };
const PROCESSES: Part = { id: "xpu-smi.ps", kind: "program", command: "{tool} ps -j" };
const STATS = "xpu-smi.stats";
const QUERY = `{tool} --query-gpu=${XPU_QUERY_FIELDS} --format=csv,noheader,nounits`;

// Each device's id is on a line of its own, as `"device_id": 0,`; in "pci_device_id" more characters come before it.
const EACH_DEVICE =
  `for d in $(b {tool} discovery -j | sed -n "s/^ *.device_id.: *//p" | tr -d ",");` +
  " do b {tool} discovery -d $d -j; b {tool} stats -d $d -j; done";

function processParts(context: ProbeContext): readonly Part[] {
  return context.include.has("process") ? [PROCESSES] : [];
}

export const xpuSmiShim: Shim = {
  id: "xpu-smi",
  maker: { vendor: "intel", pci: ["0x8086"] },
  executables: ["xpu-smi", "xpumcli"],
  probe: (context) => [
    DISCOVERY,
    context.mode === "plain"
      ? { id: STATS, kind: "program", command: QUERY }
      : { id: STATS, kind: "shell", command: `b ${QUERY} 2>/dev/null || { ${EACH_DEVICE}; }` },
    ...processParts(context),
  ],
  judge(outputs, context): ToolVerdict {
    const known = devicesIn(textOf(outputs));
    const hasQuery = gpusInCsv(outputs.get(STATS)?.stdout ?? "").gpus.length > 0;
    if (known.size === 0 && !hasQuery) {
      const discovery = outputs.get(DISCOVERY.id);
      const printed = discovery === undefined ? "" : outputText(discovery);
      return { kind: "broken", message: `xpu-smi: ${printed === "" ? "it printed no device" : printed}` };
    }
    const parts = [...statsParts([...known.keys()], hasQuery, context), ...processParts(context)];
    return { kind: "usable", sampler: new XpuSmiSampler(parts, known, context) };
  },
};

/** What a tick runs: 2.0's one query, or 1.x's `stats` of each device. */
function statsParts(ids: readonly number[], hasQuery: boolean, context: ProbeContext): readonly Part[] {
  if (hasQuery) return [{ id: STATS, kind: "program", command: QUERY }];
  if (context.mode === "shell")
    return [
      { id: STATS, kind: "shell", command: ids.map((id) => `b {tool} stats -d ${String(id)} -j`).join("; ") },
    ];
  return ids.flatMap((id): readonly Part[] => [
    { id: `${STATS}-${String(id)}`, kind: "program", command: `{tool} stats -d ${String(id)} -j` },
    { id: `xpu-smi.device-${String(id)}`, kind: "program", command: `{tool} discovery -d ${String(id)} -j` },
  ]);
}

class XpuSmiSampler implements Sampler {
  #known: XpuDevices;
  constructor(
    readonly parts: readonly Part[],
    known: XpuDevices,
    readonly context: ProbeContext,
  ) {
    this.#known = known;
  }

  parse(outputs: PartOutputs): Reading {
    const text = textOf(outputs);
    this.#known = new Map([...this.#known, ...devicesIn(text)]);
    const csv = gpusInCsv(outputs.get(STATS)?.stdout ?? "");
    const json = gpusInJson(text, this.#known);
    const gpus: readonly Gpu[] = csv.gpus.length > 0 ? csv.gpus : json.gpus;
    const errors: SectionError[] = csv.gpus.length > 0 ? [...csv.errors] : [...json.errors];
    // The probe also runs 2.0's query, which fails on 1.x. Only the parts of a tick count.
    for (const { id } of this.parts.filter((part) => outputs.has(part.id))) {
      const section = id === PROCESSES.id ? "process" : "gpu";
      const failed = partError(section, "xpu-smi", outputs.get(id), gpus.length > 0);
      if (failed !== null) errors.push(failed);
    }
    const sections: Sections = {
      ...(this.context.include.has("gpu") && gpus.length > 0 ? { gpus } : {}),
      ...(this.context.include.has("process") && outputs.has(PROCESSES.id)
        ? { processes: xpuProcesses(outputs.get(PROCESSES.id)?.stdout ?? "", gpus) }
        : {}),
    };
    return { sections, errors: firstErrors(errors) };
  }
}

/** The text of all parts but `ps`: a document's keys show what it is about. */
function textOf(outputs: PartOutputs): string {
  return [...outputs]
    .filter(([id]) => id !== PROCESSES.id)
    .map(([, output]) => output.stdout)
    .join("\n");
}
