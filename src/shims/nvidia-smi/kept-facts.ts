/** What of nvidia-smi is kept between runs: the fields that it knows, and the CUDA version that `--version` prints. */
import type { PartOutput, ToolFacts } from "../kit/shim.js";
import { fieldsAmong, TEN_FIELDS } from "./fields.js";
import type { QueryAnswer } from "./query.js";
import { cudaVersionIn } from "./seldom.js";

/**
 * Driver version, file of the tool, `new` where it is newer than the loader's cache, and the loader's path. It stands in
 * double quotes of a script, so nothing in it may mean anything there.
 */
const STATE = /^\d[\d.]{0,31} [\w/.+:,@-]{1,200} (?:new )?[\w/.+:,@-]{0,200}$/;
const CUDA_VERSION = /^\d{1,3}(?:\.\d{1,3}){1,2}$/;

/**
 * The facts to keep: the same ones where they still held. Undefined where the tool's state is not known, or not all went
 * well. `version`: the answer to `--version`.
 */
export function factsAfter(
  { probe, exitCode, errors }: QueryAnswer,
  version: PartOutput | undefined,
  kept: ToolFacts | undefined,
): ToolFacts | undefined {
  if (probe?.isOfKept === true) return kept;
  if (probe === undefined || probe.toolState === null) return undefined;
  if (exitCode !== 0 || errors.length > 0 || version?.end.kind !== "exit") return undefined;
  const facts: ToolFacts = {
    state: probe.toolState,
    values: { fields: probe.asked.join(","), cuda: cudaVersionIn(version.stdout) ?? "" },
  };
  return nvidiaAssignments(facts) === null ? undefined : facts;
}

/** For Shim.assignmentsOf: the state in `$kt`, the fields in `$kq`. */
export function nvidiaAssignments({ state, values }: ToolFacts): string | null {
  const { fields = "", cuda = "" } = values;
  const asked = fieldsAmong(fields.split(","));
  // Fewer than ten: no help has listed them.
  if (!STATE.test(state) || asked.join() !== fields || asked.length < TEN_FIELDS.length) return null;
  if (cuda !== "" && !CUDA_VERSION.test(cuda)) return null;
  return `kt="${state}"; kq=${asked.join()}`;
}

/** Null where the tool prints none. */
export function cudaVersionKept(facts: ToolFacts | undefined): string | null {
  const cuda = facts?.values["cuda"] ?? "";
  return CUDA_VERSION.test(cuda) ? cuda : null;
}
