import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import fc from "fast-check";
import { UsageError } from "../../src/contract/errors.js";
import { checkRecord } from "../../src/contract/record-check.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { createNdjsonFormatter } from "../../src/format/ndjson.js";
import { replay } from "../../src/sources/replay.js";
import { FakeClock } from "../support/fake-clock.js";
import { frame, gpu, state } from "../support/records.js";

const ndjson = createNdjsonFormatter({ isOnce: false });

interface Replayed {
  readonly records: StreamRecord[];
  readonly warnings: string[];
}

/** Replays bytes that come in the given pieces. */
async function replayed(...pieces: readonly (string | Buffer)[]): Promise<Replayed> {
  const records: StreamRecord[] = [];
  const warnings: string[] = [];
  const batches = replay({
    source: Readable.from(pieces.map((piece) => Buffer.from(piece))),
    name: "f.ndjson",
    speed: "max",
    clock: new FakeClock(),
    signal: new AbortController().signal,
    warn: (message) => warnings.push(message),
  });
  for await (const batch of batches) records.push(...batch);
  return { records, warnings };
}
const recorded = [
  frame({ gpus: [gpu({ name: "測試 👩‍👩‍👧‍👦\u2028" })] }),
  state(),
  frame({ hostname: "dgx-03", tick: 7 }),
];
const lines = ndjson.format(recorded);

describe("a replay", () => {
  test("gives the recorded records", async () => {
    assert.deepEqual(await replayed(lines), { records: recorded, warnings: [] });
  });
  test("gives the same for any cut of the bytes", async () => {
    const bytes = Buffer.from(lines);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: bytes.length }), { maxLength: 8 }), async (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
        assert.deepEqual(await replayed(...pieces), { records: recorded, warnings: [] });
      }),
      { numRuns: 60 },
    );
  });
  test("takes CRLF, blank lines, a byte order mark and a last line without an end", async () => {
    const text = `\ufeff${lines.replaceAll("\n", "\r\n\r\n  \r\n").trimEnd()}`;
    assert.deepEqual(await replayed(text), { records: recorded, warnings: [] });
  });
  test("leaves out a record that is nested too deeply, and goes on", async () => {
    const deep =
      lines.split("\n")[0]?.replace(/}$/, `,"x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`) ?? "";
    const { records, warnings } = await replayed(`${deep}\n${lines}`);
    assert.deepEqual(records, recorded);
    assert.match(warnings.join(), /^f\.ndjson:1: is nested more than 64 levels deep; it is left out$/);
  });
  test("of an empty file has no records", async () => {
    assert.deepEqual(await replayed(), { records: [], warnings: [] });
    assert.deepEqual(await replayed("\n\n"), { records: [], warnings: [] });
  });
  test("leaves bad lines out, each with a warning that has its line, and goes on", async () => {
    const [first = "", second = "", third = ""] = lines.trimEnd().split("\n");
    const text = [
      first,
      "{broken",
      "null",
      second,
      "[1]",
      '"x"',
      "7",
      '{"schema":2}',
      '{"schema":1}',
      third,
      '{"cut":',
    ].join("\n");
    const { records, warnings } = await replayed(text);
    assert.deepEqual(records, recorded);
    assert.deepEqual(
      warnings.map((warning) => warning.replace(/ .*/, "")),
      [2, 3, 5, 6, 7, 8, 9, 11].map((line) => `f.ndjson:${line}:`),
    );
    assert.match(warnings[0] ?? "", /: is not JSON; it is left out$/);
    assert.match(warnings[1] ?? "", /: is not a JSON object; it is left out$/);
    assert.match(warnings[5] ?? "", /: is not an allsmi-ssh record: schema is not 1; it is left out$/);
  });
  test("warns of the first twenty bad lines and how many more there were", async () => {
    const { records, warnings } = await replayed(`${"oops\n".repeat(1000)}${lines}`);
    assert.equal(records.length, 3);
    assert.equal(warnings.length, 21);
    assert.equal(warnings.at(-1), "f.ndjson: 980 more lines are left out");
  });
  test("does not buffer a line without an end", async () => {
    const piece = `{"a":"${"x".repeat(2 ** 20)}`;
    const { records, warnings } = await replayed(
      piece,
      ...Array<string>(20).fill("y".repeat(2 ** 20)),
      `\n${lines}`,
    );
    assert.equal(records.length, 3);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /^f\.ndjson:1: is longer than \d+ bytes; it is left out$/);
  });
  test("of a file that cannot be read is a UsageError", async () => {
    const batches = replay({
      source: createReadStream(join("/nonexistent", "x.ndjson")),
      name: "x.ndjson",
      speed: "max",
      clock: new FakeClock(),
      signal: new AbortController().signal,
      warn: () => assert.fail("no warning"),
    });
    // The stream fails before the first batch is asked for.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await assert.rejects(batches.next(), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.problems[0] ?? "", /^--replay: cannot read x\.ndjson: ENOENT/);
      return true;
    });
  });
  test("ends when it is aborted, though its input stays open", async () => {
    const controller = new AbortController();
    const source = new Readable({ read: () => undefined });
    source.push(lines);
    const batches = replay({
      source,
      name: "<stdin>",
      speed: "max",
      clock: new FakeClock(),
      signal: controller.signal,
      warn: () => assert.fail("no warning"),
    });
    assert.deepEqual((await batches.next()).value, recorded);
    const last = batches.next();
    controller.abort();
    assert.equal((await last).done, true);
    assert.ok(source.destroyed);
  });
});

describe("at a pace", () => {
  const at = (ms: number): StreamRecord =>
    frame({ tick: ms, timestamp: new Date(Date.UTC(2026, 0, 1) + ms).toISOString() });
  const text = ndjson.format([at(0), at(0), at(2000), at(1500), at(4000)]);

  function play(
    speed: number,
    controller = new AbortController(),
  ): { clock: FakeClock; seen: number[][]; ended: Promise<void> } {
    const clock = new FakeClock();
    const seen: number[][] = [];
    const batches = replay({
      source: Readable.from([Buffer.from(text)]),
      name: "f",
      speed,
      clock,
      signal: controller.signal,
      warn: () => assert.fail("no warning"),
    });
    const ended = (async () => {
      for await (const batch of batches) seen.push(batch.map((record) => record.tick ?? -1));
    })();
    return { clock, seen, ended };
  }
  test("records come at their times; one from before its predecessor comes with it", async () => {
    const { clock, seen, ended } = play(2);
    await clock.advance(0);
    assert.deepEqual(seen, [[0, 0]]);
    await clock.advance(999);
    assert.deepEqual(seen, [[0, 0]]);
    await clock.advance(1);
    assert.deepEqual(seen, [
      [0, 0],
      [2000, 1500],
    ]);
    await clock.advance(1000);
    await ended;
    assert.deepEqual(seen.at(-1), [4000]);
    assert.equal(clock.timers, 0);
  });
  test("an abort ends the wait", async () => {
    const controller = new AbortController();
    const { clock, seen, ended } = play(0.001, controller);
    await clock.advance(10);
    controller.abort();
    await ended;
    assert.deepEqual(seen, [[0, 0]]);
    assert.equal(clock.timers, 0);
  });
});

describe("checkRecord", () => {
  test("takes records with more fields than are known", () => {
    const record = { ...frame({ gpus: [gpu()] }), later: { addition: 1 } };
    assert.equal(checkRecord(record), record);
  });
  const cases: [name: string, value: unknown, why: RegExp][] = [
    ["an array", [], /not a JSON object/],
    ["no schema", { record: "frame" }, /schema/],
    ["a time that is none", frame({ timestamp: "yesterday" }), /timestamp/],
    ["a negative tick", frame({ tick: -1 }), /tick/],
    ["labels that are no texts", { ...frame(), labels: { a: 1 } }, /labels/],
    ["an unknown state", { ...state(), state: "fine" }, /state is unknown/],
    ["a frame without a tick", { ...frame(), tick: null }, /neither a whole frame/],
    ["a frame that is not connected", { ...frame(), state: "timeout" }, /neither a whole frame/],
    ["GPUs that are no list", { ...frame(), gpus: {} }, /neither a whole frame/],
    ["a GPU that is no object", { ...frame(), gpus: [null] }, /neither a whole frame/],
    ["an error without a message", { ...frame(), errors: [{ section: "gpu" }] }, /neither a whole frame/],
    ["a state without its attempt", { ...state(), attempt: undefined }, /neither a whole frame/],
    ["a last error that is a text", { ...state(), last_error: "x" }, /neither a whole frame/],
    ["another kind", { ...state(), record: "event" }, /neither a whole frame/],
  ];
  for (const [name, value, why] of cases) {
    test(`refuses ${name}`, () => {
      const checked = checkRecord(value);
      assert.ok(typeof checked === "string");
      assert.match(checked, why);
    });
  }
  test("never throws", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) =>
        assert.ok(["string", "object"].includes(typeof checkRecord(value))),
      ),
    );
  });
});
