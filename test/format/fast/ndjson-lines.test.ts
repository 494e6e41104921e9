/** The fast NDJSON writer gives the bytes of the plain one, `ndjsonLine`. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Field, FieldMap, Shape } from "../../../src/contract/field-table.js";
import { SECTION_FIELDS } from "../../../src/contract/fields.js";
import { KEY_OF_SECTION, SECTIONS, type StreamRecord } from "../../../src/contract/record.js";
import { JsonBytes } from "../../../src/format/fast/json-bytes.js";
import { JsonTemplates } from "../../../src/format/fast/json-templates.js";
import { NdjsonLines } from "../../../src/format/fast/ndjson-lines.js";
import { createNdjsonFormatter, ndjsonLine } from "../../../src/format/ndjson.js";
import { GOLDEN_ROOT } from "../../support/golden.js";
import { frame } from "../../support/records.js";
import { propertyRuns } from "../../support/property-runs.js";

const ndjson = createNdjsonFormatter({ isOnce: false });

/** One writer for all, so that it has templates from earlier values; null where it leaves a value to JSON.stringify. */
const bytes = new JsonBytes();
const templates = new JsonTemplates(bytes);
function written(value: unknown): string | null {
  const isPlain = templates.write(value);
  const text = bytes.takeText();
  return isPlain ? text : null;
}

/** As JSON.stringify, with control characters escaped and lone surrogates replaced. */
function stringified(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll(
      /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    )
    .replaceAll(/(?<=(?:^|[^\\])(?:\\\\)*)\\ud[89a-f]../g, "\\ufffd");
}

const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.integer({ min: -1_000_000, max: 1_000_000_000 }).map((thousandths) => thousandths / 1000),
  fc.integer({ min: 0, max: 81_559 }).map((mebibytes) => mebibytes * 1024 ** 2),
  fc.constantFrom(0, -0, 1e9, 1e9 - 1, 1e15, 1e15 - 1, 1e21, 0.001, 0.0005, 999_999.999, 1e6 + 0.5, 2 ** 53),
);
const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("", "\ud800", "\u007f"));
const key = fc.oneof({ weight: 8, arbitrary: fc.constantFrom("a", "b", "gpu", "1") }, fc.string());
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false),
    number,
    text,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value;

describe("a writer with templates from earlier values", () => {
  test("writes any value as JSON.stringify does", () => {
    fc.assert(
      fc.property(json, (value) => {
        assert.equal(written(value), stringified(value));
      }),
      { numRuns: propertyRuns(600) },
    );
  });

  test("writes devices with the same keys as JSON.stringify does", () => {
    const value = fc.oneof(
      number,
      text,
      fc.constantFrom(null, true),
      fc.record({ serial: text }, { noNullPrototype: true }),
    );
    const device = fc.record(
      { index: fc.nat(2), name: text, used: value, detail: value, host: text },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(device, { maxLength: 8 }), (devices) => {
        assert.equal(written(devices), stringified(devices));
      }),
      { numRuns: propertyRuns(300) },
    );
  });

  test("writes all numbers of two decimals as JSON.stringify does", () => {
    for (let cents = 0; cents < 100_000; cents++) assert.equal(written(cents / 100), String(cents / 100));
  });

  test("keeps to its limits whatever keys a host sends", () => {
    for (let count = 0; count < 400; count++) {
      const value = { [`key${count}`]: { [`inner${count % 20}`]: count, "\u00e9": "\u00e9" } };
      assert.equal(written(value), stringified(value));
    }
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`k${at}`, "x".repeat(at * 10)]));
    assert.equal(written([many, many]), stringified([many, many]));
  });

  test("leaves what is not plain JSON to JSON.stringify", () => {
    const strange = [
      { a: undefined },
      { a: new Date(0) },
      [() => 1],
      { toJSON: () => 1 },
      Object.create(null),
    ];
    for (const value of strange) {
      assert.equal(written(value), null);
      const records = [{ a: 1 }, value, { a: 2 }] as unknown as StreamRecord[];
      assert.equal(ndjson.format(records), records.map((each) => `${stringified(each)}\n`).join(""));
    }
    let deep: unknown = 1;
    for (let depth = 0; depth < 40; depth++) deep = { deep };
    assert.equal(ndjson.format([deep as StreamRecord]), `${stringified(deep)}\n`);
  });
});

describe("lines", () => {
  const lines = new NdjsonLines();
  const line = (record: object): string => {
    lines.addAll([record]);
    return lines.takeText();
  };

  test("of arbitrary records are those of the plain writer", () => {
    const batch = fc.array(fc.dictionary(key, json, { maxKeys: 8, noNullPrototype: true }), { maxLength: 5 });
    fc.assert(
      fc.property(batch, (records) => {
        for (const record of records) lines.addAll([record]);
        assert.equal(Buffer.from(lines.take()).toString(), records.map(ndjsonLine).join(""));
      }),
      { numRuns: propertyRuns(300) },
    );
  });

  test("of golden records are those of the plain writer, with a field added or changed at any path too", () => {
    for (const record of goldenRecords()) {
      assert.equal(line(record), ndjsonLine(record));
      for (const changed of changesOf(record)) {
        assert.equal(line(changed as object), ndjsonLine(changed as object));
        assert.equal(line(record), ndjsonLine(record));
      }
    }
  });

  test("show a change of any field in the tables", () => {
    for (const section of SECTIONS) {
      const fields = SECTION_FIELDS[section];
      const device = exampleOf({ type: "object", fields }, 1) as Readonly<Record<string, unknown>>;
      const withDevice = (changed: object): object => ({
        ...frame(),
        [KEY_OF_SECTION[section]]: [device, changed],
      });
      line(withDevice(device));
      for (const [name, field] of Object.entries(fields)) {
        const changes = [exampleOf(field, 2), null, undefined].map((value) => ({ ...device, [name]: value }));
        for (const changed of changes) {
          const text = line(withDevice(changed));
          assert.equal(text, ndjsonLine(withDevice(changed)), name);
          assert.notEqual(text, ndjsonLine(withDevice(device)), name);
        }
      }
    }
  });

  test("keep nothing of a record that throws", () => {
    const broken = { a: 1 };
    Object.defineProperty(broken, "b", { enumerable: true, get: () => assert.fail("broken") });
    lines.addAll([{ a: 0 }]);
    assert.throws(() => lines.addAll([broken]), /broken/);
    lines.addAll([{ a: 2 }]);
    assert.equal(lines.takeText(), '{"a":0}\n{"a":2}\n');
  });
});

function goldenRecords(): readonly object[] {
  return ["csv", "ndjson", "table"].flatMap((format) =>
    readdirSync(join(GOLDEN_ROOT, format)).flatMap((name) =>
      readFileSync(join(GOLDEN_ROOT, format, name, "records.ndjson"), "utf8")
        .trimEnd()
        .split("\n")
        .map((text) => JSON.parse(text) as object),
    ),
  );
}

/** The value with one change each: every inner value replaced, and every object with a key more. */
function changesOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) =>
      changesOf(item).map((changed) => value.map((old: unknown, at) => (at === index ? changed : old))),
    );
  if (typeof value !== "object" || value === null) return ["changed", 17.25, null, { deep: [true] }];
  const entries = Object.entries(value as Readonly<Record<string, unknown>>);
  return [
    { ...value, added: 1 },
    { added: "first", ...value },
    ...entries.flatMap(([name, held]) => changesOf(held).map((changed) => ({ ...value, [name]: changed }))),
  ];
}

/** A value that the shape allows, another one for another seed. */
function exampleOf(shape: Shape, seed: number): unknown {
  const { type, values, items, fields, entries } = shape;
  if (values !== undefined) return Object.keys(values)[seed % Object.keys(values).length];
  if (items !== undefined) return [exampleOf(items, seed)];
  if (fields !== undefined) return exampleFields(fields, seed);
  if (entries !== undefined) return { key: exampleOf(entries, seed) };
  if (type === "boolean") return seed % 2 === 0;
  if (type === "number") return seed + 0.25;
  if (type === "integer") return seed;
  return type === "object" ? { seed } : `text ${seed}`;
}

function exampleFields(fields: FieldMap, seed: number): object {
  const entries = Object.entries(fields).map(([name, field]: [string, Field]) => [
    name,
    exampleOf(field, seed),
  ]);
  return Object.fromEntries(entries) as object;
}
