/** Any JSON that all-smi may print on a host: nothing throws on the whole path, and every line can be parsed again. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ParseError } from "../../src/contract/errors.js";
import {
  withExtras,
  KEY_OF_SECTION,
  MAX_LEVELS,
  SECTIONS,
  type FrameRecord,
} from "../../src/contract/record.js";
import { createFormatter } from "../../src/format/create-formatter.js";
import type { Formatter, FormatterOptions } from "../../src/format/formatter.js";
import { frameRecord } from "../../src/host/host-record.js";
import { hasAtMost } from "../../src/lib/host-json.js";
import { composeReading, readSampler } from "../../src/remote/compose.js";
import type { Reading } from "../../src/shims/kit/shim.js";
import { nativeShim } from "../../src/shims/native/native.js";
import { allShims } from "../../src/shims/registry.js";
import { fixtureTexts, noFixtures, readFixture } from "../support/fixture-table.js";
import { goldenCases } from "../support/golden.js";
import { propertyRuns } from "../support/property-runs.js";
import { partOutputs, probeContext } from "../support/shim-outputs.js";
import { wellFormedDeep } from "../support/well-formed.js";

const HOST = { hostId: "u@h:22", target: "ssh://u@h", hostname: "h", labels: { rack: "a1" } };
const ROUTE = { transport: "native", client: "ssh2", channel: "session" } as const;
const CONTEXT = probeContext(SECTIONS);
const OPTIONS: FormatterOptions = {
  csvSections: SECTIONS,
  query: [],
  color: false,
  terminal: null,
  hostCount: 1,
  isOnce: false,
};
const ENVELOPE = {
  schema: 1,
  record: "frame",
  timestamp: "2026-01-01T00:00:00.000Z",
  tick: 3,
  host_id: "u@h:22",
  target: "ssh://u@h",
  hostname: "h",
  labels: { rack: "a1" },
  transport: "native",
  ssh_client: "ssh2",
  channel: "session",
  state: "connected",
  latency_ms: 12,
};

const formatters: Readonly<Record<"lines" | "once" | "csv" | "queried" | "table", Formatter>> = {
  lines: await createFormatter("ndjson", OPTIONS),
  once: await createFormatter("ndjson", { ...OPTIONS, isOnce: true }),
  csv: await createFormatter("csv", OPTIONS),
  queried: await createFormatter("csv", {
    ...OPTIONS,
    query: ["gpu.__proto__", "detail", "constructor.name", "a.b"],
  }),
  table: await createFormatter("table", OPTIONS),
};

/** The frame of one answer; null where it is not a snapshot. */
function frameOf(stdout: string): FrameRecord | null {
  const outputs = partOutputs({ "native.snapshot": stdout });
  const verdict = nativeShim.judge(outputs, CONTEXT);
  return "sampler" in verdict ? asRecord(readSampler(verdict.sampler, outputs, SECTIONS)) : null;
}

function asRecord(tool: Reading): FrameRecord {
  const system: Reading = { sections: {}, errors: [] };
  const options = {
    // What the snapshot holds was asked for.
    include: new Set(
      SECTIONS.filter(
        (section) =>
          tool.sections[KEY_OF_SECTION[section]] !== undefined ||
          tool.errors.some((error) => error.section === section),
      ),
    ),
    redact: false,
    fallback: [],
    toolTimeoutSecs: 10,
    holdDriver: "auto",
  } as const;
  const reading = composeReading(options, {
    system,
    tool,
    ps: new Map(),
    unread: () => "nothing reports it",
  });
  return frameRecord(HOST, ROUTE, Date.UTC(2026, 0, 1), 3, reading, 12);
}

/** Prints the record in every format and returns it as a reader of NDJSON has it. */
function printed(record: FrameRecord): Readonly<Record<string, unknown>> {
  for (const formatter of Object.values(formatters)) formatter.format([record]);
  const line = formatters.lines.format([record]);
  assert.equal(line, formatters.once.format([record]));
  assert.match(line, /^[^\n]*\n$/);
  assert.doesNotMatch(line.replaceAll("\\\\", ""), /\\ud[89a-f]/i, "half a character");
  const parsed = JSON.parse(line) as Record<string, unknown>;
  assert.ok(hasAtMost(MAX_LEVELS, parsed), "too deep");
  assert.deepEqual(wellFormedDeep(parsed), parsed);
  const own = Object.fromEntries(Object.keys(ENVELOPE).map((key) => [key, parsed[key]]));
  assert.deepEqual(own, ENVELOPE);
  for (const key of [
    "last_error",
    "since",
    "attempt",
    "previous_state",
    "retry_in_ms",
    "consecutive_failures",
  ])
    assert.ok(!Object.hasOwn(parsed, key), key);
  return parsed;
}

const GPU = '"uuid":"GPU-1","name":"A","utilization":5,"temperature":40';
const nested = (levels: number, open: string, close: string): string =>
  open.repeat(levels) + "1" + close.repeat(levels);
const DEEP = [
  nested(20_000, "[", "]"),
  nested(20_000, '{"a":', "}"),
  nested(200_000, '[{"a":', "}]"),
  nested(63, "[", "]"),
];

describe("hostile snapshots", () => {
  for (const [at, deep] of DEEP.entries()) {
    test(`nested ${String(at)}: in a field of a GPU: other GPUs and sections are kept`, () => {
      for (const field of ["detail", "utilization", "unknown", "__proto__"]) {
        const gpu = `{${GPU.replace('"utilization":5,', field === "utilization" ? "" : '"utilization":5,')},"${field}":${deep}}`;
        const record = frameOf(`{"schema":1,"gpus":[${gpu},{${GPU}}],"memory":[{"total_bytes":7}]}`);
        assert.ok(record);
        const parsed = printed(record);
        assert.equal(record.gpus?.length, 2);
        assert.equal(record.gpus[0]?.temperature, 40);
        assert.equal(record.gpus[1]?.utilization, 5);
        assert.equal(record.memory?.[0]?.total_bytes, 7);
        assert.deepEqual(
          record.errors?.map(({ section, kind }) => [section, kind]),
          [["gpu", "parse"]],
        );
        assert.ok(Array.isArray(parsed["gpus"]));
      }
    });
    test(`nested ${String(at)}: as a device, as an unknown section, as a section, beside a good one`, () => {
      for (const text of [
        `{"schema":1,"gpus":[${deep}],"memory":[{"total_bytes":7}]}`,
        `{"schema":1,"vgpus":[${deep}],"memory":[{"total_bytes":7}]}`,
        `{"schema":1,"__proto__":[${deep}],"memory":[{"total_bytes":7}]}`,
        `{"schema":1,"vgpus":[{"x":${deep}}],"memory":[{"total_bytes":7}]}`,
      ]) {
        const record = frameOf(text);
        assert.ok(record);
        printed(record);
        assert.equal(record.memory?.[0]?.total_bytes, 7);
        assert.equal(record.errors?.[0]?.kind, "parse");
      }
    });
  }

  test("61 levels in a field of a device are passed on, as is every other shape within the limits", () => {
    const record = frameOf(
      `{"gpus":[{${GPU},"x":${nested(61, "[", "]")}}],"next":[[1,{"a":[null]}],"x",{"b":2}]}`,
    );
    assert.ok(record);
    const parsed = printed(record);
    assert.equal(record.errors, undefined);
    assert.deepEqual((parsed["next"] as unknown[]).slice(0, 2), [[1, { a: [null] }], "x"]);
  });

  test("keys of the envelope are not overwritten, and names such as __proto__ are data", () => {
    const lists = Object.fromEntries(
      [
        ...Object.keys(ENVELOPE),
        "last_error",
        "since",
        "attempt",
        "previous_state",
        "retry_in_ms",
        "errors",
      ].map((key) => [key, [{ x: 1 }]]),
    );
    const odd =
      '"__proto__":[{"p":1}],"constructor":[{"c":1}],"toString":[1],"toJSON":[{"j":1}],"hasOwnProperty":[2]';
    const gpu =
      '{"uuid":"x","toJSON":{"a":1},"valueOf":1,"__proto__":{"q":1},"detail":{"mig_mode_current":{"toString":1},"__proto__":"z"}}';
    const record = frameOf(`{"gpus":[${gpu}],${odd},${JSON.stringify(lists).slice(1)}`);
    assert.ok(record);
    const parsed = printed(record);
    assert.deepEqual((parsed["toString"] as unknown[])[0], 1);
    assert.equal(Object.getPrototypeOf(record), Object.prototype);
    assert.ok(Object.hasOwn(parsed, "__proto__") && Object.hasOwn(parsed, "constructor"));
    const [first] = parsed["gpus"] as Record<string, unknown>[];
    assert.deepEqual(first?.["toJSON"], { a: 1 });
    assert.deepEqual(
      Object.entries(first).find(([name]) => name === "valueOf"),
      ["valueOf", 1],
    );
    assert.ok(Object.hasOwn(first, "__proto__"));
  });

  test("half characters, infinite numbers, and too many of everything", () => {
    const record = frameOf(
      `{"gpus":[{${GPU},"\\udc00k":"\\ud800","n":[1e999,-1e999,1${"0".repeat(400)}],"power_consumption":1e999}],"x\\ud83d":[1]}`,
    );
    assert.ok(record);
    const [gpu] = printed(record)["gpus"] as Record<string, unknown>[];
    assert.equal(gpu?.["\ufffdk"], "\ufffd");
    assert.deepEqual(gpu["n"], [null, null, null]);
    assert.equal(gpu["power_consumption"], null);
    const wide = frameOf(
      `{"gpus":[{${GPU},"wide":[${"1,".repeat(500_000)}1]}],"many":[${"1,".repeat(200_000)}1]}`,
    );
    assert.equal(wide?.gpus?.[0]?.temperature, 40);
    assert.equal(withExtras(wide.gpus[0])["wide"], null);
    assert.equal((printed(wide)["many"] as unknown[]).length, 16_384);
    const errors = frameOf(`{"gpus":[],"errors":[${'{"section":"cpu","message":"m"},'.repeat(200_000)}{}]}`);
    assert.equal(errors?.errors?.length, 17);
    const names = Array.from({ length: 5000 }, (_, at) => `"s${at}":[1]`).join();
    assert.ok(Object.keys(printed(frameOf(`{"gpus":[],${names}}`) as FrameRecord)).length < 100);
  });

  const key = fc.oneof(
    fc.constantFrom(
      "__proto__",
      "constructor",
      "toJSON",
      "toString",
      "valueOf",
      "hasOwnProperty",
      "length",
      "index",
    ),
    fc.constantFrom(
      "gpus",
      "cpus",
      "memory",
      "processes",
      "detail",
      "utilization",
      "host_id",
      "time",
      "pid",
      "errors",
    ),
    fc.constantFrom(...Object.keys(ENVELOPE)),
    fc.string({ unit: "binary", maxLength: 6 }),
  );
  const leaf = fc.oneof(
    fc.constantFrom(
      "1e999",
      "-1e999",
      "0",
      "-1",
      "1e-400",
      "null",
      "true",
      '"\\ud800"',
      '"\\udfff\\ud800"',
      '"N/A"',
      "12",
      '"\\u0000\\u001b"',
    ),
    fc.string({ unit: "binary", maxLength: 8 }).map((text) => JSON.stringify(text)),
    fc
      .tuple(fc.integer({ min: 1, max: 400 }), fc.boolean())
      .map(([levels, list]) => (list ? nested(levels, "[", "]") : nested(levels, '{"a":', "}"))),
  );
  const json = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: "medium" },
      leaf,
      fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join()}]`),
      fc
        .array(fc.tuple(key, tie("value")), { maxLength: 5 })
        .map((entries) => `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${item}`).join()}}`),
    ),
  })).value;

  test("random JSON", () => {
    const snapshot = fc
      .array(fc.tuple(key, json), { maxLength: 6 })
      .map(
        (entries) =>
          `{"schema":1${entries.map(([name, item]) => `,${JSON.stringify(name)}:[${item}]`).join("")}}`,
      );
    fc.assert(
      fc.property(snapshot, (text) => {
        const record = frameOf(text);
        if (record !== null) printed(record);
      }),
      { numRuns: propertyRuns(150) },
    );
  });

  const samples = goldenCases("native").map(
    ({ outputs }) => outputs("native.snapshot").get("native.snapshot")?.stdout ?? "",
  );
  test("real snapshots with hostile pieces in them", () => {
    const sample = fc.constantFrom(...samples.filter((text) => text.length > 100));
    const edits = fc.array(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(8), fc.oneof(leaf, json)),
      { maxLength: 4 },
    );
    // In the place of a value, so that it is JSON as often as not.
    const mutated = fc.tuple(sample, edits).map(([text, list]) =>
      list.reduce((now, [share, length, put]) => {
        const from = now.indexOf(":", Math.floor(share * now.length));
        if (from < 0) return now;
        const value = /[,}\]]/.exec(now.slice(from));
        const end = length > 4 && value !== null ? from + value.index : from + 1 + length;
        return `${now.slice(0, from + 1)}${put}${now.slice(end)}`;
      }, text),
    );
    fc.assert(
      fc.property(mutated, (text) => {
        const record = frameOf(text);
        if (record !== null) printed(record);
      }),
      { numRuns: propertyRuns(150) },
    );
  });
});

describe("hostile answers of vendor tools", () => {
  const PLACES = [0.1, 0.5, 0.9];
  const fixtures = ["amd-smi", "rocm-smi", "xpu-smi", "tt-smi", "furiosa"] as const;
  test("recordings with hostile pieces in them", { skip: noFixtures }, async () => {
    const shims = await allShims();
    for (const tool of fixtures)
      for (const [index, file] of [...fixtureTexts(tool).keys()]
        .filter((name) => name.endsWith(".json"))
        .slice(0, propertyRuns(3))
        .entries()) {
        const text = readFixture(tool, file);
        for (const piece of [
          ...DEEP.slice(0, 2),
          '{"toString":1}',
          '"\\ud800"',
          "1e999",
          '{"__proto__":{"value":1}}',
        ])
          // A deep piece takes every parser long: one place in a file, each of the three in some file.
          for (const share of DEEP.includes(piece) ? PLACES.slice(index % 3, (index % 3) + 1) : PLACES) {
            const at = text.indexOf(":", Math.floor(text.length * share)) + 1;
            const stdout = `${text.slice(0, at)}${piece}${text.slice(text.indexOf("\n", at))}`;
            for (const shim of shims) {
              const parts = shim.probe(CONTEXT).map(({ id }) => [id, stdout] as const);
              const outputs = partOutputs(Object.fromEntries(parts));
              try {
                const verdict = shim.judge(outputs, CONTEXT);
                if ("sampler" in verdict) printed(asRecord(verdict.sampler.parse(outputs)));
              } catch (error) {
                if (!(error instanceof ParseError)) throw error;
              }
            }
          }
      }
  });
});
