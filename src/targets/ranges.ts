/**
 * `dgx-[01-16,20]` to names, as `nodeset -e` (ClusterShell 1.9, RangeSet.py) and Slurm write ranges: comma lists, zero
 * padding and `/step`, several ranges in one name. `[fe80::1]` stays an address.
 */
import { cleanText } from "../lib/text.js";

export type Expansion =
  | { readonly kind: "names"; readonly names: readonly string[] }
  /** What is wrong and what to do, without file and line. */
  | { readonly kind: "problem"; readonly problem: string };

/** Hosts of one run. A slip of the keyboard such as `[1-10000000000]` must not fill the memory. */
export const MAX_HOSTS = 100_000;
const MAX_DIGITS = 15;
const ADVICE = "write it as [01-16,20] or [0-30/2]";

interface Span {
  readonly first: number;
  readonly step: number;
  readonly count: number;
  /** Digits, with zeros in front; 0: none are added. */
  readonly width: number;
}

/** The names in the order written, at most `limit`. Never throws. */
export function expandRanges(text: string, limit = MAX_HOSTS): Expansion {
  let names: readonly string[] = [""];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("[", at);
    const literal = text.slice(at, open === -1 ? undefined : open);
    if (open === -1) return { kind: "names", names: appended(names, [literal]) };
    const close = text.indexOf("]", open);
    if (close === -1) return bad(text, "has a [ without its ]");
    const inside = text.slice(open + 1, close);
    at = close + 1;
    if (inside.includes(":")) {
      names = appended(names, [`${literal}[${inside}]`]);
      continue;
    }
    const spans = parseSpans(inside);
    if (typeof spans === "string") return bad(text, spans);
    const count = spans.reduce((sum, span) => sum + span.count, 0) * names.length;
    if (count > limit) return bad(text, `is more than ${MAX_HOSTS} hosts`);
    names = appended(
      names,
      spans.flatMap(numbers).map((number) => literal + number),
    );
  }
  return { kind: "names", names };
}

function bad(text: string, why: string): Expansion {
  return { kind: "problem", problem: `"${cleanText(text)}" ${why}; ${ADVICE}` };
}

function appended(names: readonly string[], ends: readonly string[]): readonly string[] {
  return names.flatMap((name) => ends.map((end) => name + end));
}

function parseSpans(inside: string): readonly Span[] | string {
  const spans: Span[] = [];
  for (const written of inside.split(",")) {
    const span = parseSpan(written.trim());
    if (typeof span === "string") return span;
    spans.push(span);
  }
  return spans;
}

function parseSpan(written: string): Span | string {
  const shown = cleanText(written);
  const match = /^(\d+)(?:\s*-\s*(\d+)(?:\/(\d+))?)?$/.exec(written);
  const [, begin, end = begin, by = "1"] = match ?? [];
  if (begin === undefined || end === undefined)
    return `has "[${shown}]", which is neither a range nor an IPv6 address`;
  if (Math.max(begin.length, end.length, by.length) > MAX_DIGITS) return `has a number that is too long`;
  const isPadded = /^0\d/.test(begin) || /^0\d/.test(end);
  if (isPadded && begin.length !== end.length)
    return `has the range ${shown}, whose ends have different numbers of digits`;
  const [first, last, step] = [Number(begin), Number(end), Number(by)];
  if (last < first) return `has the range ${shown}, which ends before it begins`;
  if (step === 0) return `has the range ${shown} with a step of 0`;
  return {
    first,
    step,
    count: Math.floor((last - first) / step) + 1,
    width: isPadded ? begin.length : 0,
  };
}

function numbers({ first, step, count, width }: Span): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(first + index * step).padStart(width, "0"));
}
