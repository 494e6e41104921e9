/** The type of a field in the references of records: docs/records.md and the manual page. */
import type { Shape } from "../src/contract/field-table.js";

/** As `array of numbers or null`. */
export function typeText({ type, nullable, items, entries }: Shape): string {
  const name = typeof type === "string" ? type : type.join(" or ");
  const inner = items ?? entries;
  const whole = inner === undefined ? name : `${name} of ${typeText(inner)}s`;
  return nullable === true ? `${whole} or null` : whole;
}
