/** NVIDIA GPUs by nvidia-smi, drivers 340 to 595 on Linux, WSL and Windows. */
import { ParseError } from "../errors.js";
import type { Gpu, Process, SectionError } from "../record.js";
import { APPS_COMMAND, APPS_FIELDS, readApps, withInstanceIds } from "./nvidia-smi-apps.js";
import { explainFailure } from "./nvidia-smi-failures.js";
import {
  fieldsAmong,
  fieldsInHelp,
  PROBE_COMMAND,
  queryCommand,
  TEN_FIELDS,
  whereMigIsEnabled,
} from "./nvidia-smi-fields.js";
import { tellsNothing } from "./nvidia-smi-gpu.js";
import { NVIDIA_HOLDER } from "./nvidia-smi-holder.js";
import { QueryMemory } from "./nvidia-smi-memory.js";
import { readList, withMigInstances } from "./nvidia-smi-mig.js";
import { readQuery, type QueryAnswer } from "./nvidia-smi-query.js";
import { readSmiXml, type XmlGpu } from "./nvidia-smi-xml.js";
import { partError, whatItSaid } from "./part-output.js";
import type { Part, PartOutput, PartOutputs, ProbeContext, Sampler, Shim, Verdict } from "./shim.js";

const QUERY = "nvidia-smi.query";
const HELP = "nvidia-smi.help";
const LIST = "nvidia-smi.list";
const XML = "nvidia-smi.xml";
const APPS = "nvidia-smi.apps";

const LIST_PART: Part = { id: LIST, kind: "program", command: "{tool} -L" };
const XML_PART: Part = { id: XML, kind: "program", command: "{tool} -q -x" };
const APPS_PART: Part = { id: APPS, kind: "program", command: APPS_COMMAND };
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
    if (answer.gpus.length === 0) return { kind: "broken", message: brokenBecause(output, answer.exitCode) };
    const help = outputs.get(HELP)?.stdout;
    const sampler = nvidiaSampler({
      context,
      columns: help === undefined ? answer.columns : fieldsInHelp(help),
      hasMig:
        answer.gpus.some((gpu) => gpu.mig_mode === true) || /\bMIG-/.test(outputs.get(LIST)?.stdout ?? ""),
      probed: { output, answer },
    });
    return verdictOf(answer.gpus, sampler);
  },
};

function verdictOf(gpus: readonly Gpu[], sampler: Sampler): Verdict {
  if (!gpus.every(tellsNothing)) return { kind: "usable", sampler };
  return { kind: "poor", message: "nvidia-smi lists the GPU and gives no reading of it", sampler };
}

function brokenBecause(output: PartOutput, markedExit: number | null): string {
  if (output.end.kind !== "exit")
    return partError("gpu", "nvidia-smi", output)?.message ?? "nvidia-smi told nothing";
  return explainFailure(wordsOf(output), markedExit ?? output.end.code);
}

/** Stdout without the probe's own lines, or else stderr: nvidia-smi says most of its errors on stdout. */
function wordsOf(output: PartOutput): string {
  const stdout = output.stdout.replace(/^@(?:fields|exit) .*$/gm, "").trim();
  return stdout === "" ? output.stderr : stdout;
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
  const fields = fieldsAmong(known.columns);
  const wantsGpus = context.include.has("gpu");
  const wantsProcesses = context.include.has("process");
  let probed: Known["probed"] | null = known.probed;
  let lastGpus: readonly Gpu[] = wantsProcesses ? probed.answer.gpus : [];
  const memory = hasMig ? null : new QueryMemory();
  const parts = [
    ...(wantsGpus ? [{ id: QUERY, kind: "program", command: queryCommand(fields) } as const] : []),
    ...(wantsGpus && hasMig ? [LIST_PART] : []),
    ...((wantsGpus || wantsProcesses) && hasMig ? [XML_PART] : []),
    ...(wantsProcesses ? [APPS_PART] : []),
  ];
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
    parts,
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
      return isOutdated(sections.gpus, errors, hasMig) ? { ...told, outdated: true } : told;
    },
  };
}

/** Another driver, which knows other fields, or MIG that was switched on: the probe's choice of commands is of yesterday. */
function isOutdated(
  gpus: readonly Gpu[] | undefined,
  errors: readonly SectionError[],
  hasMig: boolean,
): boolean {
  if (!hasMig && gpus?.some((gpu) => gpu.mig_mode === true) === true) return true;
  return errors.some(({ message }) => /is not a valid field to query/i.test(message));
}

/** The whole answer, when it is like the last tick's but for its readings. */
function gpusLikeLast(outputs: PartOutputs, memory: QueryMemory | null): readonly Gpu[] | null {
  const output = outputs.get(QUERY);
  if (memory === null || output?.end.kind !== "exit" || output.end.code !== 0) return null;
  return memory.read(output.stdout);
}

/** Null, and an error, where no GPU could be read. */
function gpusIn(
  outputs: PartOutputs,
  answer: QueryAnswer | null,
  xml: readonly XmlGpu[],
  errors: SectionError[],
  memory: QueryMemory | null,
): readonly Gpu[] | null {
  const output = outputs.get(QUERY);
  if (output === undefined || answer === null || answer.gpus.length === 0) {
    errors.push(failureOf("gpu", output, answer?.exitCode ?? null));
    const gpus = xml.map((told) => told.gpu);
    return gpus.length === 0 ? null : withMigInstances(gpus, listIn(outputs), xml);
  }
  memory?.remember(output.stdout, answer);
  const status = answer.exitCode ?? (output.end.kind === "exit" ? output.end.code : null);
  errors.push(...answer.errors.map((error) => withExitCode(error, status)));
  // A status other than 0 is told once: by the GPU that it is about where there is one.
  if (status === null || (status !== 0 && answer.errors.length === 0))
    errors.push(failureOf("gpu", { ...output, stdout: "" }, status));
  return withMigInstances(answer.gpus, listIn(outputs), xml);
}

function withExitCode(error: SectionError, status: number | null): SectionError {
  return status === null || status === 0 || error.kind !== "error" ? error : { ...error, exit_code: status };
}

function processesIn(
  outputs: PartOutputs,
  gpus: readonly Gpu[],
  xml: readonly XmlGpu[],
  errors: SectionError[],
): readonly Process[] | null {
  const output = outputs.get(APPS);
  const failed = output === undefined || output.end.kind !== "exit" || output.end.code !== 0;
  const answer = output === undefined ? null : readApps(settled(output), gpus, APPS_FIELDS);
  if (output === undefined || answer === null || (failed && answer.processes.length === 0)) {
    errors.push(failureOf("process", output, null));
    return null;
  }
  errors.push(...answer.errors);
  if (failed && answer.errors.length === 0)
    errors.push(failureOf("process", { ...output, stdout: "" }, null));
  return withInstanceIds(answer.processes, xml);
}

function xmlIn(outputs: PartOutputs, errors: SectionError[], section: "gpu" | "process"): readonly XmlGpu[] {
  const output = outputs.get(XML);
  // Not asked for in a plain probe.
  if (output === undefined) return [];
  try {
    return readSmiXml(output.stdout);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const ended = partError(section, "nvidia-smi -q -x", output);
    errors.push(ended ?? { section, kind: "parse", message: error.message });
    return [];
  }
}

function listIn(outputs: PartOutputs): ReturnType<typeof readList> {
  return readList(outputs.get(LIST)?.stdout ?? "");
}

function failureOf(
  section: "gpu" | "process",
  output: PartOutput | undefined,
  markedExit: number | null,
): SectionError {
  if (output?.end.kind !== "exit")
    return (
      partError(section, "nvidia-smi", output) ?? { section, kind: "error", message: "nvidia-smi: no answer" }
    );
  const code = markedExit ?? output.end.code;
  const message = explainFailure(wordsOf(output) || whatItSaid(output), code);
  return { section, kind: "error", message, ...(code === 0 ? {} : { exit_code: code }) };
}

/** A tool that was ended in the middle leaves half a line, whose last number may be half a number. */
function settled(output: PartOutput): string {
  const { stdout, end } = output;
  if (end.kind === "exit" || stdout.endsWith("\n")) return stdout;
  return stdout.slice(0, stdout.lastIndexOf("\n") + 1);
}

const MOST_ERRORS = 32;

/** Against output that is thousands of lines of something else. */
function fewOf(errors: readonly SectionError[]): readonly SectionError[] {
  const [first, ...rest] = errors.slice(MOST_ERRORS);
  if (first === undefined) return errors;
  const left = { ...first, message: `${first.message} (and ${rest.length} more)` };
  return [...errors.slice(0, MOST_ERRORS), left];
}
