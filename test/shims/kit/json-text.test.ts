import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { at, findJson, firstOf } from "../../../src/shims/kit/json-text.js";

const CASES: readonly { what: string; text: string; documents: unknown[]; cut?: boolean }[] = [
  { what: "nothing", text: "", documents: [] },
  { what: "no JSON", text: "WARNING: No JSON data to report\n", documents: [] },
  { what: "a plain document", text: '{"a": 1}', documents: [{ a: 1 }] },
  { what: "a warning and blank lines before", text: '\n\nWARNING: x\n\n{"a": 1}\n', documents: [{ a: 1 }] },
  { what: "a bracketed warning before", text: '[WARN] low {power}\n[{"a": 1}]', documents: [[{ a: 1 }]] },
  { what: "text after it", text: '{"a": 1} \n=== End of Log ===', documents: [{ a: 1 }] },
  { what: "a line in the middle", text: '{\n"a": 1,\nERROR: no "b"\n"c": 2\n}', documents: [{ a: 1, c: 2 }] },
  { what: "two documents", text: '{"a": 1}\n{"a": 2}', documents: [{ a: 1 }, { a: 2 }] },
  { what: "brackets in a string", text: '{"a": "}]{\\" ["}', documents: [{ a: '}]{" [' }] },
  { what: "Python's NaN", text: '{"a": NaN, "b": [-Infinity, 1]}', documents: [{ a: null, b: [null, 1] }] },
  {
    what: "cut in a later member",
    text: '{"a": {"x": 1}, "b": {"x"',
    documents: [{ a: { x: 1 } }],
    cut: true,
  },
  { what: "cut in a list", text: '{"d": [{"x": 1}, {"x": 2', documents: [{ d: [{ x: 1 }] }], cut: true },
  {
    what: "more documents than any tool prints",
    text: "{}\n".repeat(1001),
    documents: Array(1000).fill({}),
    cut: true,
  },
  { what: "as many as are read", text: "[]\n".repeat(1000), documents: Array(1000).fill([]) },
  {
    what: "NaN inside a string",
    text: '{"a": ": NaN, ", "b": NaN}',
    documents: [{ a: ": NaN, ", b: null }],
  },
  {
    what: "backslashes at the end of a string",
    text: 'x {"a": "\\\\"} {"b": "\\\\\\""}',
    documents: [{ a: "\\" }, { b: '\\"' }],
  },
  { what: "a key that every object inherits", text: '{"toString": 1}', documents: [{ toString: 1 }] },
  { what: "cut before the first whole part", text: '{"a": 1, "b', documents: [] },
];

describe("findJson", () => {
  for (const { what, text, documents, cut } of CASES)
    test(what, () => {
      const found = findJson(text);
      assert.deepEqual({ documents: found.documents, cut: found.cut }, { documents, cut: cut ?? false });
    });

  test("finds the output of JSON.stringify among other lines", () => {
    const document = fc.oneof(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })),
      fc.array(fc.jsonValue({ maxDepth: 2 })),
    );
    fc.assert(
      fc.property(document, fc.constantFrom("", "\n\n", "WARNING: a card sleeps\n\n"), (value, before) => {
        const text = JSON.stringify(value, null, 4);
        assert.deepEqual(findJson(`${before}${text}\nEnd of log\n`).documents, [JSON.parse(text)]);
      }),
    );
  });

  test("any text gives a result", () => {
    const brackets = fc.string({
      unit: fc.constantFrom("{", "}", "[", "]", '"', "\\", ",", "1", "\n"),
      maxLength: 300,
    });
    fc.assert(
      fc.property(fc.oneof(brackets, fc.string({ unit: "binary" })), (text) =>
        Array.isArray(findJson(text).documents),
      ),
    );
  });

  for (const [what, text, count] of [
    ["a text that is never closed", `{"a":"${'\\"'.repeat(3_500_000)}`, 0],
    ["lists in lists", "[".repeat(20_000) + "]".repeat(20_000), 1],
    ["lists in lists after a warning", `WARN\n${"[".repeat(500_000)}${"]".repeat(500_000)}`, 1],
    ["objects in objects", `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}\nend`, 1],
    ["objects that are never closed", '{"a":{'.repeat(500_000), 0],
  ] as const)
    test(`no depth or length makes it fail: ${what}`, () => {
      assert.equal(findJson(text).documents.length, count);
    });

  test("a long text of open brackets takes no quadratic time", () => {
    assert.deepEqual(findJson('[{"'.repeat(100_000)).documents, []);
  });
});

test("at and firstOf read own keys only", () => {
  const value = { a: { b: 1 }, list: [1] };
  assert.equal(at(value, "a", "b"), 1);
  assert.equal(at(value, "a", "b", "c"), undefined);
  assert.equal(at(value, "list", "length"), undefined);
  assert.equal(at(value, "toString"), undefined);
  assert.deepEqual(firstOf(value, ["x", "a"]), { b: 1 });
});
