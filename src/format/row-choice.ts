/** Which records and rows are printed: `--frames-only`, `--states-only`, `--where`. */
import { truthFor, truthIn } from "../conditions/evaluate.js";
import type { StreamRecord } from "../contract/record.js";
import type { Selection } from "../contract/selection.js";
import type { Row } from "./rows/device-rows.js";

type Choice = Pick<Selection, "only" | "where">;

/** Where a condition is unknown, it does not hold. */
export function isRecordChosen({ only, where }: Choice, record: StreamRecord): boolean {
  return isKindChosen(only, record) && where.every((condition) => truthIn(condition, record) === true);
}

/** Conditions are about the row's own device. */
export function isRowChosen({ only, where }: Choice, { record, at }: Row): boolean {
  if (!isKindChosen(only, record)) return false;
  const device =
    at === null || at.device === null ? null : { section: at.section, device: at.device, position: at.place };
  return where.every((condition) => truthFor(condition, record, device) === true);
}

function isKindChosen(only: Choice["only"], { record }: StreamRecord): boolean {
  return only === null || only === record;
}
