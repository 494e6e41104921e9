/** Which records and devices are printed, and how much of each. Plain data, for threads. */
import type { Condition } from "./condition.js";

export interface Selection {
  /** `device`: NDJSON has a line for each device, as CSV always has. */
  readonly rows: "record" | "device";
  /** Null: records of both kinds. */
  readonly only: "frame" | "state" | null;
  /** What is printed meets all of them. With rows of devices they are about the row's device. */
  readonly where: readonly Condition[];
  /** NDJSON without nulls and without what devices repeat of their record. */
  readonly isCompact: boolean;
}

export const EVERYTHING: Selection = { rows: "record", only: null, where: [], isCompact: false };
