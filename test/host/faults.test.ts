/** What any stage throws for one host is only that host's state; the host beside it has all its ticks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostError } from "../../src/contract/errors.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { watchFleet, type FleetHost } from "../../src/fleet/pipeline.js";
import type { HostIdentity } from "../../src/host/host-record.js";
import type { LiveHost } from "../../src/host/link.js";
import type { Sample } from "../../src/remote/session.js";
import { FakeClock } from "../support/fake-clock.js";

const identity = (name: string): HostIdentity => ({
  hostId: `u@${name}:22`,
  target: `ssh://u@${name}`,
  hostname: name,
  labels: {},
});
const sample = (): Sample => ({ reading: { sections: { memory: [] }, errors: [] }, latencyMs: 1 });
const live = (): LiveHost => ({
  route: { transport: "nvidia-smi", client: "ssh2", channel: "session" },
  sample: () => Promise.resolve(sample()),
  lost: new Promise<HostError>(() => undefined),
  close: () => Promise.resolve(),
});
const up = (changes: Partial<LiveHost> = {}, first = sample()): ReturnType<FleetHost["reach"]> =>
  Promise.resolve({ live: { ...live(), ...changes }, first });
const broken = (): never => {
  throw new TypeError("Cannot convert object to primitive value");
};
/** A reading that throws when it is made into a record. */
const poisoned = (): Sample => ({
  reading: {
    errors: [],
    get sections(): never {
      return broken();
    },
  },
  latencyMs: 1,
});
/** As `broken`, with a value that is not an Error, or an Error that cannot be inspected. */
const thrown = (value: unknown) => (): never => {
  throw value;
};

/** After the first tick has begun, so that the first reading is that tick's. */
const later = async <Value>(begin: () => Promise<Value>): Promise<Value> => {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  return begin();
};

interface Stage {
  readonly what: string;
  readonly reach: FleetHost["reach"];
  /** Whether the host has frames, too, between its `internal-error` states. */
  readonly frames: boolean;
  /** Whether a run of one tick fails; by default where there are no frames. */
  readonly failsOnce?: boolean;
}
const STAGES: readonly Stage[] = [
  { what: "planning or connecting, at once", reach: broken, frames: false },
  { what: "connecting, later", reach: () => Promise.reject(new RangeError("deep")), frames: false },
  {
    what: "the first reading as a record",
    reach: () => later(() => up({}, poisoned())),
    frames: true,
    failsOnce: true,
  },
  { what: "sampling, at once", reach: () => up({ sample: broken }), frames: true },
  {
    what: "sampling, later",
    reach: () => up({ sample: () => Promise.reject(new TypeError("x")) }),
    frames: true,
  },
  {
    what: "a later reading as a record",
    reach: () => up({ sample: () => Promise.resolve(poisoned()) }),
    frames: true,
  },
  {
    what: "asking for the route",
    reach: () =>
      Promise.resolve({ live: Object.defineProperty(live(), "route", { get: broken }), first: sample() }),
    frames: false,
  },
  {
    what: "the promise of a loss",
    reach: () => up({ lost: Promise.reject(new TypeError("lost")) }),
    frames: true,
  },
  { what: "something that is no Error", reach: thrown("a string"), frames: false },
  { what: "undefined", reach: thrown(undefined), frames: false },
  { what: "an object without a text", reach: thrown(Object.create(null)), frames: false },
  {
    what: "an Error whose message throws",
    reach: thrown(Object.defineProperty(new Error("x"), "message", { get: broken })),
    frames: false,
  },
];

const TICKS = 8;

async function watch(
  hosts: readonly FleetHost[],
  isOnce: boolean,
): Promise<{ records: StreamRecord[]; faults: string[] }> {
  const clock = new FakeClock();
  const records: StreamRecord[] = [];
  const faults: string[] = [];
  const { batches } = watchFleet(
    hosts,
    {
      intervalMs: 1000,
      length: isOnce ? { kind: "once" } : { kind: "count", ticks: TICKS },
      beginMs: clock.nowMs(),
      clock,
      random: () => 0.999,
      fault: (host) => faults.push(host),
    },
    new AbortController().signal,
  );
  const drained = (async () => {
    for await (const batch of batches) records.push(...batch);
  })();
  // Batches of a run of one tick are gathered for a turn of the real event loop.
  for (let step = 0; step < TICKS * 20; step++) {
    await clock.advance(100);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await drained;
  assert.equal(clock.timers, 0, "no timer is left");
  return { records, faults };
}

for (const { what, reach, frames, failsOnce = !frames } of STAGES) {
  test(`when ${what} throws, only that host has no reading`, async () => {
    const bad = { identity: identity("bad"), reach };
    const good = { identity: identity("good"), reach: () => up() };
    const { records, faults } = await watch([bad, good], false);
    const of = (name: string): StreamRecord[] => records.filter(({ hostname }) => hostname === name);
    const ticks = (name: string): (number | null)[] =>
      of(name)
        .map(({ tick }) => tick)
        .filter((tick) => tick !== null);
    assert.deepEqual(ticks("good"), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.ok(of("good").every(({ tick, record }) => tick === null || record === "frame"));
    assert.deepEqual(ticks("bad"), [0, 1, 2, 3, 4, 5, 6, 7], "one record a tick");
    const failed = of("bad").filter((record) => record.state === "disconnected");
    assert.ok(failed.length > 0);
    for (const record of failed) {
      assert(record.record === "state");
      assert.equal(record.last_error?.code, "internal-error");
      assert.doesNotMatch(record.last_error.message, /\n/);
      assert.notEqual(record.retry_in_ms, null, "it is tried again");
    }
    assert.ok(
      of("bad").some((record) => record.record === "state" && record.attempt > 1),
      "and it was",
    );
    if (!frames) assert.ok(of("bad").every(({ record }) => record === "state"));
    assert.ok(faults.length > 0 && faults.every((host) => host === "u@bad:22"));
  });

  if (failsOnce)
    test(`once, when ${what} throws: one record a host`, async () => {
      const bad = { identity: identity("bad"), reach };
      const { records } = await watch([bad, { identity: identity("good"), reach: () => up() }], true);
      const seen = records.map(({ hostname, record, tick }) => `${hostname} ${record} ${tick}`);
      assert.deepEqual(seen.sort(), ["bad state 0", "good frame 0"]);
    });
}

test("a host whose close throws changes nothing in the run, and is reported", async () => {
  const reach: FleetHost["reach"] = () => up({ close: broken });
  const { records, faults } = await watch([{ identity: identity("bad"), reach }], false);
  assert.equal(records.filter(({ record }) => record === "frame").length, TICKS);
  assert.deepEqual(faults, ["u@bad:22"]);
});
