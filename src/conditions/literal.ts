/** The other side of a comparison: a number, a boolean, null or text, which must fit the field that it is compared with. */
import { closestName } from "../lib/closest-name.js";
import type { Operand, Operator, Scalar } from "../contract/condition.js";
import type { Section } from "../contract/record.js";
import { Problem } from "./lexer.js";

/** Which fields there are. `problemOf` returns what is wrong with a path, as a phrase, or null when a record can have it. */
export interface FieldNames {
  /** `section` null: a field of the record itself. */
  problemOf(section: Section | null, keys: readonly string[]): string | null;
  /** What may stand on the other side of the field's `==`: a comparison with anything else never holds. */
  valuesOf(section: Section | null, keys: readonly string[]): FieldValues;
}

export type FieldValues =
  | { readonly kind: "any" | "number" | "text" }
  /** These texts, or booleans as texts. */
  | { readonly kind: "fixed"; readonly values: readonly string[] };

/** Throws Problem where the field, or the count, can never have that value. */
export function checkLiteral(
  fields: FieldNames,
  operand: Operand,
  operator: Operator,
  literal: Scalar,
): void {
  const isOrder = operator !== "==" && operator !== "!=";
  if ((isOrder || operand.kind === "count") && typeof literal !== "number")
    throw new Problem(`${operand.text} ${operator} takes a number, not ${JSON.stringify(literal)}`);
  if (isOrder || operand.kind === "count" || literal === null) return;
  const taken = fields.valuesOf(operand.section, operand.keys);
  if (taken.kind === "number" && typeof literal !== "number")
    throw new Problem(`${operand.text} is a number, not ${JSON.stringify(literal)}`);
  if (taken.kind !== "fixed" || taken.values.includes(String(literal))) return;
  const closest = closestName(String(literal), taken.values);
  const hint = closest === undefined ? `not ${JSON.stringify(literal)}` : `did you mean ${closest}?`;
  throw new Problem(`${operand.text} is one of ${taken.values.join(", ")}; ${hint}`);
}

/** Bare text as what it most likely means. */
export function scalarOf(text: string): Scalar {
  if (/^[-+]?(\d+(\.\d+)?|\.\d+)$/.test(text)) return Number(text);
  if (text === "true") return true;
  if (text === "false") return false;
  return text === "null" ? null : text;
}
