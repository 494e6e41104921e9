/** What is asked of which resolver process, and when one is started, replaced or done without. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { setMaxListeners } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { realClock } from "../../../src/lib/clock.js";
import type { NameAnswer, NameQuestion } from "../../../src/ssh/names/look-up.js";
import { ResolverPool } from "../../../src/ssh/names/resolver-pool.js";
import {
  resolverStarter,
  type ResolverEvents,
  type StartResolver,
} from "../../../src/ssh/names/resolver-process.js";
import { FakeClock } from "../../support/fake-clock.js";
import { makeTempDir } from "../../support/temp-dir.js";

const PROGRAM = new URL(import.meta.resolve("../../../src/ssh/names/resolver.js"));
const SOURCES = new URL("../../../src/ssh/names/", import.meta.url);
const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
const FOUND: NameAnswer = { addresses: ["192.0.2.1"] };

interface Started {
  readonly capacity: number;
  readonly events: ResolverEvents;
  readonly asked: { readonly id: number; readonly name: string }[];
  isKilled: boolean;
}

/** A pool whose processes only note what they are asked. */
function fakePool(): { pool: ResolverPool; clock: FakeClock; started: Started[] } {
  const started: Started[] = [];
  const start: StartResolver = (capacity, events) => {
    const one: Started = { capacity, events, asked: [], isKilled: false };
    started.push(one);
    return {
      capacity,
      ask: (id: number, { name }: NameQuestion) => one.asked.push({ id, name }),
      kill: () => (one.isKilled = true),
    };
  };
  const clock = new FakeClock();
  return { pool: new ResolverPool(start, clock), clock, started };
}

function at(started: readonly Started[], place: number): Started {
  const one = started[place];
  assert.ok(one, `process ${place} was started`);
  return one;
}

function answer(one: Started, name: string, with_: NameAnswer = FOUND): void {
  const asked = one.asked.findLast((each) => each.name === name);
  assert.ok(asked, `${name} was asked for`);
  one.events.answered(asked.id, with_);
}

const never = new AbortController().signal;
setMaxListeners(0, never);

/** Asks for names that nobody answers; what each comes to is dropped. */
function askAll(pool: ResolverPool, names: readonly string[], signal: AbortSignal = never): void {
  for (const name of names) pool.find(name, 0, signal).catch(() => undefined);
}

const names = (count: number, label = "hangs"): string[] =>
  Array.from({ length: count }, (_, i) => `${label}-${i}`);

describe("a pool of resolvers", () => {
  test("starts nothing before a name is asked for or expected, and one process then", async () => {
    const { pool, started } = fakePool();
    assert.equal(started.length, 0);
    pool.expect();
    pool.expect();
    const found = pool.find("a", 0, never);
    assert.equal(started.length, 1);
    answer(at(started, 0), "a");
    assert.deepEqual(await found, ["192.0.2.1"]);
    pool.close();
  });

  test("asks once for a name that several ask for, and apart for another family", async () => {
    const { pool, started } = fakePool();
    const all = [pool.find("a", 0, never), pool.find("a", 0, never), pool.find("a", 6, never)];
    const first = at(started, 0);
    assert.equal(first.asked.length, 2);
    for (const { id } of first.asked) first.events.answered(id, FOUND);
    assert.deepEqual(await Promise.all(all), [["192.0.2.1"], ["192.0.2.1"], ["192.0.2.1"]]);
    pool.close();
  });

  test("passes getaddrinfo's code on", async () => {
    const { pool, started } = fakePool();
    const found = pool.find("a", 0, never);
    answer(at(started, 0), "a", { addresses: null, code: "EAI_AGAIN", message: "try again" });
    await assert.rejects(found, { code: "EAI_AGAIN", message: "try again" });
    pool.close();
  });

  test("rejects with the signal's reason, and leaves the question to others who ask it", async () => {
    const { pool, started } = fakePool();
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const given = pool.find("a", 0, stop.signal);
    const other = pool.find("a", 0, never);
    stop.abort(new Error("too late"));
    await assert.rejects(given, /too late/);
    const later = pool.find("a", 0, never);
    assert.equal(at(started, 0).asked.length, 1);
    answer(at(started, 0), "a");
    assert.deepEqual(await Promise.all([other, later]), [["192.0.2.1"], ["192.0.2.1"]]);
    await assert.rejects(pool.find("b", 0, stop.signal), /too late/);
    pool.close();
  });

  test("starts another process where one is full for a moment, and serves from it", async () => {
    const { pool, clock, started } = fakePool();
    askAll(pool, names(capacityOfFirst(started, pool)));
    const good = pool.find("good", 0, never);
    assert.equal(started.length, 1);
    await clock.advance(200);
    assert.equal(started.length, 2);
    assert.ok(at(started, 1).capacity > at(started, 0).capacity);
    answer(at(started, 1), "good");
    assert.deepEqual(await good, ["192.0.2.1"]);
    pool.close();
    assert.deepEqual(
      started.map(({ isKilled }) => isKilled),
      [true, true],
    );
  });

  test("kills a process in which everything hangs that nobody waits for", async () => {
    const { pool, clock, started } = fakePool();
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    askAll(pool, names(capacityOfFirst(started, pool)), stop.signal);
    stop.abort();
    const good = pool.find("good", 0, never);
    await clock.advance(200);
    assert.deepEqual([at(started, 0).isKilled, started.length], [true, 2]);
    answer(at(started, 1), "good");
    await good;
    pool.close();
  });

  test("has a bound: what is waited for least is killed, and what is waited for is asked again", async () => {
    const { pool, clock, started } = fakePool();
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    askAll(pool, names(2000), stop.signal);
    await clock.advance(5_000);
    const { length } = started;
    assert.ok(length <= 4, `${length} processes`);
    const kept = pool.find("hangs-3", 0, never);
    const good = pool.find("good", 0, never);
    stop.abort();
    await clock.advance(200);
    const last = at(started, started.length - 1);
    assert.equal(started.length, length + 1);
    assert.equal(started.filter(({ isKilled }) => !isKilled).length, length);
    for (const name of ["good", "hangs-3"]) {
      const holder = started.find((one) => !one.isKilled && one.asked.some((each) => each.name === name));
      answer(holder ?? last, name);
    }
    assert.deepEqual(await Promise.all([kept, good]), [["192.0.2.1"], ["192.0.2.1"]]);
    pool.close();
  });

  test("asks for names that have hung after those that have not", async () => {
    const { pool, clock, started } = fakePool();
    const capacity = capacityOfFirst(started, pool);
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    askAll(pool, names(capacity + 1), stop.signal);
    stop.abort();
    await clock.advance(0);
    askAll(pool, [`hangs-${capacity}`, "good"]);
    await clock.advance(200);
    assert.deepEqual(
      at(started, 1).asked.map(({ name }) => name),
      ["good", `hangs-${capacity}`],
    );
    pool.close();
  });

  test("asks afresh for a name that has hung for long", async () => {
    const { pool, clock, started } = fakePool();
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    askAll(pool, ["a"], stop.signal);
    askAll(pool, ["other"]);
    stop.abort();
    await clock.advance(31_000);
    const found = pool.find("a", 0, never);
    const questions = at(started, 0).asked.filter(({ name }) => name === "a");
    assert.equal(questions.length, 2);
    // The first question's late answer is no one's.
    at(started, 0).events.answered(questions[0]?.id ?? -1, { addresses: ["192.0.2.9"] });
    answer(at(started, 0), "a");
    assert.deepEqual(await found, ["192.0.2.1"]);
    pool.close();
  });

  test("ends a process that nobody needs for a while, and starts one anew", async () => {
    const { pool, clock, started } = fakePool();
    const found = pool.find("a", 0, never);
    answer(at(started, 0), "a");
    await found;
    await clock.advance(9_000);
    assert.equal(at(started, 0).isKilled, false);
    await clock.advance(2_000);
    assert.equal(at(started, 0).isKilled, true);
    assert.equal(clock.timers, 0);
    askAll(pool, ["b"]);
    assert.deepEqual(
      at(started, 1).asked.map(({ name }) => name),
      ["b"],
    );
    await clock.advance(60_000);
    assert.equal(at(started, 1).isKilled, false, "somebody waits");
    pool.close();
    assert.equal(clock.timers, 0);
  });

  test("looks up by itself where a process fails, and tries one again later", async () => {
    const { pool, clock, started } = fakePool();
    const found = pool.find("localhost", 4, never);
    at(started, 0).events.failed();
    assert.deepEqual(await found, ["127.0.0.1"]);
    assert.deepEqual(await pool.find("localhost", 4, never), ["127.0.0.1"]);
    assert.equal(started.length, 1);
    await clock.advance(30_000);
    askAll(pool, ["b"]);
    assert.equal(started.length, 2);
    pool.close();
  });
});

/** Starts the first process and returns how many names it looks up at once. */
function capacityOfFirst(started: readonly Started[], pool: ResolverPool): number {
  pool.expect();
  return at(started, 0).capacity;
}

describe("a resolver process", () => {
  // A look-up keeps no process from ending: the deadline of the one who asks does.
  let deadline: NodeJS.Timeout;
  before(() => (deadline = setTimeout(() => undefined, 30_000)));
  after(() => clearTimeout(deadline));

  test("knows what /etc/hosts has, and what nobody has", async () => {
    const pool = new ResolverPool(resolverStarter(PROGRAM, realClock), realClock);
    try {
      assert.deepEqual(await pool.find("localhost", 4, never), ["127.0.0.1"]);
      await assert.rejects(pool.find("no-such-host.invalid", 0, never), /ENOTFOUND|EAI_AGAIN/);
      await assert.rejects(pool.find(`${"x".repeat(70)}..\0`, 0, never), Error);
      assert.deepEqual(await pool.find("localhost", 4, never), ["127.0.0.1"]);
    } finally {
      pool.close();
    }
  });

  test("that cannot run is done without", async () => {
    const pool = new ResolverPool(resolverStarter(new URL("./missing.cjs", PROGRAM), realClock), realClock);
    assert.deepEqual(await pool.find("localhost", 4, never), ["127.0.0.1"]);
    pool.close();
  });

  test("that hangs at its start, as where there are no more threads, is done without", async (t) => {
    const temp = makeTempDir("resolver");
    t.after(() => temp.remove());
    const program = join(temp.path, "hangs.cjs");
    writeFileSync(program, "setInterval(() => undefined, 1000);\n");
    const clock = new FakeClock();
    let failures = 0;
    const events = { answered: () => undefined, failed: () => (failures += 1) };
    resolverStarter(pathToFileURL(program), clock)(1, events).ask(1, { name: "localhost", family: 4 });
    await clock.advance(4_999);
    assert.equal(failures, 0);
    await clock.advance(1);
    assert.equal(failures, 1);
  });

  for (const free of [0, 1, 2, 3, 4]) {
    test(`is done without where only ${free} descriptors are left`, () => {
      const program = `import { closeSync, openSync } from "node:fs";
        import { realClock } from ${JSON.stringify(new URL("../../lib/clock.ts", SOURCES).href)};
        import { ResolverPool } from ${JSON.stringify(new URL("resolver-pool.ts", SOURCES).href)};
        import { resolverStarter } from ${JSON.stringify(new URL("resolver-process.ts", SOURCES).href)};
        const deadline = setTimeout(() => undefined, 20_000);
        const held = [];
        // What is loaded and made when it is first needed takes its descriptors before they are gone.
        await new ResolverPool(resolverStarter(new URL("./missing.cjs", ${JSON.stringify(PROGRAM.href)}), realClock), realClock)
          .find("localhost", 4, new AbortController().signal);
        try { for (;;) held.push(openSync("/dev/null", "r")); } catch {}
        for (let i = 0; i < ${free}; i++) closeSync(held.pop());
        const pool = new ResolverPool(resolverStarter(new URL(${JSON.stringify(PROGRAM.href)}), realClock), realClock);
        const failed = pool.find("localhost", 4, new AbortController().signal).then(String, (error) => error.code);
        const found = await failed;
        for (const one of held) closeSync(one);
        process.stdout.write(found);
        pool.close();
        clearTimeout(deadline);`;
      const limited = 'ulimit -n 100; exec "$@"';
      const node = [process.execPath, "--import", "tsx", "--input-type=module", "-e", program];
      const run = spawnSync("/bin/bash", ["-c", limited, "bash", ...node], {
        encoding: "utf8",
        cwd: REPOSITORY,
      });
      assert.equal(run.status, 0, run.stderr);
      // With no descriptor at all, getaddrinfo cannot read /etc/hosts either.
      assert.match(run.stdout, free === 0 ? /^(127\.0\.0\.1|E[A-Z_]+)$/ : /^127\.0\.0\.1$/);
    });
  }
});
