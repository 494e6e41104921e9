/** Ticks and their output leave nothing behind: no timer, no handle, no memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { drainTo } from "../../src/format/sink.js";
import { realClock } from "../../src/lib/clock.js";
import { HostSession } from "../../src/remote/session.js";
import { shimsToTry } from "../../src/shims/registry.js";
import { HOST_SYSTEMS } from "../../src/system/registry.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { connectLocally } from "../support/local-connection.js";
import { frame } from "../support/records.js";
import { makeTempDir } from "../support/temp-dir.js";

const ROW = "0, GPU-1, NVIDIA H100, 590.48.01, 37, 19818, 81559, 59, 1980, 63$(( $$ % 10 )).95";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

function heapAfterGc(): number {
  assert.ok(typeof collect === "function");
  for (let round = 0; round < 3; round++) Reflect.apply(collect, globalThis, []);
  return process.memoryUsage().heapUsed;
}

const SPAN = 500;
/** A timer, a listener or a promise a tick would be 400 bytes and more. */
const MAX_GROWN = 180 * 1024;

test("500 ticks leave no timer, no handle and no memory behind", async () => {
  const temp = makeTempDir("left-behind");
  const connection = connectLocally(["/bin/sh"], { PATH: `${temp.path}:/usr/bin:/bin`, HOME: temp.path });
  try {
    makeTools(temp.path, { "nvidia-smi": fakeNvidiaSmi({ rows: [ROW] }) });
    const { session } = await HostSession.start(connection, {
      sample: {
        include: new Set(["gpu", "memory"]),
        fallback: [],
        toolTimeoutSecs: 5,
        redact: false,
        holdDriver: "auto",
      },
      shims: await shimsToTry(["nvidia-smi"]),
      systems: HOST_SYSTEMS,
      plainSystems: [],
      clock: realClock,
      intervalMs: 1000,
    });
    const sample = async (from: number, ticks: number): Promise<void> => {
      for (let tick = from; tick < from + ticks; tick++) {
        const { reading } = await session.sample(tick);
        assert.equal(reading.sections.gpus?.length, 1);
      }
    };
    // Until code and its caches have settled.
    await sample(1, 400);
    const timers = (): readonly string[] =>
      process.getActiveResourcesInfo().filter((kind) => kind === "Timeout");
    const handles = process.getActiveResourcesInfo().length;
    const timersBefore = timers().length;
    // What a tick leaves, every span of them has; compiled code, which may come late on a busy machine, one.
    const grown: number[] = [];
    for (let span = 0; span < 3 && (grown.at(-1) ?? Infinity) >= MAX_GROWN; span++) {
      connection.written.length = 0;
      const before = heapAfterGc();
      await sample(401 + span * SPAN, SPAN);
      assert.equal(timers().length, timersBefore);
      assert.equal(process.getActiveResourcesInfo().length, handles);
      connection.written.length = 0;
      grown.push(heapAfterGc() - before);
    }
    assert.ok(Math.min(...grown) < MAX_GROWN, `${grown.join(", ")} bytes in ${SPAN} ticks`);
    assert.equal(connection.opened.length, 1);
    session.close();
  } finally {
    connection.kill();
    temp.remove();
  }
});

test("50,000 writes leave no memory behind", async () => {
  const writes = 50_000;
  const batch = [frame({ hostname: "a" })];
  let before = 0;
  let grown = 0;
  async function* batches(): AsyncGenerator<typeof batch, void> {
    for (let written = 0; written < writes + 1000; written++) {
      // Until code and its caches have settled.
      if (written === 1000) before = heapAfterGc();
      await Promise.resolve();
      yield batch;
    }
    grown = heapAfterGc() - before;
  }
  const output = { firstLine: null, write: () => Promise.resolve(), close: () => Promise.resolve() };
  const options = { signal: new AbortController().signal, clock: realClock, stop: () => undefined };
  assert.equal(await drainTo(batches(), { format: () => "a line\n" }, output, options), "ended");
  // A race of promises a write would be 600 bytes; the run itself settles within a megabyte or two.
  assert.ok(grown < 100 * writes, `${grown} bytes in ${writes} writes`);
});
