/** Any events of a host, in any order: one record a tick, consistent states, and no timer or connection left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HostError } from "../../src/contract/errors.js";
import type { KernelEvent } from "../../src/contract/kernel-event.js";
import type { FailureCode, StreamRecord } from "../../src/contract/record.js";
import { Ticks } from "../../src/host/ticks.js";
import type { LiveHost } from "../../src/host/link.js";
import { watchHost } from "../../src/host/watch.js";
import type { Sample } from "../../src/remote/session.js";
import { FakeClock } from "../support/fake-clock.js";
import { propertyRuns } from "../support/property-runs.js";

const INTERVAL_MS = 1000;
const HOST = { hostId: "u@h:22", target: "ssh://u@h", hostname: "h", labels: {} };
const SAMPLE: Sample = { reading: { sections: {}, errors: [] }, latencyMs: 1 };

interface Attempt {
  readonly takesMs: number;
  readonly fails: FailureCode | null;
  /** Time from the connection to its loss; null: never. */
  readonly lostAfterMs: number | null;
  /** Taken in turn by its samples. */
  readonly samplesMs: readonly number[];
}

interface Story {
  readonly ticks: number | null;
  readonly once: boolean;
  readonly startDelayMs: number;
  readonly attempts: readonly Attempt[];
  /** When the reader stops reading, and for how long. */
  readonly stalls: readonly { readonly atMs: number; readonly forMs: number }[];
  readonly abortAtMs: number | null;
  readonly random: number;
}

const ms = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });

const ATTEMPT: fc.Arbitrary<Attempt> = fc.record({
  takesMs: fc.oneof(ms(900), ms(6000)),
  fails: fc.option(
    fc.constantFrom<FailureCode>("connection-refused", "no-tool", "auth-failed", "probe-timeout"),
  ),
  lostAfterMs: fc.option(ms(8000)),
  samplesMs: fc.array(fc.oneof(ms(400), ms(4000)), { minLength: 1, maxLength: 4 }),
});

const STORY: fc.Arbitrary<Story> = fc.record({
  ticks: fc.option(fc.integer({ min: 1, max: 12 })),
  once: fc.boolean(),
  startDelayMs: fc.constantFrom(0, 5, 250, 4000),
  attempts: fc.array(ATTEMPT, { minLength: 1, maxLength: 5 }),
  stalls: fc.array(fc.record({ atMs: ms(15_000), forMs: ms(8000) }), { maxLength: 2 }),
  abortAtMs: fc.option(ms(20_000)),
  random: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

interface Received {
  readonly record: StreamRecord;
  readonly atMs: number;
}

interface Outcome {
  readonly received: readonly Received[];
  readonly ended: boolean;
  readonly opened: number;
  readonly closed: number;
  readonly timers: number;
  /** Times during which the reader did not read. */
  readonly stalled: readonly { readonly from: number; readonly to: number }[];
  readonly lastMs: number;
  /** Events of the kernel log that each frame took. */
  readonly taken: readonly number[];
}

async function play(story: Story): Promise<Outcome> {
  const clock = new FakeClock();
  const stop = new AbortController();
  const received: Received[] = [];
  const stalled: { from: number; to: number }[] = [];
  const wait = (delayMs: number): Promise<void> => new Promise((resolve) => clock.after(delayMs, resolve));
  let opened = 0;
  let closed = 0;
  let attempts = 0;
  let ended = false;
  // The host's kernel log has a new event with each sample.
  let logged = 0;
  let unread: KernelEvent[] = [];
  const taken: number[] = [];
  const logEvent = (): void => {
    const known = { kind: "nvidia-xid", severity: "info", logged_at: null, message: "", action: "" } as const;
    unread.push({ ...known, code: logged++, pci_bus_id: null, pid: null });
  };

  const open = (attempt: Attempt): LiveHost => {
    opened += 1;
    let samples = 0;
    let isClosed = false;
    let lose: (error: HostError) => void = () => undefined;
    const lost = new Promise<HostError>((resolve) => (lose = resolve));
    const gone = new HostError("connection-lost", "sample", "gone");
    const timer = attempt.lostAfterMs === null ? null : clock.after(attempt.lostAfterMs, () => lose(gone));
    return {
      route: { transport: "nvidia-smi", client: "ssh2", channel: "session" },
      lost,
      sample: async () => {
        const takes = attempt.samplesMs[samples++ % attempt.samplesMs.length] ?? 0;
        await wait(takes);
        logEvent();
        return SAMPLE;
      },
      takeEvents: () => {
        const events = unread;
        unread = [];
        taken.push(events.length);
        return { events: events.length === 0 ? null : events, errors: [] };
      },
      close: () => {
        if (!isClosed) closed += 1;
        isClosed = true;
        timer?.cancel();
        return Promise.resolve();
      },
    };
  };

  const length = story.once
    ? ({ kind: "once" } as const)
    : story.ticks === null
      ? ({ kind: "endless" } as const)
      : ({ kind: "count", ticks: story.ticks } as const);
  const records = watchHost(
    {
      host: HOST,
      ticks: new Ticks(clock, INTERVAL_MS, length),
      clock,
      startDelayMs: story.startDelayMs,
      isOnce: story.once,
      random: () => story.random,
      reach: async () => {
        const attempt = story.attempts[attempts++ % story.attempts.length] as Attempt;
        await wait(attempt.takesMs);
        if (attempt.fails !== null) throw new HostError(attempt.fails, "dial", "no");
        return { live: open(attempt), first: SAMPLE };
      },
    },
    stop.signal,
  );
  const stalls = [...story.stalls].sort((a, b) => a.atMs - b.atMs);
  const read = async (): Promise<void> => {
    for await (const record of records) {
      received.push({ record, atMs: clock.nowMs() });
      const stall = stalls[0];
      if (stall === undefined || clock.nowMs() < stall.atMs) continue;
      stalls.shift();
      const from = clock.nowMs();
      await wait(stall.forMs);
      stalled.push({ from, to: clock.nowMs() });
    }
    ended = true;
  };
  void read();
  const lastMs = story.abortAtMs ?? 30_000;
  await clock.advance(lastMs);
  stop.abort();
  // The reader, a sample or an attempt may still wait for something.
  await clock.advance(20_000);
  return { received, ended, opened, closed, timers: clock.timers, stalled, lastMs, taken };
}

/** Compares without narrowing the type of its argument. */
const same = (actual: unknown, expected: unknown, message?: string): void => {
  assert.equal(actual, expected, message);
};

function check(story: Story, outcome: Outcome): void {
  const { received, stalled } = outcome;
  assert.equal(outcome.ended, true, "it ends");
  assert.equal(outcome.timers, 0, "no timer is left");
  assert.equal(outcome.closed, outcome.opened, "every connection is closed");

  const ticks = received.flatMap(({ record }) => (record.tick === null ? [] : [record.tick]));
  assert.equal(new Set(ticks).size, ticks.length, `no tick twice: ${ticks.join(" ")}`);
  let latest = -1;
  for (const { record } of received) {
    if (record.tick === null) continue;
    // Only a late answer comes out of order: the records of the ticks after it reported that it was under way.
    const isLate = record.record === "frame" || record.last_error?.code === "connection-lost";
    assert.ok(record.tick > latest || isLate, `ticks in order: ${ticks.join(" ")}`);
    latest = Math.max(latest, record.tick);
  }

  const events = received.flatMap(({ record }) => (record.record === "frame" ? (record.events ?? []) : []));
  assert.deepEqual(
    events.map(({ code }) => code),
    events.map((_, place) => place),
    "each event of the kernel log once, in order",
  );
  const whole = outcome.taken.reduce((sum, count) => sum + count, 0);
  // The run's end may come while a last frame waits for its reader.
  const isAll = events.length === whole || events.length === whole - (outcome.taken.at(-1) ?? 0);
  assert.ok(isAll, `${events.length} of ${whole} events that were taken are in frames`);

  const skips = received.flatMap(({ record: { skipped_ticks: skip } }) => skip ?? []);
  const skipped = new Set(
    skips.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
  );
  assert.ok(skips.length === 0 || stalled.length > 0, "ticks are skipped only where the reader stalled");
  assert.ok(skips.every(({ first, last, reason }) => first <= last && reason === "reader-stalled"));

  // A tick of a stall is named by a record after it: where the run ends soon after a stall, there may be none.
  const unnamed = stalled.filter(({ to }) => to > outcome.lastMs - 6 * INTERVAL_MS).map(({ from }) => from);
  const endMs = Math.min(outcome.lastMs, received.at(-1)?.atMs ?? 0, ...unnamed);
  const ofRun = story.ticks === null ? Infinity : story.ticks - 1;
  const isWhole = unnamed.length === 0 && outcome.lastMs >= (ofRun + 7) * INTERVAL_MS;
  const sure = isWhole ? ofRun : Math.min(ofRun, Math.floor(endMs / INTERVAL_MS) - 6);
  const lastTick = story.once ? -1 : sure;
  for (let tick = 0; tick <= lastTick; tick++) {
    assert.ok(
      ticks.includes(tick) !== skipped.has(tick),
      `tick ${tick} of ${lastTick} has its record, or a later one names it: ${ticks.join(" ")}`,
    );
  }
  if (story.once && outcome.lastMs >= 30_000) assert.deepEqual(ticks, [0]);

  let state: StreamRecord["state"] | null = null;
  let since = "";
  for (const { record } of received) {
    if (record.record === "frame") {
      if (!story.once) same(state, "connected", "a frame comes from a host that is connected");
      continue;
    }
    if (record.tick === null) {
      same(record.previous_state, state);
      state = record.state;
      since = record.since;
    } else if (!story.once) {
      same(record.state, state, "a tick's state is the last transition's");
      same(record.since, since);
    }
    assert.equal(record.retry_in_ms === null, story.once || /^connect/.test(record.state));
    assert.ok(record.attempt >= 1);
    if (record.state === "connected") assert.equal(record.consecutive_failures, 0);
    if (record.state !== "connected" && record.state !== "connecting") {
      assert.ok(record.consecutive_failures >= 1);
      assert.notEqual(record.last_error, null);
    }
  }
}

test("any sequence of connects, losses, slow samples, stalls and aborts gives one record a tick", async () => {
  await fc.assert(
    fc.asyncProperty(STORY, async (story) => {
      check(story, await play(story));
    }),
    { numRuns: propertyRuns(800) },
  );
});
