/** A fleet in one line: the last line of a run, and the one below the table. */
import { cleanText } from "../lib/text.js";
import { hostsIn, type OutcomeCounts, type Problem } from "./fleet-outcome.js";
import { OUTCOME_KINDS, type OutcomeKind } from "./host-outcome.js";

export interface FleetLine {
  /** As `60 hosts`. */
  readonly total: string;
  /** As `57 ok` and `1 unreachable (gpu-060: no answer within 10 s)`, from fine to worst. */
  readonly parts: readonly LinePart[];
}

export interface LinePart {
  readonly kind: OutcomeKind;
  readonly hosts: number;
  readonly text: string;
}

/** How much a line has of each kind: hosts that it names, and characters of each one's reason; 0: names alone. */
interface Detail {
  readonly named: number;
  readonly reasonChars: number;
}

/** From the most to the least. How many hosts there are of each kind is in every line. */
const DETAILS: readonly Detail[] = [
  { named: 3, reasonChars: 100 },
  { named: 3, reasonChars: 60 },
  { named: 3, reasonChars: 40 },
  { named: 2, reasonChars: 60 },
  { named: 2, reasonChars: 40 },
  { named: 1, reasonChars: 60 },
  { named: 1, reasonChars: 40 },
  { named: 1, reasonChars: 25 },
  { named: 3, reasonChars: 0 },
  { named: 1, reasonChars: 0 },
];
const NO_DETAIL: Detail = { named: 0, reasonChars: 0 };

/**
 * As `60 hosts: 57 ok, 2 with errors (gpu-050: gpu: NVML mismatch; ...), 1 unreachable (gpu-060: no answer)`. `fits`
 * decides which text is short enough; where none is, the shortest.
 */
export function fleetLine(
  counts: OutcomeCounts,
  problems: readonly Problem[],
  fits: (text: string) => boolean = () => true,
): FleetLine {
  const hosts = hostsIn(counts);
  const total = hosts === 1 ? "1 host" : `${hosts} hosts`;
  for (const detail of DETAILS) {
    const line = { total, parts: partsOf(counts, problems, detail) };
    if (fits(lineText(line))) return line;
  }
  return { total, parts: partsOf(counts, problems, NO_DETAIL) };
}

export function lineText({ total, parts }: FleetLine): string {
  return `${total}: ${parts.map(({ text }) => text).join(", ")}`;
}

function partsOf(
  counts: OutcomeCounts,
  problems: readonly Problem[],
  { named, reasonChars }: Detail,
): readonly LinePart[] {
  return OUTCOME_KINDS.filter((kind) => kind === "ok" || counts[kind] > 0).map((kind) => {
    const shown = problems.filter((problem) => problem.kind === kind).slice(0, named);
    const texts = shown.map(({ host, reason }) =>
      reasonChars === 0 ? host : `${host}: ${shortened(reason, reasonChars)}`,
    );
    const all = shown.length > 0 && counts[kind] > shown.length ? [...texts, "..."] : texts;
    const names = all.length === 0 ? "" : ` (${cleanText(all.join(reasonChars === 0 ? ", " : "; "))})`;
    return { kind, hosts: counts[kind], text: `${counts[kind]} ${NAMES[kind]}${names}` };
  });
}

const NAMES: Readonly<Record<OutcomeKind, string>> = {
  ok: "ok",
  unknown: "unknown",
  warning: "warning",
  critical: "critical",
  errors: "with errors",
  pending: "pending",
  unreachable: "unreachable",
};

function shortened(reason: string, maxChars: number): string {
  return reason.length > maxChars ? `${reason.slice(0, maxChars - 3)}...` : reason;
}
