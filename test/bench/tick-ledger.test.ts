import assert from "node:assert/strict";
import { test } from "node:test";
import { headReader } from "../../bench/measure/record-heads.js";
import type { RecordHead } from "../../bench/measure/record-heads.js";
import { TickLedger } from "../../bench/measure/tick-ledger.js";

const INTERVAL_MS = 2000;
const BEGAN_MS = Date.parse("2026-01-01T00:00:00.000Z");

function head(hostId: string, tick: number, options: { code?: string; afterMs?: number } = {}): RecordHead {
  const timestamp = new Date(BEGAN_MS + tick * INTERVAL_MS + (options.afterMs ?? 0)).toISOString();
  return options.code === undefined
    ? { record: "frame", timestamp, tick, hostId, text: '"gpus":[{' }
    : { record: "state", timestamp, tick, hostId, text: `"last_error":{"code":"${options.code}"` };
}

function ledgerOf(heads: readonly RecordHead[]): TickLedger {
  const ledger = new TickLedger(INTERVAL_MS);
  for (const each of heads) ledger.take(each);
  return ledger;
}

test("a frame of each tick is what was promised", () => {
  const ledger = ledgerOf([0, 1, 2, 3].flatMap((tick) => [head("a", tick), head("b", tick)]));
  ledger.close(3, ["a", "b"]);
  assert.deepEqual(ledger.takeCounts(), {
    frames: 8,
    noRecord: 0,
    noRecordOf: {},
    twice: 0,
    atStart: 0,
    late: 0,
    other: {},
    latestMs: 0,
  });
  assert.ok(ledger.isQuiet(2));
});

test("a tick without a record and one with two are counted, a long run's gaps too", () => {
  const skipped = ledgerOf([0, 1, 3, 4, 4].map((tick) => head("a", tick)));
  skipped.close(4, ["a", "unknown"]);
  assert.deepEqual([skipped.takeCounts()].map(({ noRecord, twice }) => [noRecord, twice])[0], [1 + 5, 1]);
  const ticks = Array.from({ length: 500 }, (_, tick) => tick).filter((tick) => tick % 100 !== 50);
  const long = ledgerOf(ticks.map((tick) => head("a", tick)));
  assert.deepEqual(long.takeCounts().noRecordOf, { 50: 1, 150: 1, 250: 1, 350: 1, 450: 1 });
  long.take(head("a", 3));
  assert.equal(long.takeCounts().twice, 1);
});

test("an overrun reported in its tick is the host's; one outside it, and any other failure, is ours", () => {
  const ledger = ledgerOf([
    head("a", 0),
    head("a", 2, { code: "sample-overrun", afterMs: 3 }),
    // The sample that was under way comes after the record of a later tick.
    head("a", 1, { afterMs: 2100 }),
    head("a", 3, { code: "sample-overrun", afterMs: 1500 }),
    head("a", 4, { code: "keepalive-timeout" }),
  ]);
  const { frames, noRecord, twice, late, other, latestMs } = ledger.takeCounts();
  assert.deepEqual([frames, noRecord, twice, late, latestMs], [2, 0, 0, 1, 2100]);
  assert.deepEqual(other, { "sample-overrun": 1, "keepalive-timeout": 1 });
});

test("before counting begins missing and doubled records are counted apart", () => {
  const ledger = new TickLedger(INTERVAL_MS);
  ledger.countFrom(3);
  for (const each of [
    head("a", 0, { code: "dns-not-found" }),
    head("a", 0),
    head("a", 2),
    head("a", 3),
    head("a", 3),
  ])
    ledger.take(each);
  ledger.close(3, ["a"]);
  const { frames, noRecord, twice, atStart, other } = ledger.takeCounts();
  assert.deepEqual([frames, noRecord, twice, atStart, other], [2, 0, 1, 2, {}]);
});

test("heads are read whole, however the stream is cut", () => {
  const line = (tick: number | null, size: number): string =>
    `{"schema":1,"record":"frame","timestamp":"T","tick":${tick},"host_id":"u@h:1","rest":"${"x".repeat(size)}"}\n`;
  const bytes = Buffer.from(
    [line(0, 10), line(null, 10), line(1, 5000), "no record\n", line(2, 980)].join(""),
  );
  for (const size of [1, 7, 100, 1023, 1024, 4000, bytes.length]) {
    const ticks: number[] = [];
    const read = headReader(({ tick, hostId, text }) => {
      assert.equal(hostId, "u@h:1");
      assert.ok(text.length <= 1024);
      ticks.push(tick);
    });
    for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size));
    assert.deepEqual(ticks, [0, 1, 2], `cut every ${size} bytes`);
  }
});
