/** Lines of `--format otlp-json`, read strictly: what opentelemetry-proto v1.11.0 and its JSON encoding do not have fails. */
import assert from "node:assert/strict";
import type { StreamRecord } from "../../../src/contract/record.js";
import { createOtlpFormatter } from "../../../src/format/otlp-json.js";

export interface Point {
  readonly resource: Readonly<Record<string, string>>;
  readonly metric: string;
  readonly unit: string;
  readonly kind: "gauge" | "counter" | "updowncounter";
  readonly attributes: Readonly<Record<string, string>>;
  readonly start: string | null;
  readonly time: string;
  readonly value: number;
}

/** What a new formatter prints of the records, in one batch. */
export function otlpText(records: readonly StreamRecord[]): string {
  return createOtlpFormatter({}).format(records);
}

export function pointsOf(records: readonly StreamRecord[]): readonly Point[] {
  return otlpText(records).trimEnd().split("\n").flatMap(readLine);
}

type Fields = Readonly<Record<string, unknown>>;

/** Every point of a line. Fails for a field that no message has, a type that the encoding does not allow, and a series twice. */
export function readLine(line: string): readonly Point[] {
  const request = fields(JSON.parse(line), ["resourceMetrics"]);
  return list(request["resourceMetrics"]).flatMap((each) => {
    const { resource, scopeMetrics } = fields(each, ["resource", "scopeMetrics", "schemaUrl"]);
    const named = attributesIn(fields(resource, ["attributes"])["attributes"]);
    return list(scopeMetrics).flatMap((scoped) => {
      const { scope, metrics } = fields(scoped, ["scope", "metrics", "schemaUrl"]);
      assert.equal(fields(scope, ["name", "version"])["name"], "allsmi-ssh");
      const names = list(metrics).map((metric) => (metric as Fields)["name"]);
      assert.equal(new Set(names).size, names.length, "each metric is once in a scope");
      return list(metrics).flatMap((metric) => metricPoints(metric, named));
    });
  });
}

function metricPoints(value: unknown, resource: Point["resource"]): readonly Point[] {
  const metric = fields(value, ["name", "description", "unit", "gauge", "sum"]);
  const name = text(metric["name"]);
  // "Instrument name syntax" and "Instrument unit" of the metrics API.
  assert.match(name, /^[A-Za-z][A-Za-z0-9_./-]{0,254}$/);
  const unit = metric["unit"] === undefined ? "" : text(metric["unit"]);
  assert.match(unit, /^[\u0021-\u007e]{0,63}$/);
  assert.ok(text(metric["description"]).endsWith("."));
  const { gauge, sum } = metric;
  assert.ok((gauge === undefined) !== (sum === undefined), `${name} is one of gauge and sum`);
  const kind = gauge !== undefined ? "gauge" : kindOf(sum);
  const data = fields(gauge ?? sum, ["dataPoints", "aggregationTemporality", "isMonotonic"]);
  const points = list(data["dataPoints"]).map((point) =>
    pointIn(point, { resource, metric: name, unit, kind }),
  );
  assert.ok(points.length > 0, `${name} has a point`);
  const series = points.map(({ attributes }) => JSON.stringify(Object.entries(attributes).sort()));
  assert.equal(new Set(series).size, series.length, `${name} has each series once: ${series.join()}`);
  return points;
}

function kindOf(sum: unknown): Point["kind"] {
  // What is false may be left out.
  const { aggregationTemporality, isMonotonic = false } = sum as Fields;
  // An enum is a number, and 2 is cumulative.
  assert.equal(aggregationTemporality, 2);
  assert.equal(typeof isMonotonic, "boolean");
  return isMonotonic === true ? "counter" : "updowncounter";
}

function pointIn(value: unknown, about: Pick<Point, "resource" | "metric" | "unit" | "kind">): Point {
  const point = fields(value, ["attributes", "startTimeUnixNano", "timeUnixNano", "asDouble", "asInt"]);
  const { asDouble, asInt, startTimeUnixNano: start } = point;
  assert.ok((asDouble === undefined) !== (asInt === undefined), `${about.metric} has one value`);
  if (asDouble !== undefined) assert.ok(typeof asDouble === "number" && Number.isFinite(asDouble));
  else assert.match(text(asInt), /^-?\d{1,16}$/);
  return {
    ...about,
    attributes: attributesIn(point["attributes"]),
    start: start === undefined ? null : fixed64(start),
    time: fixed64(point["timeUnixNano"]),
    value: Number(asDouble ?? asInt),
  };
}

function attributesIn(value: unknown): Readonly<Record<string, string>> {
  // A list that is empty may be left out, as the Collector does.
  const pairs = list(value ?? []).map((each) => {
    const { key, value: own } = fields(each, ["key", "value"]);
    assert.notEqual(text(key), "");
    return [text(key), text(fields(own, ["stringValue"])["stringValue"])] as const;
  });
  const found = Object.fromEntries(pairs);
  assert.equal(Object.keys(found).length, pairs.length, "a key is there once");
  return found;
}

function fixed64(value: unknown): string {
  const number = text(value);
  assert.match(number, /^\d+$/);
  assert.ok(BigInt(number) < 2n ** 64n);
  return number;
}

function fields(value: unknown, known: readonly string[]): Fields {
  assert.ok(typeof value === "object" && value !== null && !Array.isArray(value));
  for (const key of Object.keys(value)) assert.ok(known.includes(key), `no field ${key}`);
  return value as Fields;
}

function list(value: unknown): readonly unknown[] {
  assert.ok(Array.isArray(value));
  return value as readonly unknown[];
}

function text(value: unknown): string {
  assert.equal(typeof value, "string");
  return value as string;
}
