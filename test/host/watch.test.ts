import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../src/contract/errors.js";
import type { RunLength } from "../../src/contract/options.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { Ticks } from "../../src/host/ticks.js";
import type { LiveHost } from "../../src/host/link.js";
import { watchHost } from "../../src/host/watch.js";
import type { Sample } from "../../src/remote/session.js";
import { FakeClock } from "../support/fake-clock.js";

const HOST = { hostId: "u@h:22", target: "ssh://u@h", hostname: "h", labels: { rack: "a1" } };

function sample(latencyMs: number): Sample {
  return { reading: { sections: { memory: [] }, errors: [] }, latencyMs };
}

/** A host on a fake clock: connecting takes `connectMs` or fails, a sample takes `sampleMs(tick)`. */
class Bench {
  readonly clock = new FakeClock();
  readonly stop = new AbortController();
  readonly records: StreamRecord[] = [];
  readonly sampled: number[] = [];
  attempts = 0;
  closed = 0;
  connectMs = 100;
  failure: HostError | null = null;
  sampleMs: (tick: number) => number = () => 50;
  lose: (error: HostError) => void = () => undefined;
  isStalled = false;
  ended = false;
  #release: () => void = () => undefined;

  start(length: RunLength, intervalMs = 1000): void {
    const { clock } = this;
    const records = watchHost(
      {
        host: HOST,
        ticks: new Ticks(clock, intervalMs, length),
        clock,
        startDelayMs: 0,
        isOnce: length.kind === "once",
        random: () => 0.999,
        reach: async () => {
          this.attempts += 1;
          await this.#wait(this.connectMs);
          if (this.failure !== null) throw this.failure;
          return { live: this.#live(), first: sample(this.connectMs) };
        },
      },
      this.stop.signal,
    );
    void (async () => {
      for await (const record of records) {
        this.records.push(record);
        while (this.isStalled) await new Promise<void>((resolve) => (this.#release = resolve));
      }
      this.ended = true;
    })();
  }

  resume(): void {
    this.isStalled = false;
    this.#release();
  }

  #live(): LiveHost {
    return {
      route: { transport: "nvidia-smi", client: "ssh2", channel: "session" },
      sample: async (tick) => {
        this.sampled.push(tick);
        await this.#wait(this.sampleMs(tick));
        return sample(this.sampleMs(tick));
      },
      lost: new Promise((resolve) => (this.lose = resolve)),
      close: () => {
        this.closed += 1;
        return Promise.resolve();
      },
    };
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  /** The records in short: `frame 0`, `connecting`, `connecting 0`. */
  story(): string[] {
    return this.records.map((record) => {
      const what = record.record === "frame" ? "frame" : (record.last_error?.code ?? record.state);
      return record.tick === null ? what : `${what} ${record.tick}`;
    });
  }

  /** Every tick up to the last one has exactly one record. */
  assertOneRecordATick(): void {
    const ticks = this.records.map((record) => record.tick).filter((tick) => tick !== null);
    assert.deepEqual(
      [...ticks].sort((a, b) => a - b),
      ticks.map((_, index) => index),
    );
  }
}

const REFUSED = new HostError("connection-refused", "dial", "refused");

test("a host that answers has a frame a tick, and its transitions between them", async () => {
  const bench = new Bench();
  bench.start({ kind: "count", ticks: 3 });
  await bench.clock.advance(10_000);
  assert.deepEqual(bench.story(), ["connecting", "connected", "frame 0", "frame 1", "frame 2"]);
  assert.equal(bench.ended, true);
  assert.equal(bench.closed, 1);
  assert.equal(bench.clock.timers, 0, "no timer is left");
  assert.deepEqual(bench.sampled, [1, 2], "the sample of the probe was the first frame");
});

test("a tick that ends before the host is connected has a state, and the frame comes in the next tick", async () => {
  const bench = new Bench();
  bench.connectMs = 1500;
  bench.start({ kind: "count", ticks: 3 });
  await bench.clock.advance(10_000);
  assert.deepEqual(bench.story(), ["connecting", "connecting 0", "connected", "frame 1", "frame 2"]);
});

test("a dead host has a state a tick, is tried again with backoff, and comes back", async () => {
  const bench = new Bench();
  bench.failure = REFUSED;
  bench.start({ kind: "endless" });
  await bench.clock.advance(900);
  assert.deepEqual(bench.story(), ["connecting", "connection-refused", "connection-refused 0"]);
  const first = bench.records[1];
  assert(first?.record === "state");
  assert.equal(first.state, "unreachable");
  assert.equal(first.previous_state, "connecting");
  assert.equal(first.consecutive_failures, 1);
  assert.equal(first.retry_in_ms, 999);
  await bench.clock.advance(20_000);
  assert.equal(bench.attempts, 5, "1 s, 2 s, 4 s, 8 s apart");
  bench.failure = null;
  await bench.clock.advance(20_000);
  assert.equal(bench.records.at(-1)?.record, "frame");
  bench.assertOneRecordATick();
  bench.stop.abort();
  await bench.clock.advance(1);
  assert.equal(bench.ended, true);
  assert.equal(bench.clock.timers, 0);
});

test("once: one record, no transitions, no retry, and a tick without an end", async () => {
  for (const failure of [null, REFUSED]) {
    const bench = new Bench();
    bench.failure = failure;
    bench.connectMs = 7_000;
    bench.start({ kind: "once" });
    await bench.clock.advance(60_000);
    assert.deepEqual(bench.story(), [failure === null ? "frame 0" : "connection-refused 0"]);
    assert.equal(bench.attempts, 1);
    assert.equal(bench.ended, true);
    assert.equal(bench.records[0]?.record === "state" ? bench.records[0].retry_in_ms : null, null);
  }
});

test("a sample that is still under way at the next tick is reported as such, and not asked again meanwhile", async () => {
  const bench = new Bench();
  bench.sampleMs = (tick) => (tick === 1 ? 2500 : 50);
  bench.start({ kind: "count", ticks: 6 });
  await bench.clock.advance(20_000);
  assert.deepEqual(bench.story(), [
    "connecting",
    "connected",
    "frame 0",
    "sample-overrun 2",
    "sample-overrun 3",
    "frame 1",
    "frame 4",
    "frame 5",
  ]);
  assert.deepEqual(bench.sampled, [1, 4, 5]);
});

test("a lost connection is a transition at once, a state in its tick, and a reconnect", async () => {
  const bench = new Bench();
  bench.sampleMs = () => 800;
  bench.start({ kind: "endless" });
  await bench.clock.advance(1_500);
  bench.lose(new HostError("connection-lost", "sample", "gone"));
  await bench.clock.advance(4_000);
  assert.deepEqual(bench.story().slice(0, 6), [
    "connecting",
    "connected",
    "frame 0",
    "connection-lost",
    "connection-lost 1",
    "connection-lost 2",
  ]);
  assert.ok(bench.story().includes("frame 4"));
  bench.assertOneRecordATick();
  bench.stop.abort();
  await bench.clock.advance(1);
});

test("a reader that stalls for a minute gets one fresh sample, not sixty old ones", async () => {
  const bench = new Bench();
  bench.start({ kind: "endless" });
  await bench.clock.advance(2_500);
  const before = bench.sampled.length;
  bench.isStalled = true;
  await bench.clock.advance(60_000);
  assert.ok(bench.sampled.length - before <= 2, "no more samples while nobody reads");
  bench.resume();
  await bench.clock.advance(100);
  const held = bench.records.length;
  await bench.clock.advance(1_000);
  const fresh = bench.records.slice(held);
  assert.equal(fresh.length, 1);
  assert.ok(fresh.every((record) => record.tick !== null && record.tick >= 62));
  const ticks = bench.records.flatMap(({ tick }) => (tick === null ? [] : [tick]));
  const [skip, ...more] = bench.records.flatMap(({ skipped_ticks: skipped }) => skipped ?? []);
  assert.deepEqual(skip, { first: 4, last: 61, reason: "reader-stalled" });
  assert.deepEqual(more, []);
  assert.deepEqual(ticks, [0, 1, 2, 3, 62, 63]);
  bench.stop.abort();
  await bench.clock.advance(1);
});

test("a process that did not run for a minute names the ticks that it missed", async () => {
  const bench = new Bench();
  bench.start({ kind: "endless" });
  await bench.clock.advance(2_500);
  bench.clock.work(60_000);
  await bench.clock.advance(2_000);
  const ticks = bench.records.flatMap(({ tick }) => (tick === null ? [] : [tick]));
  const skips = bench.records.flatMap(({ skipped_ticks: skipped }) => skipped ?? []);
  assert.deepEqual(skips, [{ first: 3, last: 61, reason: "run-stalled" }]);
  assert.deepEqual(ticks, [0, 1, 2, 62, 63, 64]);
  bench.stop.abort();
  await bench.clock.advance(1);
});

test("where the process itself is busy for long, every tick still has its record", async () => {
  const bench = new Bench();
  bench.start({ kind: "count", ticks: 12 });
  await bench.clock.advance(2000);
  // Answers of other hosts keep the process busy for longer than a tick, again and again, as on a small machine.
  for (let round = 0; round < 3; round++) {
    bench.isStalled = true;
    await bench.clock.advance(100);
    bench.clock.work(2400);
    bench.resume();
    await bench.clock.advance(500);
    // A reader that is slow for a moment misses no tick.
    bench.isStalled = true;
    await bench.clock.advance(400);
    bench.resume();
    await bench.clock.advance(100);
    bench.clock.work(2200);
    await bench.clock.advance(300);
  }
  await bench.clock.advance(5000);
  bench.assertOneRecordATick();
  assert.equal(bench.records.filter(({ tick }) => tick !== null).length, 12);
  assert.equal(bench.ended, true);
});

test("an abort while connecting ends the records and leaves no connection", async () => {
  const bench = new Bench();
  bench.connectMs = 5_000;
  bench.start({ kind: "endless" });
  await bench.clock.advance(2_200);
  bench.stop.abort();
  await bench.clock.advance(1);
  assert.equal(bench.ended, true);
  await bench.clock.advance(10_000);
  assert.equal(bench.closed, 1, "a connection that comes too late is closed");
});

test("a reader that is stalled during the last tick finds the run ended", async () => {
  const bench = new Bench();
  bench.start({ kind: "count", ticks: 3 });
  await bench.clock.advance(900);
  bench.isStalled = true;
  await bench.clock.advance(30_000);
  bench.resume();
  await bench.clock.advance(1_000);
  assert.equal(bench.ended, true);
  assert.equal(bench.clock.timers, 0);
});

test("a connection that comes after the last tick is closed", async () => {
  const bench = new Bench();
  bench.connectMs = 5_000;
  bench.start({ kind: "count", ticks: 2 });
  await bench.clock.advance(3_000);
  assert.deepEqual(bench.story(), ["connecting", "connecting 0", "connecting 1"]);
  assert.equal(bench.ended, true);
  await bench.clock.advance(3_000);
  assert.equal(bench.closed, 1);
});

test("a host that drops every connection soon is retried ever more slowly", async () => {
  const bench = new Bench();
  bench.start({ kind: "endless" });
  for (let i = 0; i < 300; i++) {
    await bench.clock.advance(200);
    bench.lose(new HostError("connection-lost", "sample", "gone"));
  }
  assert.ok(bench.attempts <= 7, `${bench.attempts} attempts in a minute`);
  bench.assertOneRecordATick();
  bench.stop.abort();
  await bench.clock.advance(1);
});
