/**
 * `--fail-on`: one comparison of a record's values with a literal, as `gpu.temperature>85` or `state!=connected`.
 *
 *     condition = path operator literal
 *     path      = a record's field, or a section's name (gpu for gpus), then fields by dots; a list means each element
 *     operator  = > >= < <= == (or =) !=
 *     literal   = number, true, false, null, "text", 'text' or bare text
 */
import { cleanText } from "../lib/text.js";
import { valuesAt } from "./dot-path.js";
import { isRecordKey, KEY_OF_SECTION, SECTIONS, type StreamRecord } from "./record.js";

type Literal = number | string | boolean | null;
export type FailCondition = { readonly text: string; readonly keys: readonly string[] } & (
  | { readonly operator: "==" | "!="; readonly literal: Literal }
  | { readonly operator: ">" | ">=" | "<" | "<="; readonly literal: number }
);

export type ParsedCondition =
  | { readonly kind: "condition"; readonly condition: FailCondition }
  | { readonly kind: "problem"; readonly problem: string };

const FORM = 'write PATH OPERATOR VALUE, as "gpu.temperature>85" or "state!=connected"';
const SECTION_KEYS: ReadonlyMap<string, string> = new Map(
  SECTIONS.map((section) => [section, KEY_OF_SECTION[section]]),
);
/** Never throws. */
export function parseFailCondition(text: string): ParsedCondition {
  const bad = (problem: string): ParsedCondition => ({ kind: "problem", problem });
  const shown = `"${cleanText(text)}"`;
  const match = /^\s*([A-Za-z_][\w-]*(?:\.[\w-]+)*)\s*(>=|<=|==|!=|>|<|=)\s*(\S(?:.*\S)?)\s*$/.exec(text);
  const [, path, sign, literalText] = match ?? [];
  if (path === undefined || sign === undefined || literalText === undefined) {
    return bad(`${shown} is not a condition; ${FORM}`);
  }
  const [first = "", ...rest] = path.split(".");
  const key = SECTION_KEYS.get(first) ?? first;
  if (!isRecordKey(key)) {
    return bad(
      `${shown} names no field "${first}" of a record; start with a section (${SECTIONS.join(", ")}) or a field such as state`,
    );
  }
  const keys = [key, ...rest];
  const literal = parseLiteral(literalText);
  if (literal === undefined) return bad(`${shown} compares with something that is no value; ${FORM}`);
  switch (sign) {
    case "==":
    case "=":
      return { kind: "condition", condition: { text, keys, operator: "==", literal } };
    case "!=":
      return { kind: "condition", condition: { text, keys, operator: "!=", literal } };
    case ">":
    case ">=":
    case "<":
    case "<=":
      if (typeof literal !== "number")
        return bad(`${shown} orders by something that is not a number; ${sign} takes a number`);
      return { kind: "condition", condition: { text, keys, operator: sign, literal } };
    default:
      return bad(`${shown} has an unknown operator; ${FORM}`);
  }
}

/**
 * Whether any value at the path satisfies the comparison. Only records with a tick count: a transition is no reading.
 * A missing value is null and satisfies nothing but `==null` (and `!=` never).
 */
export function conditionHolds(condition: FailCondition, record: StreamRecord): boolean {
  if (record.tick === null) return false;
  return valuesAt(record, condition.keys).some((value) => satisfies(value ?? null, condition));
}

function satisfies(value: unknown, condition: FailCondition): boolean {
  switch (condition.operator) {
    case "==":
      return value === condition.literal;
    case "!=":
      return condition.literal === null ? value !== null : value !== null && value !== condition.literal;
    case ">":
      return typeof value === "number" && value > condition.literal;
    case ">=":
      return typeof value === "number" && value >= condition.literal;
    case "<":
      return typeof value === "number" && value < condition.literal;
    case "<=":
      return typeof value === "number" && value <= condition.literal;
  }
}

function parseLiteral(text: string): Literal | undefined {
  if (/^-?(\d+(\.\d+)?|\.\d+)$/.test(text)) return Number(text);
  if (text === "true") return true;
  if (text === "false") return false;
  if (text === "null") return null;
  const quoted = /^"([^"]*)"$/.exec(text) ?? /^'([^']*)'$/.exec(text);
  if (quoted?.[1] !== undefined) return quoted[1];
  return /["'<>=!]/.test(text) ? undefined : text;
}
