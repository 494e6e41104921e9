/** What the table knows of one host: its last record, and its last reading, which stays on screen while the next is late. */
import type { FrameRecord, StreamRecord } from "../../contract/record.js";
import { outcomeOf, type OutcomeKind } from "../../outcome/host-outcome.js";
import { NO_SUMMARY, summaryOf, type Summary } from "./summary.js";

/** A reading that is older is shown no more. */
const MAX_AGE_MS = 60_000;
const SECOND_MS = 1000;
const MAX_SECONDS = 120;

/** From well to worst. */
const SICKNESSES = [
  "well",
  "late",
  "unknown",
  "hot",
  "warning",
  "critical",
  "errors",
  "unreachable",
] as const;
type Sickness = (typeof SICKNESSES)[number];
const SICKNESS_OF: Readonly<Record<OutcomeKind, Sickness>> = {
  ok: "well",
  pending: "well",
  unknown: "unknown",
  warning: "warning",
  critical: "critical",
  errors: "errors",
  unreachable: "unreachable",
};
export const MAX_WELL_RANK = SICKNESSES.indexOf("late");

export class SeenHost {
  #frame: FrameRecord | null;
  #summary: Summary | null = null;
  #rank: number | null = null;

  /** `record`: the last one. */
  constructor(private record: StreamRecord) {
    this.#frame = record.record === "frame" ? record : null;
  }

  take(record: StreamRecord): void {
    this.record = record;
    this.#rank = null;
    if (record.record !== "frame") return;
    this.#frame = record;
    this.#summary = null;
  }

  get last(): StreamRecord {
    return this.record;
  }

  /** The reading that is shown: of the last record, or a late one while it is not too old. Null: none. */
  reading(nowMs: number): FrameRecord | null {
    if (this.record.record === "frame") return this.record;
    return this.lateMs(nowMs) === null ? null : this.#frame;
  }

  /** How old the reading is where the last record has none; null where it has one, and where there is none to show. */
  lateMs(nowMs: number): number | null {
    if (this.record.record === "frame" || this.#frame === null) return null;
    const age = Math.max(0, nowMs - Date.parse(this.#frame.timestamp));
    return age <= MAX_AGE_MS ? age : null;
  }

  /** Of `reading`, also of a late one. */
  summary(nowMs: number): Summary {
    const frame = this.reading(nowMs);
    if (frame === null) return NO_SUMMARY;
    this.#summary ??= summaryOf(frame);
    return this.#summary;
  }

  /** How far up it stands: unreachable, with errors, with findings, hot; up to MAX_WELL_RANK nothing is wrong. */
  get rank(): number {
    this.#rank ??= SICKNESSES.indexOf(this.#sickness());
    return this.#rank;
  }

  #sickness(): Sickness {
    const { record } = this;
    // Its last reading is still under way: slow, not sick.
    if (record.record === "state" && record.state === "connected" && this.#frame !== null) return "late";
    const sickness = SICKNESS_OF[outcomeOf(record).kind];
    const isHot = record.record === "frame" && (sickness === "well" || sickness === "unknown");
    if (!isHot) return sickness;
    this.#summary ??= summaryOf(record);
    return this.#summary.heat === "hot" ? "hot" : sickness;
  }
}

/** As `4 s ago` or `3 min ago`. */
export function ageText(ms: number): string {
  const seconds = Math.round(ms / SECOND_MS);
  return seconds <= MAX_SECONDS ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}
