/** What holds for every format and any text in any place of a record. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import stringWidth from "string-width";
import { HOST_STATES, SECTIONS, type StreamRecord } from "../../src/contract/record.js";
import { EVERYTHING, type Selection } from "../../src/contract/selection.js";
import { DEFAULT_TABLE, TABLE_VIEWS } from "../../src/contract/table-options.js";
import { createFormatter } from "../../src/format/create-formatter.js";
import { csvCell } from "../../src/format/csv.js";
import type { FormatterOptions } from "../../src/format/formatter.js";
import { createNdjsonFormatter } from "../../src/format/ndjson.js";
import { parseCsv } from "../support/csv.js";
import { frame, gpu, state } from "../support/records.js";
import { wellFormed, wellFormedDeep } from "../support/well-formed.js";
import { propertyRuns } from "../support/property-runs.js";

const ndjson = createNdjsonFormatter({ isOnce: false });

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    "=1+1",
    "+1",
    "-1",
    "@x",
    "\t=1",
    "\r\n",
    '"',
    "a,b",
    "\ud800",
    "\u001b[2J",
    "\u009b1m",
    "\u202e",
    "測試",
    "👩‍👩‍👧‍👦",
    "e\u0301",
    "한글",
  ),
);
const reading = fc.option(fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })), {
  nil: null,
});
const tick = fc.nat({ max: 5 });

const anyGpu = fc.record({
  name: fc.option(text),
  uuid: fc.option(text),
  serial: text,
  utilization: reading,
  temperature: reading,
  used_memory: reading,
  power_limit: reading,
  error: text,
});
const anyFrame = fc
  .record({
    hostname: text,
    host_id: text,
    tick,
    gpus: fc.option(
      fc.array(
        anyGpu.map((changes) => gpu({ ...changes, detail: { key: changes.serial } })),
        { maxLength: 9 },
      ),
      { nil: undefined },
    ),
    errors: fc.array(
      fc.record({
        section: fc.constantFrom(...SECTIONS),
        kind: fc.constantFrom("error", "timeout", "parse"),
        message: text,
      }),
      { maxLength: 2 },
    ),
    labels: fc.dictionary(text, text, { maxKeys: 2 }),
  })
  .map(({ gpus, ...rest }) => frame({ ...rest, ...(gpus === undefined ? {} : { gpus }) }));
const anyState = fc
  .record({
    hostname: text,
    host_id: text,
    tick: fc.option(tick),
    state: fc.constantFrom(...HOST_STATES),
    message: text,
    retry_in_ms: fc.option(fc.nat()),
  })
  .map(({ message, ...rest }) =>
    state({ ...rest, last_error: { code: "connection-lost", phase: "sample", message } }),
  );
const records: fc.Arbitrary<StreamRecord[]> = fc.array(fc.oneof(anyFrame, anyState), { maxLength: 12 });

const plain: FormatterOptions = {
  csvSections: ["gpu", "cpu"],
  query: [],
  color: false,
  terminal: null,
  hostCount: null,
  isOnce: false,
};
const runs = { numRuns: propertyRuns(150) };

describe("NDJSON", () => {
  test("parses back to the record", () => {
    fc.assert(
      fc.property(records, (list) => {
        const lines = ndjson.format(list).split("\n");
        assert.equal(lines.pop(), "");
        // JSON has no -0, and half a character is no text; everything else comes back.
        assert.deepEqual(
          lines.map((line) => JSON.parse(line) as unknown),
          wellFormedDeep(JSON.parse(JSON.stringify(list))),
        );
      }),
      runs,
    );
  });
  test("is the same as bytes, and in a run of one tick", () => {
    const once = createNdjsonFormatter({ isOnce: true });
    fc.assert(
      fc.property(records, (list) => {
        const text = ndjson.format(list);
        assert.equal(Buffer.from(ndjson.bytes?.(list) ?? "").toString(), text);
        assert.equal(once.format(list), text);
      }),
      runs,
    );
  });
  test("is the same in a run of one tick with rows, fields, and without nulls", () => {
    const selections = (["record", "device"] as const).flatMap((rows) =>
      [true, false].map((isCompact): Selection => ({ ...EVERYTHING, rows, isCompact })),
    );
    for (const selection of selections) {
      for (const query of [[], ["hostname", "gpu.detail", "error", "gpus.name"]]) {
        const layout = { csvSections: SECTIONS, query, selection };
        const [once, often] = [true, false].map((isOnce) => createNdjsonFormatter({ isOnce, ...layout }));
        fc.assert(
          fc.property(records, (list) => {
            assert.equal(often?.format(list), once?.format(list));
          }),
          { numRuns: 50 },
        );
      }
    }
  });
  test("escapes what JSON.stringify leaves and a terminal acts on", () => {
    const line = ndjson.format([frame({ hostname: "\u007f\u009b\u2028\u202e\u200f日本" })]);
    assert.ok(line.includes(String.raw`"\u007f\u009b\u2028\u202e\u200f日本"`), line);
  });
});

describe("CSV", () => {
  test("parses back to the cells, each row as long as the header", async () => {
    const formatter = await createFormatter("csv", plain);
    const header = parseCsv(formatter.header?.() ?? "")[0] ?? [];
    await fc.assert(
      fc.asyncProperty(records, async (list) => {
        const rows = parseCsv((await createFormatter("csv", plain)).format(list));
        assert.ok(rows.length >= list.length);
        for (const row of rows) assert.equal(row.length, header.length);
        assert.equal(new Set(header).size, header.length);
      }),
      runs,
    );
  });
  test("a text cell comes back, clean and never as a formula", () => {
    fc.assert(
      fc.property(text, (value) => {
        const [row] = parseCsv(`${csvCell(value)},end\n`);
        assert.equal(row?.length, 2);
        const [cell = ""] = row;
        assert.doesNotMatch(cell, /^\s*[=+\-@\t\r＝＋－＠]/);
        assert.ok(cell === clean(value) || cell === `'${clean(value)}`, JSON.stringify([value, cell]));
      }),
      { numRuns: propertyRuns(500) },
    );
  });
  test("numbers are left as they are", () => {
    for (const [value, cell] of [
      [-5, "-5"],
      [0, "0"],
      [1e21, "1e+21"],
      [0.1, "0.1"],
      [Number.NaN, ""],
      [null, ""],
      [undefined, ""],
      [true, "true"],
      [["a", "b"], '"a;b"'],
    ] as const) {
      assert.equal(csvCell(value), cell);
    }
  });
});

describe("the table", () => {
  test("is never wider or taller than the terminal", async () => {
    await fc.assert(
      fc.asyncProperty(
        records,
        fc.integer({ min: 1, max: 140 }),
        fc.integer({ min: 1, max: 30 }),
        fc.boolean(),
        fc.constantFrom(...TABLE_VIEWS),
        async (list, columns, rows, color, view) => {
          const terminal = { size: () => ({ columns, rows }), onResize: () => () => undefined };
          const formatter = await createFormatter("table", {
            ...{ ...plain, color, terminal, hostCount: 12 },
            ...{ table: { ...DEFAULT_TABLE, view }, isAscii: columns % 2 === 0 },
          });
          const picture = formatter.format(list);
          if (picture === "") {
            assert.equal(list.length, 0);
            return;
          }
          const lines = picture.slice(picture.indexOf("\u001b[H")).split("\r\n");
          assert.ok(lines.length <= rows, `${lines.length} lines on ${rows} rows`);
          for (const line of lines) {
            const width = stringWidth(line);
            assert.ok(width <= columns, `${width} > ${columns}: ${JSON.stringify(line)}`);
          }
        },
      ),
      runs,
    );
  });
  test("appended, every line of a block has its columns at the same place", async () => {
    const rows = [
      frame({
        hostname: "日本語ホスト",
        gpus: [gpu({ name: "กำกับ" }), gpu({ index: 1, name: "👩‍👩‍👧‍👦" }), gpu({ index: 2, name: "plain" })],
      }),
    ];
    const formatter = await createFormatter("table", { ...plain, hostCount: 1 });
    const lines = formatter.format(rows).split("\n").slice(1, 4);
    const places = lines.map((line) => stringWidth(line.slice(0, line.indexOf("40.0/80.0"))));
    assert.equal(places.length, 3);
    assert.equal(new Set(places).size, 1, lines.join("\n"));
  });
});

test("no format lets a control character through", async () => {
  const makers = [
    () => createFormatter("ndjson", plain),
    () => createFormatter("csv", plain),
    () =>
      createFormatter("csv", {
        ...plain,
        query: ["hostname", "labels", "gpus", "last_error", "detail.key", "error"],
      }),
    () => createFormatter("table", plain),
    () =>
      createFormatter("table", {
        ...plain,
        terminal: { size: () => ({ columns: 80, rows: 24 }), onResize: () => () => undefined },
      }),
  ];
  await fc.assert(
    fc.asyncProperty(records, async (list) => {
      for (const make of makers) {
        const formatter = await make();
        const printed = (formatter.header?.() ?? "") + formatter.format(list) + (formatter.end?.() ?? "");
        const ours = printed.replaceAll(/\u001b\[[HJK]/g, "").replaceAll("\r\n", "\n");
        assert.doesNotMatch(
          ours,
          /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/,
        );
      }
    }),
    runs,
  );
});

function clean(value: string): string {
  return wellFormed(value)
    .replaceAll("\t", " ")
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
