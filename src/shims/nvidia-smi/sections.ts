/** What a tick of nvidia-smi told, by section: each part's answer, and the errors where one failed. */
import { ParseError } from "../../contract/errors.js";
import type { Gpu, Process, SectionError } from "../../contract/record.js";
import { partError, outputText } from "../kit/part-output.js";
import type { PartOutput, PartOutputs } from "../kit/shim.js";
import { APPS_FIELDS, readApps, withInstanceIds } from "./apps.js";
import { explainFailure } from "./failures.js";
import { BUS_ID, refusedField } from "./fields.js";
import type { QueryMemory } from "./memory.js";
import { parseGpuList, withMigInstances } from "./mig.js";
import type { QueryAnswer } from "./query.js";
import { readSmiXml, type XmlGpu } from "./xml.js";

export const QUERY = "nvidia-smi.query";
export const LIST = "nvidia-smi.list";
export const XML = "nvidia-smi.xml";
export const APPS = "nvidia-smi.apps";

/** The whole answer, when it is like the last tick's but for its readings. */
export function gpusLikeLast(outputs: PartOutputs, memory: QueryMemory | null): readonly Gpu[] | null {
  const output = outputs.get(QUERY);
  if (memory === null || output?.end.kind !== "exit" || output.end.code !== 0) return null;
  return memory.read(output.stdout);
}

/** Null, and an error, where no GPU could be read. */
export function gpusIn(
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
  // Not as arguments: of thousands there is no room on the stack.
  for (const error of answer.errors) errors.push(withExitCode(error, status));
  // A status other than 0 is told once: by the GPU that it is about where there is one.
  if (status === null || (status !== 0 && answer.errors.length === 0))
    errors.push(failureOf("gpu", { ...output, stdout: "" }, status));
  return withMigInstances(answer.gpus, listIn(outputs), xml);
}

function withExitCode(error: SectionError, status: number | null): SectionError {
  return status === null || status === 0 || error.kind !== "error" ? error : { ...error, exit_code: status };
}

export function processesIn(
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
  for (const error of answer.errors) errors.push(error);
  if (failed && answer.errors.length === 0)
    errors.push(failureOf("process", { ...output, stdout: "" }, null));
  return withInstanceIds(answer.processes, xml);
}

export function xmlIn(
  outputs: PartOutputs,
  errors: SectionError[],
  section: "gpu" | "process",
): readonly XmlGpu[] {
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

function listIn(outputs: PartOutputs): ReturnType<typeof parseGpuList> {
  return parseGpuList(outputs.get(LIST)?.stdout ?? "");
}

/** The field for which the driver refused the whole query, if it did so. */
export function refusedIn(output: PartOutput | undefined): string | null {
  return output === undefined ? null : (refusedField(output.stdout) ?? refusedField(output.stderr));
}

/** Why the probe found no GPU. */
export function brokenBecause(output: PartOutput, markedExit: number | null): string {
  if (output.end.kind !== "exit")
    return partError("gpu", "nvidia-smi", output)?.message ?? "nvidia-smi told nothing";
  return explainFailure(messageOf(output), markedExit ?? output.end.code);
}

/** Stdout without the probe's own lines, or else stderr: nvidia-smi says most of its errors on stdout. */
function messageOf(output: PartOutput): string {
  const stdout = output.stdout.replace(/^@(?:fields|exit) .*$/gm, "").trim();
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
 * A tool that was ended in the middle leaves half a line, whose last number may be half a number. Of a brief part's last
 * line nobody knows whether it had its end, but for what it ends with.
 */
export function settled(output: PartOutput): string {
  const { stdout, end } = output;
  if (end.kind === "exit" || stdout.endsWith("\n")) return stdout;
  // The bus id is asked for last: no row that was cut ends with a whole one.
  if (BUS_ID.test(LAST_CELL.exec(stdout)?.[1] ?? "")) return stdout;
  return stdout.slice(0, stdout.lastIndexOf("\n") + 1);
}

const MAX_ERRORS = 32;

/** Against output that is thousands of lines of something else. */
export function fewOf(errors: readonly SectionError[]): readonly SectionError[] {
  const [first, ...rest] = errors.slice(MAX_ERRORS);
  if (first === undefined) return errors;
  const left = { ...first, message: `${first.message} (and ${rest.length} more)` };
  return [...errors.slice(0, MAX_ERRORS), left];
}
