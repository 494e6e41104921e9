/**
 * Whether a condition holds in a record, and for which devices. Three-valued (Kleene): a comparison with a missing reading
 * is neither true nor false, so that `not gpu.temperature > 85` does not hold for a GPU whose temperature is unknown.
 * Only `== null` and `!= null` look at what is missing.
 */
import { valuesAt } from "../contract/dot-path.js";
import { KEY_OF_SECTION, type Section, type StreamRecord } from "../contract/record.js";
import type { Condition, Expression, Operand, Operator, Scalar } from "../contract/condition.js";
import { every, some, type Truth } from "./truth.js";

/** Where a condition held. */
export interface Match {
  /** As `gpu 3`; null where it is the host's. */
  readonly device: string | null;
  /** The comparisons that made it true, as `temperature 87 > 85`. */
  readonly reason: string;
}

type Device = Readonly<Record<string, unknown>>;
/** The device of each section that the expression is evaluated for. A section that is missing or empty has none. */
type Row = ReadonlyMap<Section, { readonly device: Device; readonly position: number }>;

interface Scope {
  readonly record: StreamRecord;
  readonly row: Row;
}

/** Every match in the record, in the order of its devices; ignores `for N ticks`. At most `limit`. */
export function matchesOf(condition: Condition, record: StreamRecord, limit: number): readonly Match[] {
  const matches: Match[] = [];
  for (const row of rowsOf(record, condition.sections)) {
    const scope = { record, row };
    if (truthOf(condition.expression, scope) !== true) continue;
    matches.push({ device: labelOf(row), reason: reasonsOf(condition.expression, scope).join(" and ") });
    if (matches.length >= limit) break;
  }
  return matches;
}

/** True when it holds for some device; null when it holds for none, and for some it is unknown. */
export function truthIn(condition: Condition, record: StreamRecord): Truth {
  return some(rowsOf(record, condition.sections), (row) => truthOf(condition.expression, { record, row }));
}

/** One device of a record. */
export interface DeviceAt {
  readonly section: Section;
  readonly device: Device;
  readonly position: number;
}

/** The same for one device, or for a row that has none (null). What other sections have is unknown. */
export function truthFor({ expression }: Condition, record: StreamRecord, at: DeviceAt | null): Truth {
  const row: Row = new Map(at === null ? [] : [[at.section, at]]);
  return truthOf(expression, { record, row });
}

/** Whether the record has any reading at this operand: a signal that is never there is no pass. */
export function hasReading(operand: Operand, record: StreamRecord): boolean {
  const { section } = operand;
  if (operand.kind === "count") return devicesOf(record, operand.section) !== undefined;
  const keys = section === null ? operand.keys : [KEY_OF_SECTION[section], ...operand.keys];
  return valuesAt(record, keys).some((value) => value !== undefined && value !== null);
}

function* rowsOf(record: StreamRecord, sections: readonly Section[]): Generator<Row, void> {
  const [section, ...others] = sections;
  if (section === undefined) {
    yield new Map();
    return;
  }
  const devices = devicesOf(record, section) ?? [];
  for (const row of rowsOf(record, others)) {
    if (devices.length === 0) yield row;
    for (const [position, device] of devices.entries())
      yield new Map([[section, { device, position }], ...row]);
  }
}

function devicesOf(record: StreamRecord, section: Section): readonly Device[] | undefined {
  if (record.record !== "frame") return undefined;
  const devices: readonly object[] | undefined = record[KEY_OF_SECTION[section]];
  return devices as readonly Device[] | undefined;
}

function truthOf(expression: Expression, scope: Scope): Truth {
  switch (expression.kind) {
    case "not": {
      const truth = truthOf(expression.term, scope);
      return truth === null ? null : !truth;
    }
    case "and":
      return every(expression.terms, (term) => truthOf(term, scope));
    case "or":
      return some(expression.terms, (term) => truthOf(term, scope));
    case "compare":
    case "in":
      return compared(expression, scope);
  }
}

type Comparison = Expression & { readonly kind: "compare" | "in" };

function compared(comparison: Comparison, scope: Scope): Truth {
  const { operand } = comparison;
  if (operand.kind === "count") return countTruth(comparison, countOf(operand, scope));
  const values = valuesOf(operand, scope);
  return values.length === 0 ? null : some(values, (value) => valueTruth(comparison, value));
}

/** A list gives its elements; a missing field is one null. None where the section was read and has no device. */
function valuesOf(
  { section, keys }: Operand & { readonly kind: "field" },
  { record, row }: Scope,
): readonly unknown[] {
  if (section === null) return valuesAt(record, keys);
  const found = row.get(section);
  if (found !== undefined) return valuesAt(found.device, keys);
  return devicesOf(record, section) === undefined ? [undefined] : [];
}

function valueTruth(comparison: Comparison, value: unknown): Truth {
  if (comparison.kind === "in")
    return some(comparison.literals, (literal) => satisfies(value, "==", literal));
  return satisfies(value, comparison.operator, comparison.literal);
}

/** Undefined: there is no device or record of this kind, of which nothing is known. */
function satisfies(value: unknown, operator: Operator, literal: Scalar): Truth {
  const known = value ?? null;
  if (operator === "==" || operator === "!=") {
    if (known === null && literal !== null) return null;
    return (known === literal) === (operator === "==");
  }
  if (typeof known !== "number" || typeof literal !== "number") return null;
  switch (operator) {
    case ">":
      return known > literal;
    case ">=":
      return known >= literal;
    case "<":
      return known < literal;
    case "<=":
      return known <= literal;
  }
}

/** From the devices that certainly count to those that may. */
interface Count {
  readonly least: number;
  readonly most: number;
}

/** Null where the section was not read. */
function countOf(operand: Operand & { readonly kind: "count" }, scope: Scope): Count | null {
  const { section, where } = operand;
  const devices = devicesOf(scope.record, section);
  if (devices === undefined) return null;
  if (where === null) return { least: devices.length, most: devices.length };
  const truths = devices.map((device, position) =>
    truthOf(where, { record: scope.record, row: new Map([[section, { device, position }]]) }),
  );
  const least = truths.filter((truth) => truth === true).length;
  return { least, most: least + truths.filter((truth) => truth === null).length };
}

function countTruth(comparison: Comparison, count: Count | null): Truth {
  if (count === null) return null;
  const truths = new Set<Truth>();
  // Every count between is possible; comparisons with a number change at most twice on the way.
  for (let each = count.least; each <= count.most; each++) truths.add(valueTruth(comparison, each));
  return truths.size === 1 ? ([...truths][0] ?? null) : null;
}

/** The true comparisons of an expression that is true; a negation stands for itself. */
function reasonsOf(expression: Expression, scope: Scope): readonly string[] {
  switch (expression.kind) {
    case "and":
      return expression.terms.flatMap((term) => reasonsOf(term, scope));
    case "or": {
      const first = expression.terms.find((term) => truthOf(term, scope) === true);
      return first === undefined ? [] : reasonsOf(first, scope);
    }
    case "not":
      return [`not ${textOf(expression.term)}`];
    case "compare":
    case "in":
      return [reasonOf(expression, scope)];
  }
}

function reasonOf(comparison: Comparison, scope: Scope): string {
  const { operand } = comparison;
  const right = rightOf(comparison);
  if (operand.kind === "count") {
    const count = countOf(operand, scope);
    const shown =
      count === null
        ? "?"
        : count.least === count.most
          ? `${count.least}`
          : `${count.least} to ${count.most}`;
    return `${operand.text} ${shown} ${right}`;
  }
  const value = valuesOf(operand, scope).find((each) => valueTruth(comparison, each) === true);
  const name = operand.section === null ? operand.text : operand.keys.join(".");
  return `${name} ${shownValue(value)} ${right}`;
}

function shownValue(value: unknown): string {
  if (value === undefined || value === null) return "null";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function rightOf(comparison: Comparison): string {
  return comparison.kind === "in"
    ? `in (${comparison.literals.map(shownValue).join(", ")})`
    : `${comparison.operator} ${shownValue(comparison.literal)}`;
}

function textOf(expression: Expression): string {
  switch (expression.kind) {
    case "and":
    case "or":
      return `(${expression.terms.map(textOf).join(` ${expression.kind} `)})`;
    case "not":
      return `not ${textOf(expression.term)}`;
    case "compare":
    case "in":
      return `${expression.operand.text} ${rightOf(expression)}`;
  }
}

/** As `gpu 3`: devices are named by their index where they have one, processes by their pid. */
export function deviceLabel({ section, device, position }: DeviceAt): string {
  const id = section === "process" ? device["pid"] : device["index"];
  return `${section} ${typeof id === "number" || typeof id === "string" ? id : position}`;
}

function labelOf(row: Row): string | null {
  const labels = [...row].map(([section, at]) => deviceLabel({ section, ...at }));
  return labels.length === 0 ? null : labels.join(", ");
}
