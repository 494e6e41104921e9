/** The main thread's side, against threads that run a few lines made for the case. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { realClock, type Clock } from "../../../src/lib/clock.js";
import { FleetThreads } from "../../../src/sources/threads/fleet-threads.js";
import type { Share } from "../../../src/sources/threads/shares.js";

/** `lines` and `ended` of a thread; its `counts` do not matter. */
const PRELUDE = `import { parentPort } from "node:worker_threads";
const counts = { hosts: 1, fine: 1, held: false };
const lines = (text) => {
  const bytes = new TextEncoder().encode(text);
  parentPort.postMessage({ kind: "lines", buffer: bytes, length: bytes.length, counts }, [bytes.buffer]);
};
const ended = () => { parentPort.postMessage({ kind: "ended", counts }); parentPort.close(); };
`;

function start(scripts: readonly string[], clock = realClock) {
  const logged: string[] = [];
  const stopper = new AbortController();
  const log = {
    warn: (message: string) => logged.push(`warning: ${message}`),
    debug: (message: string) => logged.push(`debug: ${message}`),
    fault: () => undefined,
    faultStack: (host: string, stack: string) => logged.push(`fault: ${host}: ${stack}`),
    line: (line: string) => logged.push(line),
    hostChanges: null,
  };
  const code = `${PRELUDE}import { workerData } from "node:worker_threads";
    const scripts = ${JSON.stringify(scripts)};
    await (new (Object.getPrototypeOf(async () => {}).constructor)("parentPort", "lines", "ended", "counts", scripts[workerData.watched.length]))(parentPort, lines, ended, counts);`;
  const program = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  // Which script a thread runs is chosen by the length of its list.
  const shares = scripts.map((_, at) => ({ watched: Array.from({ length: at }) }) as unknown as Share);
  const options = { program, clock, signal: stopper.signal, log };
  return { threads: FleetThreads.start(shares, options), logged, stopper };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

async function all(threads: FleetThreads): Promise<readonly string[]> {
  const texts: string[] = [];
  for (;;) {
    const step = await threads.next();
    if (step.done === true) return texts;
    texts.push(text(step.value));
  }
}

describe("FleetThreads", () => {
  test("takes the lines of all threads, each in its order, and the counts", async () => {
    const three = `let n = 0; const go = () => { if (n++ < 3) lines(name + n + "\\n"); else ended(); };
      parentPort.on("message", go); go();`;
    const { threads } = start([`const name = "a";${three}`, `const name = "b";${three}`]);
    const texts = await all(threads);
    assert.deepEqual(
      texts.filter((each) => each.startsWith("a")),
      ["a1\n", "a2\n", "a3\n"],
    );
    assert.deepEqual(
      texts.filter((each) => each.startsWith("b")),
      ["b1\n", "b2\n", "b3\n"],
    );
    assert.deepEqual(threads.counts, Array(2).fill({ hosts: 1, fine: 1, held: false }));
    await threads.return();
  });
  test("returns a thread's buffer only with the next pull, so that it waits for a slow reader", async () => {
    const { threads, logged } = start([
      `parentPort.on("message", (m) => {
        parentPort.postMessage({ kind: "line", text: m.kind + " " + m.buffer.length });
        ended();
      });
      lines("first\\n");`,
    ]);
    const step = await threads.next();
    assert.ok(step.done === false && text(step.value) === "first\n");
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(logged, []);
    assert.equal((await threads.next()).done, true);
    assert.deepEqual(logged, ["ack 6"]);
    await threads.return();
  });
  test("passes log lines on, and a warning of several threads once", async () => {
    const script = `for (const [kind, text] of [["warning", "w"], ["debug", "n"], ["line", "l"]])
      parentPort.postMessage({ kind, text });
      ended();`;
    const { threads, logged } = start([script, script]);
    assert.deepEqual(await all(threads), []);
    assert.deepEqual([...logged].sort(), ["debug: n", "debug: n", "l", "l", "warning: w"]);
    await threads.return();
  });
  test("the signal's abort is passed on, and lines that nobody takes hold no thread", async () => {
    const { threads, stopper } = start([
      `parentPort.on("message", (m) => { if (m.kind === "ack") ended(); }); lines("never taken\\n");`,
    ]);
    stopper.abort();
    const begun = performance.now();
    await threads.return();
    assert.ok(performance.now() - begun < 1500, "it did not wait for the limit");
  });
  // As setTimeout does now and then, though by less.
  const hasty: Clock = { ...realClock, after: (ms, callback) => realClock.after(ms - 20, callback) };
  for (const [what, clock] of [
    ["", realClock],
    [", by a timer that is early", hasty],
  ] as const) {
    test(`a thread that does not end is terminated${what}`, { timeout: 20_000 }, async () => {
      const script = `setInterval(() => undefined, 1000); parentPort.on("message", () => undefined);`;
      const { threads } = start([script], clock);
      const begun = performance.now();
      await threads.return();
      assert.ok(performance.now() - begun >= 1900);
    });
  }
  for (const [what, script, error] of [
    ["throws", `throw new Error("a bug of ours");`, /a bug of ours/],
    ["ends by itself", `parentPort.close();`, /a thread ended by itself/],
  ] as const) {
    test(`a thread that ${what} is reported, not waited for`, async () => {
      const { threads } = start([script, `parentPort.on("message", () => undefined);`]);
      await assert.rejects(all(threads), error);
      await threads.return();
    });
  }
});
