/** The sections of one nvidia-smi tick, each with the errors of the parts that it was read from. */
import { ParseError } from "../../contract/errors.js";
import type { Gpu, Process, SectionError } from "../../contract/record.js";
import { partError, outputText } from "../kit/part-output.js";
import type { PartOutput, PartOutputs } from "../kit/shim.js";
import { APPS_FIELDS, readApps, withInstanceIds } from "./apps.js";
import { explainFailure } from "./failures.js";
import { BUS_ID, refusedField } from "./fields.js";
import { readPmon, withPmon } from "./pmon.js";
import { parseGpuList, withMigInstances } from "./mig.js";
import type { QueryAnswer } from "./query.js";
import { readSmiXml, type XmlGpu } from "./xml.js";

export const QUERY = "nvidia-smi.query";
export const LIST = "nvidia-smi.list";
export const XML = "nvidia-smi.xml";
export const APPS = "nvidia-smi.apps";
export const PMON = "nvidia-smi.pmon";

export interface GpuSection {
  /** Null where no GPU could be read; `errors` has the reason. */
  readonly gpus: readonly Gpu[] | null;
  readonly errors: readonly SectionError[];
}

/** `answer`: the query's, null where the query was not run. GPUs come from the XML where the query has none. */
export function gpusIn(outputs: PartOutputs, answer: QueryAnswer | null, xml: readonly XmlGpu[]): GpuSection {
  const output = outputs.get(QUERY);
  if (output === undefined || answer === null || answer.gpus.length === 0) {
    const gpus = xml.map((entry) => entry.gpu);
    return {
      gpus: gpus.length === 0 ? null : withMigInstances(gpus, listIn(outputs), xml),
      errors: [failureOf("gpu", output, answer?.exitCode ?? null)],
    };
  }
  const status = answer.exitCode ?? (output.end.kind === "exit" ? output.end.code : null);
  const errors = answer.errors.map((error) => withExitCode(error, status));
  // A status other than 0 is reported once: with the GPU that it is about, where there is one.
  if (status === null || (status !== 0 && answer.errors.length === 0))
    errors.push(failureOf("gpu", { ...output, stdout: "" }, status));
  return { gpus: withMigInstances(answer.gpus, listIn(outputs), xml), errors };
}

function withExitCode(error: SectionError, status: number | null): SectionError {
  return status === null || status === 0 || error.kind !== "error" ? error : { ...error, exit_code: status };
}

export interface ProcessSection {
  /** Null where the list of processes could not be read; `errors` has the reason. */
  readonly processes: readonly Process[] | null;
  readonly errors: readonly SectionError[];
}

/** `gpus` give the device numbers, `xml` the MIG instances, pmon the graphics processes where it works. */
export function processesIn(
  outputs: PartOutputs,
  gpus: readonly Gpu[],
  xml: readonly XmlGpu[],
  hasPmon: boolean,
): ProcessSection {
  const compute = computeProcessesIn(outputs, gpus, xml);
  if (!hasPmon || compute.processes === null) return compute;
  const output = outputs.get(PMON);
  const rows = output?.end.kind === "exit" && output.end.code === 0 ? readPmon(output.stdout) : null;
  if (rows !== null) return { ...compute, processes: withPmon(compute.processes, rows, gpus) };
  const unread: SectionError = { section: "process", kind: "parse", message: "nvidia-smi pmon: no header" };
  const error = partError("process", "nvidia-smi pmon", output) ?? unread;
  return { processes: withPmon(compute.processes, [], gpus), errors: [...compute.errors, error] };
}

/** Whether pmon answered the probe: boards and drivers without it have no process in it. */
export function worksPmon(outputs: PartOutputs): boolean {
  const output = outputs.get(PMON);
  return output?.end.kind === "exit" && output.end.code === 0 && readPmon(output.stdout) !== null;
}

function computeProcessesIn(
  outputs: PartOutputs,
  gpus: readonly Gpu[],
  xml: readonly XmlGpu[],
): ProcessSection {
  const output = outputs.get(APPS);
  if (output === undefined) return { processes: null, errors: [failureOf("process", output, null)] };
  const answer = readApps(wholeLines(output), gpus, APPS_FIELDS);
  const failed = output.end.kind !== "exit" || output.end.code !== 0;
  if (failed && answer.processes.length === 0)
    return { processes: null, errors: [failureOf("process", output, null)] };
  const errors =
    failed && answer.errors.length === 0
      ? [failureOf("process", { ...output, stdout: "" }, null)]
      : answer.errors;
  return { processes: withInstanceIds(answer.processes, xml), errors };
}

export interface XmlSection {
  readonly xml: readonly XmlGpu[];
  readonly errors: readonly SectionError[];
}

/** `section`: the one that an error is reported for. */
export function xmlIn(outputs: PartOutputs, section: "gpu" | "process"): XmlSection {
  const output = outputs.get(XML);
  // Not run in a plain probe.
  if (output === undefined) return { xml: [], errors: [] };
  try {
    return { xml: readSmiXml(output.stdout), errors: [] };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const failed = partError(section, "nvidia-smi -q -x", output);
    return { xml: [], errors: [failed ?? { section, kind: "parse", message: error.message }] };
  }
}

function listIn(outputs: PartOutputs): ReturnType<typeof parseGpuList> {
  const output = outputs.get(LIST);
  return output === undefined ? [] : parseGpuList(output.stdout);
}

/** The field for which the driver refused the whole query; null where it refused none. */
export function refusedIn(output: PartOutput | undefined): string | null {
  return output === undefined ? null : (refusedField(output.stdout) ?? refusedField(output.stderr));
}

/** Why the probe found no GPU. `markedExit`: the query's status that the probe script printed. */
export function brokenBecause(output: PartOutput, markedExit: number | null): string {
  if (output.end.kind !== "exit")
    return partError("gpu", "nvidia-smi", output)?.message ?? "nvidia-smi printed nothing";
  return explainFailure(messageOf(output), markedExit ?? output.end.code);
}

/** Stdout without the probe's own lines, or else stderr: nvidia-smi prints most of its errors on stdout. */
function messageOf(output: PartOutput): string {
  const stdout = output.stdout.replace(/^@(?:fields|exit|kept|state) .*$/gm, "").trim();
  return stdout === "" ? output.stderr : stdout;
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
  const message = explainFailure(messageOf(output) || outputText(output), code);
  return { section, kind: "error", message, ...(code === 0 ? {} : { exit_code: code }) };
}

const LAST_CELL = /, ([^,\s]+)$/;

/**
 * Stdout without a last line that may be cut. A tool that was killed leaves half a line, whose last number may be half a
 * number. The shell strips the last newline of a buffered part, so only the end of the text shows whether it is whole.
 */
export function wholeLines(output: PartOutput): string {
  const { stdout, end } = output;
  if (end.kind === "exit" || stdout.endsWith("\n")) return stdout;
  // The bus id is the last field of the query: no cut row ends with a whole one.
  if (BUS_ID.test(LAST_CELL.exec(stdout)?.[1] ?? "")) return stdout;
  return stdout.slice(0, stdout.lastIndexOf("\n") + 1);
}
