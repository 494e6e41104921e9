/** A driver that has to start for each question, on a real sshd: it is held where that helps, and nothing of it stays. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runCli, type CliRun } from "../support/cli.js";
import { makeColdDriver, type ColdDriver, type LoopFault } from "../support/cold-driver.js";
import { gist, reach, remains, type Reached } from "../support/faulty-host.js";
import { signalPid, waitFor, type ProcessEntry } from "../support/processes.js";
import { startRelay } from "../support/relay.js";
import { missing, startSshd, type Sshd, type SshdOptions } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;

interface Machine {
  readonly server: Sshd;
  readonly driver: ColdDriver;
  readonly notes: string[];
  readonly reach: (holdDriver?: "auto" | "never") => Promise<Reached>;
}

async function withMachine(
  { fault = null, ...options }: SshdOptions & { readonly fault?: LoopFault | null },
  use: (machine: Machine) => Promise<void>,
): Promise<void> {
  const temp = makeTempDir("driver-hold");
  const driver = makeColdDriver(temp.path, fault);
  const server = await startSshd({ shell: "/bin/sh", bin: driver.bin, ...options });
  const notes: string[] = [];
  const note = (message: string): number => notes.push(message);
  try {
    await use({
      server,
      driver,
      notes,
      reach: (holdDriver = "auto") => reach(server, { toolTimeoutSecs: 8, holdDriver, note }),
    });
  } finally {
    await server.stop();
    temp.remove();
  }
}

/** Everything that holds a driver: the loop, its shell, and the one that waits for the end of its input. */
const holders = (server: Sshd): readonly ProcessEntry[] =>
  server.processes().filter(({ command }) => command.includes("-l 60"));
const shells = (server: Sshd): readonly ProcessEntry[] =>
  holders(server).filter(({ command }) => command.includes("exec 3<&0"));

/** The loop runs, and both shells around it. */
const held = ({ server, driver }: Pick<Machine, "server" | "driver">): Promise<void> =>
  waitFor("the loop", () => driver.loops() === 1 && shells(server).length === 2, 30_000);

const GOOD = { gpus: [97, 0], memory: true, errors: [] };

async function sampleAll(host: Reached, from: number, to: number): Promise<void> {
  for (let tick = from; tick <= to; tick++) assert.deepEqual(gist(await host.sample(tick)), GOOD);
}

const nothingIsLeft = (server: Sshd): Promise<void> =>
  waitFor("nothing of ours is left", () => remains(server, /nvidia-smi/).length === 0);

interface UselessHolder {
  readonly what: string;
  readonly fault: LoopFault | null;
  readonly config?: readonly string[];
  readonly loops: number;
  readonly ticks: number;
  readonly expectedMessage: RegExp;
}

const USELESS: readonly UselessHolder[] = [
  { what: "does not help", fault: "useless", loops: 1, ticks: 8, expectedMessage: /the tool still takes/ },
  {
    what: "ends by itself",
    fault: "dies",
    loops: 1,
    ticks: 4,
    expectedMessage: /the program that held it has ended/,
  },
  {
    what: "has no free channel",
    fault: null,
    config: ["MaxSessions 1"],
    loops: 0,
    ticks: 4,
    expectedMessage: /opens no more channels/,
  },
];

// By itself: the loop is looked for between two of its lines.
test("a shell that is killed, and its watcher too: the closed channel ends the loop", { skip }, async () => {
  await withMachine({ fault: "slow" }, async ({ server, driver, reach }) => {
    const host = await reach();
    await sampleAll(host, 1, 2);
    await held({ server, driver });
    const both = shells(server);
    // Stopped first: neither may see the other's end and act on it.
    for (const signal of ["SIGSTOP", "SIGKILL"] as const) for (const { pid } of both) signalPid(pid, signal);
    // Looked for at once: its next line, into the closed channel, ends it.
    assert.ok(holders(server).length > 0, "the loop outlives its shell");
    await waitFor("the shells' end", () => shells(server).length === 0);
    await host.close();
    await nothingIsLeft(server);
  });
});

// One by one: a query that is late may meet the short life of a loop that ends by itself.
for (const { what, fault, config = [], loops, ticks, expectedMessage } of USELESS) {
  test(`a holder that ${what} is tried once, and disturbs nothing`, { skip }, async () => {
    await withMachine({ fault, config }, async ({ server, driver, notes, reach }) => {
      const host = await reach();
      await sampleAll(host, 1, ticks);
      assert.equal(driver.loops(), loops);
      assert.deepEqual(driver.queries(), Array(ticks + 1).fill("cold"));
      assert.match(notes.at(-1) ?? "", expectedMessage);
      assert.equal(notes.length, 2);
      await waitFor("the holder's end", () => holders(server).length === 0);
      assert.equal(host.live.route.channel, "session");
      await host.close();
      await nothingIsLeft(server);
    });
  });
}

describe("a driver that has to start for each question", { concurrency: 4 }, () => {
  test("two slow ticks, and the driver is held: no further start, and nothing stays", { skip }, async () => {
    await withMachine({}, async ({ server, driver, notes, reach }) => {
      const host = await reach();
      await sampleAll(host, 1, 2);
      await held({ server, driver });
      await sampleAll(host, 3, 12);
      // The probe's and the two ticks' own; the third tick may have come before the loop.
      const cold = driver.queries().filter((query) => query === "cold").length;
      assert.ok(cold === 3 || cold === 4, `${cold} starts`);
      assert.equal(driver.loops(), 1);
      assert.equal(notes.length, 1);
      assert.match(notes[0] ?? "", /@127\.0\.0\.1:\d+: nvidia-smi takes .* its driver is held from now on$/);
      await host.close();
      await nothingIsLeft(server);
    });
  });

  test("--hold-driver never: each question starts it", { skip }, async () => {
    await withMachine({}, async ({ driver, reach }) => {
      const host = await reach("never");
      await sampleAll(host, 1, 4);
      assert.deepEqual(driver.queries(), Array(5).fill("cold"));
      assert.equal(driver.loops(), 0);
      await host.close();
    });
  });

  test(
    "readings that fail while the driver is held are reported, and are good again without it",
    { skip },
    async () => {
      await withMachine({ fault: "spoils" }, async ({ server, driver, notes, reach }) => {
        const host = await reach();
        await sampleAll(host, 1, 2);
        await held({ server, driver });
        let tick = 3;
        const isSpoiled = async (): Promise<boolean> =>
          gist(await host.sample(tick++)).gpus?.every((value) => value === null) === true;
        while (tick < 6 && !(await isSpoiled()));
        assert.ok(tick < 6, "the bad tick is null");
        assert.match(notes.at(-1) ?? "", /a reading failed meanwhile/);
        await waitFor("the holder's end", () => holders(server).length === 0);
        await sampleAll(host, tick, tick + 3);
        assert.equal(driver.loops(), 1);
        await host.close();
        await nothingIsLeft(server);
      });
    },
  );

  interface Watching {
    readonly ended: Promise<CliRun>;
    readonly process: ChildProcess;
  }

  /** The built program, on the server or on what relays to it at `port`. */
  function watch(server: Sshd, client: string, port = server.port): Watching {
    const known = join(server.dir, "known");
    writeFileSync(known, server.knownHostsLine().replace(`:${server.port}`, `:${port}`));
    const started: ChildProcess[] = [];
    const ended = runCli(
      [
        ...["--ssh", `${server.user}@127.0.0.1:${port}`, "--format", "ndjson", "--interval", "1.5"],
        ...["--ssh-known-hosts", known, "--ssh-key", server.userKey.file, "--ssh-config", "none"],
        ...["--ssh-client", client, "--verbose"],
      ],
      { started: (child) => started.push(child) },
    );
    const [child] = started;
    assert.ok(child !== undefined);
    return { ended, process: child };
  }

  for (const [signal, client] of [
    ["SIGTERM", "ssh2"],
    ["SIGKILL", "ssh2"],
    ["SIGTERM", "openssh"],
    ["SIGKILL", "openssh"],
  ] as const) {
    test(`our own end by ${signal} leaves no holder (${client})`, { skip }, async () => {
      await withMachine({}, async ({ server, driver }) => {
        const run = watch(server, client);
        await held({ server, driver });
        run.process.kill(signal);
        const { stderr } = await run.ended;
        assert.match(stderr, /: nvidia-smi takes [\d.]+ s; its driver is held from now on\n/);
        await nothingIsLeft(server);
      });
    });
  }

  test("a connection that is lost leaves no holder, and the next one has its own", { skip }, async () => {
    await withMachine({}, async ({ server, driver }) => {
      const relay = await startRelay(server.port);
      try {
        const run = watch(server, "ssh2", relay.port);
        await held({ server, driver });
        const before = new Set(holders(server).map(({ pid }) => pid));
        relay.reset();
        await waitFor("its end", () => !holders(server).some(({ pid }) => before.has(pid)));
        await waitFor("another one", () => driver.loops() === 2, 30_000);
        run.process.kill("SIGTERM");
        await run.ended;
        await nothingIsLeft(server);
      } finally {
        await relay.stop();
      }
    });
  });
});
