import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StreamRecord } from "../../src/contract/record.js";
import type { Formatter } from "../../src/format/formatter.js";
import { OutputClosed, OutputError, type Output } from "../../src/format/output.js";
import { drainTo, type Drained } from "../../src/format/sink.js";
import { FakeClock } from "../support/fake-clock.js";
import { frame } from "../support/records.js";

/** Writes the hosts' names, one a line. */
const names: Formatter = {
  header: () => "header\n",
  format: (records) => records.map((record) => `${record.hostname}\n`).join(""),
  end: () => "end\n",
};
const batch = (...hosts: string[]): readonly StreamRecord[] => hosts.map((hostname) => frame({ hostname }));

/** Keeps what was written; `block` holds every write until it is let go. */
class FakeOutput implements Output {
  readonly written: string[] = [];
  firstLine: string | null = null;
  failure: Error | null = null;
  #held: (() => void)[] | null = null;

  hold(): void {
    this.#held = [];
  }
  letGo(): void {
    for (const release of this.#held ?? []) release();
    this.#held = null;
  }
  async write(text: string): Promise<void> {
    if (this.failure !== null) throw this.failure;
    const held = this.#held;
    if (held !== null) await new Promise<void>((resolve) => held.push(resolve));
    this.written.push(text);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

interface Source {
  readonly batches: AsyncGenerator<readonly StreamRecord[], void>;
  pulled: number;
  returned: boolean;
}
function sourceOf(list: readonly (readonly StreamRecord[])[]): Source {
  const source: Source = { batches: generate(), pulled: 0, returned: false };
  async function* generate(): AsyncGenerator<readonly StreamRecord[], void> {
    try {
      for (const each of list) {
        source.pulled += 1;
        yield each;
        await Promise.resolve();
      }
    } finally {
      source.returned = true;
    }
  }
  return source;
}

function start(
  source: AsyncIterable<readonly StreamRecord[]>,
  output: Output,
  formatter = names,
  clock = new FakeClock(),
) {
  const controller = new AbortController();
  let stops = 0;
  const drained: Promise<Drained> = drainTo(source, formatter, output, {
    signal: controller.signal,
    clock,
    stop: () => (stops += 1),
  });
  return { drained, controller, clock, stops: () => stops };
}

describe("drainTo", () => {
  test("writes the header, one text a batch, and the end", async () => {
    const output = new FakeOutput();
    const run = start(sourceOf([batch("a", "b"), batch("c")]).batches, output);
    assert.equal(await run.drained, "ended");
    assert.deepEqual(output.written, ["header\n", "a\nb\n", "c\n", "end\n"]);
    assert.equal(run.stops(), 0);
    assert.equal(run.clock.timers, 0);
  });
  test("does not repeat a header that is already in the file", async () => {
    const output = new FakeOutput();
    output.firstLine = "header";
    await start(sourceOf([batch("a")]).batches, output).drained;
    assert.deepEqual(output.written, ["a\n", "end\n"]);
  });
  test("writes the header above another one that is in the file", async () => {
    const output = new FakeOutput();
    output.firstLine = "other";
    await start(sourceOf([]).batches, output).drained;
    assert.equal(output.written[0], "header\n");
  });
  test("pulls nothing while a write is under way", async () => {
    const output = new FakeOutput();
    const source = sourceOf([batch("a"), batch("b"), batch("c")]);
    output.hold();
    const run = start(source.batches, output);
    await run.clock.advance(60_000);
    assert.equal(source.pulled, 0);
    output.letGo();
    output.hold();
    await run.clock.advance(60_000);
    assert.equal(source.pulled, 1);
    output.letGo();
    assert.equal(await run.drained, "ended");
    assert.equal(source.pulled, 3);
  });
  test("ends quietly when the reader has gone, and has the batches stopped and returned", async () => {
    const output = new FakeOutput();
    const source = sourceOf([batch("a"), batch("b")]);
    output.failure = new OutputClosed("gone");
    const run = start(source.batches, output, { ...names, header: () => "" });
    assert.equal(await run.drained, "closed");
    assert.equal(run.stops(), 1);
    assert.ok(source.returned);
    assert.equal(source.pulled, 1);
    assert.equal(run.clock.timers, 0);
  });
  test("throws when the text cannot be written", async () => {
    const output = new FakeOutput();
    const source = sourceOf([batch("a")]);
    output.failure = new OutputError("no space");
    const run = start(source.batches, output, { ...names, header: () => "" });
    await assert.rejects(run.drained, OutputError);
    assert.equal(run.stops(), 1);
    assert.ok(source.returned);
  });
  test("throws what the batches throw", async () => {
    const failing = (async function* () {
      yield await Promise.resolve(batch("a"));
      throw new RangeError("a bug");
    })();
    const run = start(failing, new FakeOutput());
    await assert.rejects(run.drained, /a bug/);
    assert.equal(run.stops(), 1);
  });
  test("after an abort gives a stuck write up when the grace has passed", async () => {
    const output = new FakeOutput();
    output.hold();
    const run = start(sourceOf([batch("a")]).batches, output);
    await run.clock.advance(1000);
    run.controller.abort();
    await run.clock.advance(299);
    assert.equal(run.stops(), 0);
    await run.clock.advance(1);
    assert.equal(await run.drained, "abandoned");
    assert.equal(run.stops(), 1);
  });
  test("after an abort still writes what the batches give until they end", async () => {
    const output = new FakeOutput();
    const run = start(sourceOf([batch("a"), batch("b")]).batches, output);
    run.controller.abort();
    assert.equal(await run.drained, "ended");
    assert.deepEqual(output.written, ["header\n", "a\n", "b\n", "end\n"]);
  });
});

describe("a screen", () => {
  const PAUSE_MS = 100;
  /** The formatter counts pictures; a picture shows the hosts taken in so far. */
  function screen(): { formatter: Formatter; resize: () => void; listeners: Set<() => void> } {
    const hosts: string[] = [];
    const listeners = new Set<() => void>();
    const absorb = (records: readonly StreamRecord[]): void => {
      hosts.push(...records.map((record) => record.hostname));
    };
    return {
      listeners,
      resize: () => listeners.forEach((listener) => listener()),
      formatter: {
        format: (records) => {
          absorb(records);
          return hosts.join("");
        },
        screen: {
          pauseMs: PAUSE_MS,
          absorb,
          note: () => undefined,
          press: () => undefined,
          redraw: () => undefined,
          onOutdated: (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
          },
        },
      },
    };
  }
  /** A source that gives a batch when told to. */
  function faucet(): {
    batches: AsyncGenerator<readonly StreamRecord[], void>;
    give: (host: string) => void;
    end: () => void;
  } {
    const queue: (readonly StreamRecord[] | null)[] = [];
    let wake: () => void = () => undefined;
    const push = (item: readonly StreamRecord[] | null): void => {
      queue.push(item);
      wake();
    };
    async function* generate(): AsyncGenerator<readonly StreamRecord[], void> {
      for (;;) {
        const item = queue.shift();
        if (item === null) return;
        if (item === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else yield item;
      }
    }
    return { batches: generate(), give: (host) => push(batch(host)), end: () => push(null) };
  }

  test("gets at most one picture a pause, and the last records always", async () => {
    const output = new FakeOutput();
    const source = faucet();
    const { formatter } = screen();
    const run = start(source.batches, output, formatter);
    source.give("a");
    await run.clock.advance(0);
    for (const host of ["b", "c", "d"]) {
      source.give(host);
      await run.clock.advance(10);
    }
    assert.deepEqual(output.written, ["a"]);
    await run.clock.advance(PAUSE_MS);
    assert.deepEqual(output.written, ["a", "abcd"]);
    await run.clock.advance(10_000);
    assert.deepEqual(output.written, ["a", "abcd"]);
    source.give("e");
    await run.clock.advance(0);
    assert.deepEqual(output.written, ["a", "abcd", "abcde"]);
    source.give("f");
    source.end();
    assert.equal(await run.drained, "ended");
    assert.equal(output.written.at(-1), "abcdef");
    assert.equal(run.clock.timers, 0);
  });
  test("is repainted when its size changes, with no record", async () => {
    const output = new FakeOutput();
    const source = faucet();
    const { formatter, resize, listeners } = screen();
    const run = start(source.batches, output, formatter);
    source.give("a");
    await run.clock.advance(1000);
    resize();
    await run.clock.advance(0);
    assert.deepEqual(output.written, ["a", "a"]);
    source.end();
    await run.drained;
    assert.equal(listeners.size, 0);
  });
  test("whose reader has gone ends", async () => {
    const output = new FakeOutput();
    output.failure = new OutputClosed("gone");
    const source = sourceOf([batch("a"), batch("b")]);
    const { formatter, listeners } = screen();
    const run = start(source.batches, output, formatter);
    assert.equal(await run.drained, "closed");
    assert.ok(source.returned);
    assert.equal(listeners.size, 0);
    assert.equal(run.clock.timers, 0);
  });
  test("passes on what the batches throw", async () => {
    const failing = (async function* () {
      yield await Promise.resolve(batch("a"));
      throw new RangeError("a bug");
    })();
    const run = start(failing, new FakeOutput(), screen().formatter);
    await assert.rejects(run.drained, /a bug/);
    assert.equal(run.clock.timers, 0);
  });
});
