import assert from "node:assert/strict";
import { test } from "node:test";
import { makeFakeGpus } from "../../bench/fleet/fake-gpus.js";
import { splitRecording } from "../../bench/fleet/recorded-shell.js";
import type { Connection } from "../../src/contract/connection.js";
import type { HostError } from "../../src/contract/errors.js";
import { realClock } from "../../src/lib/clock.js";
import type { SessionOptions } from "../../src/remote/discover.js";
import { HostSession } from "../../src/remote/session.js";
import { shimsToTry } from "../../src/shims/registry.js";
import { HOST_SYSTEMS } from "../../src/system/registry.js";
import { collectGarbage } from "../support/growth.js";
import { connectLocally } from "../support/local-connection.js";
import { makeTempDir } from "../support/temp-dir.js";

/**
 * What is kept of one host with 8 GPUs and default sections, without its connection: 20 KiB when this was written, and 37
 * before hosts shared what is equal. `npm run bench -- --only memory` counts all of it, with SSH.
 */
const MAX_KIB_A_SESSION = 28;
const TICKS = 8;
/** Until what runs each tick has been compiled. */
const FIRST_SESSIONS = 150;
const MORE_SESSIONS = 300;

type Recording = ReturnType<typeof splitRecording>;

test("a further session keeps little between two ticks", { timeout: 120_000 }, async () => {
  const options = await sessionOptions();
  const recording = await record(options);
  const sessions: HostSession[] = [];
  const addSessions = async (count: number): Promise<void> => {
    for (let added = 0; added < count; added++) {
      const { session } = await HostSession.start(replaying(recording, sessions.length), options);
      for (let tick = 1; tick < TICKS; tick++) {
        const { reading } = await session.sample(tick);
        assert.deepEqual(reading.errors, []);
        assert.equal(reading.sections.gpus?.length, 8);
        assert.equal(reading.sections.cpus?.length, 1);
      }
      sessions.push(session);
    }
  };
  await addSessions(FIRST_SESSIONS);
  const before = liveBytes();
  await addSessions(MORE_SESSIONS);
  const kib = (liveBytes() - before) / 1024 / MORE_SESSIONS;
  assert.equal(sessions.length, FIRST_SESSIONS + MORE_SESSIONS);
  assert.ok(kib > 1, `${kib.toFixed(1)} KiB: nothing was counted`);
  assert.ok(kib < MAX_KIB_A_SESSION, `${kib.toFixed(1)} KiB a session`);
  for (const session of sessions) session.close();
});

function liveBytes(): number {
  for (let pass = 0; pass < 3; pass++) collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function sessionOptions(): Promise<SessionOptions> {
  return {
    sample: {
      include: new Set(["gpu", "cpu", "memory", "chassis"]),
      fallback: [],
      toolTimeoutSecs: 5,
      redact: false,
      holdDriver: "never",
    },
    shims: await shimsToTry(["nvidia-smi"]),
    systems: HOST_SYSTEMS,
    plainSystems: [],
    clock: realClock,
    intervalMs: 1000,
  };
}

/** What a real shell answers, once. */
async function record(options: SessionOptions): Promise<Recording> {
  const temp = makeTempDir("session-memory");
  const { bin } = makeFakeGpus(temp.path);
  const local = connectLocally(["/bin/sh"], { PATH: `${bin}:/usr/bin:/bin`, HOME: temp.path });
  const chunks: Buffer[] = [];
  const connection: Connection = {
    ...local,
    open: (command, events) => {
      const stdout = (chunk: Buffer): void => {
        chunks.push(chunk);
        events.stdout(chunk);
      };
      return local.open(command, { ...events, stdout, closed: (end) => events.closed(end) });
    },
  };
  try {
    const { session } = await HostSession.start(connection, options);
    for (let tick = 1; tick <= TICKS; tick++) await session.sample(tick);
    session.close();
    return splitRecording(Buffer.concat(chunks));
  } finally {
    local.kill();
    temp.remove();
  }
}

/** A host of its own: its GPUs have other uuids than those of other hosts. */
function replaying({ bootstrap, ticks }: Recording, host: number): Connection {
  const uuid = `GPU-${host.toString(16).padStart(8, "0")}`;
  return {
    client: "ssh2",
    lost: new Promise<HostError>(() => undefined),
    close: () => Promise.resolve(),
    open(command, events) {
      const nonce = /;N=([0-9a-f]{12})/.exec(command)?.[1] ?? "";
      const answer = (frame: Buffer, tick: string): void => {
        const text = frame.toString("latin1").replaceAll("\u0001".repeat(12), nonce);
        const bytes = Buffer.from(`${text.replaceAll("GPU-6e3c5b1a", uuid)}${tick}\n`, "latin1");
        queueMicrotask(() => events.stdout(bytes));
      };
      answer(bootstrap, "0");
      return Promise.resolve({
        write: (data: string) => {
          const tick = /^t (\d+)$/m.exec(data)?.[1] ?? "";
          answer(ticks[Number(tick) % ticks.length] ?? bootstrap, tick);
        },
        end: () => undefined,
        abandon: () => undefined,
      });
    },
  };
}
