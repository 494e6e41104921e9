/** NVIDIA GPUs by nvidia-smi, drivers 340 to 610 on Linux, WSL and Windows. */
import { ParseError } from "../../contract/errors.js";
import type { Gpu, Process, SectionError } from "../../contract/record.js";
import type { Part, PartOutput, PartOutputs, ProbeContext, Sampler, Shim, ToolVerdict } from "../kit/shim.js";
import { APPS_COMMAND } from "./apps.js";
import {
  fieldsAmong,
  fieldsInHelp,
  PROBE_COMMAND,
  queryCommand,
  TEN_FIELDS,
  whereMigIsEnabled,
} from "./fields.js";
import { hasNoReadings } from "./gpu.js";
import { NVIDIA_HOLDER } from "./holder.js";
import { QueryMemory } from "./memory.js";
import { readQuery, type QueryAnswer } from "./query.js";
import {
  APPS,
  brokenBecause,
  fewOf,
  gpusIn,
  gpusLikeLast,
  LIST,
  processesIn,
  QUERY,
  refusedIn,
  settled,
  XML,
  xmlIn,
} from "./sections.js";

const HELP = "nvidia-smi.help";

const LIST_PART: Part = { id: LIST, kind: "program", command: "{tool} -L" };
const XML_PART: Part = { id: XML, kind: "program", command: "{tool} -q -x" };
const APPS_PART: Part = { id: APPS, kind: "program", command: APPS_COMMAND, isBuffered: true };
/** In the probe, both only where MIG is on: the whole state costs some ten times a query. */
const MIG_PROBE: readonly Part[] = [LIST_PART, XML_PART].map(({ id, command }) => ({
  id,
  kind: "shell",
  command: whereMigIsEnabled(command),
}));

export const nvidiaSmiShim: Shim = {
  id: "nvidia-smi",
  executables: ["nvidia-smi"],

  probe({ include, mode }) {
    const apps = include.has("process") ? [APPS_PART] : [];
    if (mode === "shell")
      return [{ id: QUERY, kind: "shell", command: PROBE_COMMAND }, ...MIG_PROBE, ...apps];
    return [
      { id: QUERY, kind: "program", command: queryCommand(TEN_FIELDS) },
      { id: HELP, kind: "program", command: "{tool} --help-query-gpu" },
      LIST_PART,
      ...apps,
    ];
  },

  judge(outputs, context) {
    const output = outputs.get(QUERY);
    if (output === undefined) throw new ParseError("nvidia-smi: the probe has no answer of it");
    const answer = readQuery(settled(output), TEN_FIELDS);
    const refused = refusedIn(output);
    if (answer.gpus.length === 0 && (refused === null || context.mode === "shell"))
      return { kind: "broken", message: brokenBecause(output, answer.exitCode) };
    const help = outputs.get(HELP)?.stdout;
    const sampler = nvidiaSampler({
      context,
      columns: (help === undefined ? answer.columns : fieldsInHelp(help)).filter(
        (field) => field !== refused,
      ),
      hasMig:
        answer.gpus.some((gpu) => gpu.mig_mode === true) || /\bMIG-/.test(outputs.get(LIST)?.stdout ?? ""),
      probed: { output, answer },
    });
    return verdictOf(answer.gpus, sampler);
  },
};

function verdictOf(gpus: readonly Gpu[], sampler: Sampler): ToolVerdict {
  if (!gpus.every(hasNoReadings)) return { kind: "usable", sampler };
  return { kind: "poor", message: "nvidia-smi lists the GPU and gives no reading of it", sampler };
}

interface Known {
  readonly context: ProbeContext;
  readonly columns: readonly string[];
  readonly hasMig: boolean;
  /** What the probe's query answered. */
  readonly probed: { readonly output: PartOutput; readonly answer: QueryAnswer };
}

/** With processes, keeps the last GPUs that were read: they number them in a tick whose query failed or was not asked. */
function nvidiaSampler({ context, hasMig, ...known }: Known): Sampler {
  let fields = fieldsAmong(known.columns);
  const wantsGpus = context.include.has("gpu");
  const wantsProcesses = context.include.has("process");
  let probed: Known["probed"] | null = known.probed;
  let lastGpus: readonly Gpu[] = wantsProcesses ? probed.answer.gpus : [];
  const memory = hasMig ? null : new QueryMemory();
  const partsNow = (): readonly Part[] => [
    ...(wantsGpus
      ? [{ id: QUERY, kind: "program", command: queryCommand(fields), isBuffered: true } as const]
      : []),
    ...(wantsGpus && hasMig ? [LIST_PART] : []),
    ...((wantsGpus || wantsProcesses) && hasMig ? [XML_PART] : []),
    ...(wantsProcesses ? [APPS_PART] : []),
  ];
  let parts = partsNow();
  /** The probe's answer is the first sample's: it is read once. */
  const answerIn = (outputs: PartOutputs): QueryAnswer | null => {
    const output = outputs.get(QUERY);
    if (output === undefined) return null;
    const answer = output === probed?.output ? probed.answer : null;
    // Held no longer than it is needed: a sampler lives for hours.
    probed = null;
    return answer ?? readQuery(settled(output), fields);
  };
  return {
    get parts() {
      return parts;
    },
    holder: NVIDIA_HOLDER,
    parse(outputs) {
      const errors: SectionError[] = [];
      const xml = hasMig ? xmlIn(outputs, errors, wantsGpus ? "gpu" : "process") : [];
      const sections: { gpus?: readonly Gpu[]; processes?: readonly Process[] } = {};
      if (wantsGpus) {
        const read = gpusLikeLast(outputs, memory) ?? gpusIn(outputs, answerIn(outputs), xml, errors, memory);
        if (read !== null) {
          sections.gpus = read;
          if (wantsProcesses) lastGpus = read;
        }
      }
      if (wantsProcesses) {
        const read = processesIn(outputs, lastGpus, xml, errors);
        if (read !== null) sections.processes = read;
      }
      const told = { sections, errors: fewOf(errors) };
      // A driver that was replaced meanwhile: the next tick asks for what it does know.
      const refused = refusedIn(outputs.get(QUERY));
      if (refused !== null) {
        fields = fields.filter((field) => field !== refused);
        parts = partsNow();
      }
      return isOutdated(sections.gpus, hasMig) || (refused !== null && context.mode === "shell")
        ? { ...told, outdated: true }
        : told;
    },
  };
}

/** MIG that was switched on: the probe's choice of commands is of yesterday. */
function isOutdated(gpus: readonly Gpu[] | undefined, hasMig: boolean): boolean {
  return !hasMig && gpus?.some((gpu) => gpu.mig_mode === true) === true;
}
