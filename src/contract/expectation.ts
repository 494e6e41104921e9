/**
 * What an operator expects of a host: `--expect gpus=8,driver=580.*` and the hostfile's labels `expect.gpus=8`.
 *
 *     expectation = key "=" value
 *     key         = gpus | gpu | driver | vbios
 *     value       = NUMBER | VERSION | GLOB (* and ?) | ">=" VERSION | "<=" VERSION | VERSION ".." VERSION
 *
 * Versions are compared number by number, as far as the range's end goes: 580.9 is before 580.65, and 580.95.05 is in
 * `..580`. A number is a version of one part.
 */
import { cleanText } from "../lib/text.js";
import { matchPattern } from "../lib/wildcard.js";

/** How many devices of the section there are, the model's name, the driver's and the VBIOS's version. */
const EXPECTATION_KEYS = ["gpus", "gpu", "driver", "vbios"] as const;
export type ExpectationKey = (typeof EXPECTATION_KEYS)[number];

/** Plain data, for threads. */
export interface Expectation {
  readonly key: ExpectationKey;
  /** As typed. */
  readonly text: string;
  readonly wanted:
    | { readonly kind: "pattern"; readonly pattern: string }
    /** Both ends belong to it; null: open. */
    | { readonly kind: "range"; readonly from: string | null; readonly to: string | null };
}

export type ParsedExpectation =
  | { readonly kind: "expectation"; readonly expectation: Expectation }
  | { readonly kind: "problem"; readonly problem: string };

const VERSION = /^\d{1,9}(?:\.\d{1,9}){0,7}$/;
/** Labels with this prefix are expectations. */
export const EXPECT_LABEL = "expect.";

/** `key=value`. Never throws. */
export function parseExpectation(typed: string): ParsedExpectation {
  const shown = `"${cleanText(typed)}"`;
  const bad = (why: string): ParsedExpectation => ({ kind: "problem", problem: `${shown} ${why}` });
  const at = typed.indexOf("=");
  const [name, text] = at < 0 ? [typed, ""] : [typed.slice(0, at).trim(), typed.slice(at + 1).trim()];
  const key = EXPECTATION_KEYS.find((each) => each === name);
  if (key === undefined) return bad(`is not one of ${EXPECTATION_KEYS.join(", ")} with =VALUE, as gpus=8`);
  if (text === "") return bad("has no value; write KEY=VALUE, as gpus=8 or driver=580.*");
  const wanted = wantedOf(text);
  if (wanted === null)
    return bad("has a range whose ends are no versions; write as 580.65..580.95 or >=580.65");
  if (key === "gpus" && wanted.kind === "pattern" && !/^\d{1,6}$/.test(text))
    return bad("takes a number of GPUs or a range, as gpus=8 or gpus=4..8");
  if (key === "gpu" && /^\d+$/.test(text))
    return bad(`takes the name of a model, as gpu=*H100*; gpus=${text} expects so many GPUs`);
  return { kind: "expectation", expectation: { key, text, wanted } };
}

/** What is wrong with a label, where it is an expectation; null: nothing. */
export function labelProblem(name: string, value: string): string | null {
  if (!name.startsWith(EXPECT_LABEL)) return null;
  const parsed = parseExpectation(`${name.slice(EXPECT_LABEL.length)}=${value}`);
  return parsed.kind === "problem" ? `the label ${name}: ${parsed.problem}` : null;
}

function wantedOf(text: string): Expectation["wanted"] | null {
  const between = /^(.*?)\.\.(.*)$/.exec(text);
  const from = between?.[1] ?? /^>=\s*(.*)$/.exec(text)?.[1];
  const to = between?.[2] ?? /^<=\s*(.*)$/.exec(text)?.[1];
  if (from === undefined && to === undefined) return { kind: "pattern", pattern: text };
  const ends = [from ?? "", to ?? ""].map((end) => (end === "" ? null : end));
  if (ends.every((end) => end === null) || ends.some((end) => end !== null && !VERSION.test(end)))
    return null;
  return { kind: "range", from: ends[0] ?? null, to: ends[1] ?? null };
}

/** Whether a reading is what was expected. Text that is no version is in no range. */
export function isExpected({ wanted }: Expectation, value: string): boolean {
  if (wanted.kind === "pattern") return matchPattern(value, wanted.pattern);
  if (!VERSION.test(value)) return false;
  const isAfter = wanted.from === null || compareVersions(value, wanted.from) >= 0;
  return isAfter && (wanted.to === null || compareVersions(value, wanted.to) <= 0);
}

/** By the parts that the bound has: 580.95.05 is neither before nor after 580. */
function compareVersions(version: string, bound: string): number {
  const parts = version.split(".").map(Number);
  for (const [at, wanted] of bound.split(".").map(Number).entries()) {
    const difference = (parts[at] ?? -1) - wanted;
    if (difference !== 0) return difference;
  }
  return 0;
}
