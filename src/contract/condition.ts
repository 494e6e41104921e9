/** Conditions on records as plain data, which can be sent to a thread. `parse.ts` has the grammar. */
import type { Section } from "./record.js";

export type Scalar = number | string | boolean | null;
export type Operator = "==" | "!=" | ">" | ">=" | "<" | "<=";

/** What a comparison reads. `text` is it as typed. */
export type Operand =
  /** A field of a record (`section` null) or of each device of a section. A list on the way stands for its elements. */
  | {
      readonly kind: "field";
      readonly section: Section | null;
      readonly keys: readonly string[];
      readonly text: string;
    }
  /** How many devices a section has, or how many of them `where` holds for. */
  | {
      readonly kind: "count";
      readonly section: Section;
      readonly where: Expression | null;
      readonly text: string;
    };

export type Expression =
  | { readonly kind: "and" | "or"; readonly terms: readonly Expression[] }
  | { readonly kind: "not"; readonly term: Expression }
  | {
      readonly kind: "compare";
      readonly operand: Operand;
      readonly operator: Operator;
      readonly literal: Scalar;
    }
  | { readonly kind: "in"; readonly operand: Operand; readonly literals: readonly Scalar[] };

/** One `--fail-on`. */
export interface Condition {
  /** As typed. */
  readonly text: string;
  readonly expression: Expression;
  /** The sections whose devices it is evaluated for, each combination of them; empty: for the record alone. */
  readonly sections: readonly Section[];
  /** Holds only after so many ticks of a host in a row (`for 3 ticks`). */
  readonly ticks: number;
}

/**
 * The operands whose absence from every record makes a check meaningless: readings of devices, counts, and labels. Not
 * those that are only there when something is wrong (`error`, `last_error`), nor those that are compared with null.
 */
export function* signalsOf(expression: Expression): Generator<Operand, void> {
  switch (expression.kind) {
    case "and":
    case "or":
      for (const term of expression.terms) yield* signalsOf(term);
      break;
    case "not":
      yield* signalsOf(expression.term);
      break;
    case "compare":
    case "in": {
      const { operand } = expression;
      const isForNull = expression.kind === "compare" && expression.literal === null;
      if (!isForNull && isSignal(operand)) yield operand;
      if (operand.kind === "count" && operand.where !== null) yield* signalsOf(operand.where);
    }
  }
}

function isSignal(operand: Operand): boolean {
  if (operand.kind === "count") return true;
  const [first] = operand.keys;
  return operand.section === null ? first === "labels" : first !== "error";
}

/** The sections that fields outside a count name: the expression is evaluated for each of their devices. */
export function rowSections(expression: Expression): readonly Section[] {
  switch (expression.kind) {
    case "and":
    case "or":
      return [...new Set(expression.terms.flatMap(rowSections))];
    case "not":
      return rowSections(expression.term);
    case "compare":
    case "in": {
      const { operand } = expression;
      return operand.kind === "field" && operand.section !== null ? [operand.section] : [];
    }
  }
}
