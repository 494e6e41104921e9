/** What is written beside earlier objects is what JSON.stringify gives. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { StreamRecord } from "../../src/contract/record.js";
import { JsonBytes } from "../../src/format/json-bytes.js";
import { JsonPatterns } from "../../src/format/json-patterns.js";
import { createNdjsonFormatter } from "../../src/format/ndjson.js";

const ndjson = createNdjsonFormatter({ isOnce: false });

/** One writer for all, so that each value is written beside those before it; null where it is left to JSON.stringify. */
const bytes = new JsonBytes();
const patterns = new JsonPatterns(bytes);
function written(value: unknown): string | null {
  const isPlain = patterns.write(value);
  const text = bytes.takeText();
  return isPlain ? text : null;
}

/** As JSON.stringify, with what a terminal acts on escaped, and so what stands for half a character. */
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

describe("a writer that has written others before", () => {
  test("gives of any value what JSON.stringify gives", () => {
    fc.assert(
      fc.property(json, (value) => {
        assert.equal(written(value), stringified(value));
      }),
      { numRuns: 3000 },
    );
  });

  test("gives of devices with the same keys what JSON.stringify gives", () => {
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
      { numRuns: 1000 },
    );
  });

  test("writes all numbers of two decimals as JSON.stringify does", () => {
    for (let cents = 0; cents < 100_000; cents++) assert.equal(written(cents / 100), String(cents / 100));
  });

  test("keeps to its bounds whatever keys a host thinks of", () => {
    for (let count = 0; count < 400; count++) {
      const value = { [`key${count}`]: { [`inner${count % 20}`]: count, "\u00e9": "\u00e9" } };
      assert.equal(written(value), stringified(value));
    }
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`k${at}`, "x".repeat(at * 10)]));
    assert.equal(written([many, many]), stringified([many, many]));
  });

  test("leaves what is no plain JSON to JSON.stringify", () => {
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
