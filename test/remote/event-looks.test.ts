/** Looks at a kernel log beside a session's ticks, with shells of this machine as the host. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { KernelEvent } from "../../src/contract/kernel-event.js";
import { realClock, type Clock } from "../../src/lib/clock.js";
import { EventLooks, MIN_BETWEEN_MS, type NewEvents } from "../../src/remote/event-looks.js";
import type { SessionOptions } from "../../src/remote/discover.js";
import { HostSession } from "../../src/remote/session.js";
import { linux } from "../../src/system/linux.js";
import { FakeJournal, fakeJournalctl } from "../support/fake-journal.js";
import { makeTools } from "../support/fake-tools.js";
import { connectLocally } from "../support/local-connection.js";
import { waitFor } from "../support/processes.js";
import { makeTempDir } from "../support/temp-dir.js";

/** The real clock, with a hand that moves it on. */
class MovedClock implements Clock {
  #movedMs = 0;
  wallMs = (): number => realClock.wallMs();
  nowMs = (): number => realClock.nowMs() + this.#movedMs;
  idleMs = (): number => realClock.idleMs();
  after = (delayMs: number, callback: () => void): ReturnType<Clock["after"]> =>
    realClock.after(delayMs, callback);
  move(ms: number): void {
    this.#movedMs += ms;
  }
}

interface Host {
  readonly dir: string;
  readonly clock: MovedClock;
  readonly looks: EventLooks;
  connect(): ReturnType<typeof connectLocally>;
  start(more?: Partial<SessionOptions>): Promise<HostSession>;
}

async function withHost(
  tools: (dir: string) => Readonly<Record<string, string>>,
  use: (host: Host) => Promise<void>,
): Promise<void> {
  const temp = makeTempDir("looks");
  const bin = join(temp.path, "bin");
  makeTools(bin, tools(temp.path));
  const connections: ReturnType<typeof connectLocally>[] = [];
  const clock = new MovedClock();
  const looks = new EventLooks(clock);
  const connect = (): ReturnType<typeof connectLocally> => {
    const connection = connectLocally(["/bin/sh"], { PATH: `${bin}:/usr/bin:/bin`, HOME: temp.path });
    connections.push(connection);
    return connection;
  };
  const options: SessionOptions = {
    sample: {
      include: new Set(["memory"]),
      fallback: [],
      toolTimeoutSecs: 5,
      redact: false,
      holdDriver: "auto",
    },
    shims: [],
    systems: [linux],
    plainSystems: [],
    clock,
    intervalMs: 1000,
  };
  const start = async (more: Partial<SessionOptions> = {}): Promise<HostSession> => {
    const { session } = await HostSession.start(connect(), { ...options, ...more }, { looks });
    return session;
  };
  try {
    await use({ dir: temp.path, clock, looks, connect, start });
  } finally {
    for (const connection of connections) connection.kill();
    temp.remove();
  }
}

const kinds = (events: readonly KernelEvent[] | null | undefined): readonly (string | number)[] | null =>
  events?.map(({ code, kind }) => code ?? kind) ?? null;
const xid = (code: number): string => `NVRM: Xid (PCI:0000:18:00): ${code}, pid=1, text`;

/** Samples until a look has ended. */
async function nextLook({ clock, looks }: Host, session: HostSession): Promise<NewEvents> {
  clock.move(MIN_BETWEEN_MS);
  await session.sample(1);
  await looks.lookIfDue();
  return looks.take();
}

test("the first reading has the events of the boot, and each later event comes once", async () => {
  await withHost(
    (dir) => ({ journalctl: fakeJournalctl(dir) }),
    async (host) => {
      const journal = new FakeJournal(host.dir);
      journal.log(xid(79));
      const session = await host.start();
      assert.deepEqual(kinds(host.looks.take().events), ["boot", 79]);
      // Between looks nothing is known of the log.
      await session.sample(1);
      assert.deepEqual(host.looks.take(), { events: null, errors: [] });
      assert.deepEqual(await nextLook(host, session), { events: [], errors: [] });
      journal.log(xid(13), "noise", xid(45));
      journal.rotate();
      journal.log(xid(31));
      assert.deepEqual(kinds((await nextLook(host, session)).events), [13, 45, 31]);
      journal.rotate();
      assert.deepEqual(kinds((await nextLook(host, session)).events), []);
      session.close();
    },
  );
});

test("a new connection goes on where the last one was, and looks no earlier", async () => {
  await withHost(
    (dir) => ({ journalctl: fakeJournalctl(dir) }),
    async (host) => {
      const journal = new FakeJournal(host.dir);
      const first = await host.start();
      assert.deepEqual(kinds(host.looks.take().events), ["boot"]);
      first.close();
      journal.log(xid(119));
      const second = await host.start();
      assert.equal(host.looks.take().events, null);
      assert.deepEqual(kinds((await nextLook(host, second)).events), [119]);
      second.close();
      host.clock.move(MIN_BETWEEN_MS);
      journal.log(xid(120));
      const third = await host.start();
      assert.deepEqual(kinds(host.looks.take().events), [120]);
      third.close();
    },
  );
});

test("what was read and is in no frame yet outlives the connection", async () => {
  await withHost(
    (dir) => ({ journalctl: fakeJournalctl(dir) }),
    async (host) => {
      new FakeJournal(host.dir).log(xid(79));
      const first = await host.start();
      first.close();
      const second = await host.start();
      assert.deepEqual(kinds(host.looks.take().events), ["boot", 79]);
      second.close();
    },
  );
});

test("a journal that hangs delays no reading, and is not asked while it hangs", async () => {
  const hang = `trap "" TERM; while :; do sleep 1; done`;
  await withHost(
    () => ({
      journalctl: hang,
      dmesg: `echo "dmesg: read kernel buffer failed: Operation not permitted" >&2; exit 1`,
    }),
    async (host) => {
      const session = await host.start();
      let hasEnded = false;
      const look = host.looks.lookIfDue().then(() => (hasEnded = true));
      for (let tick = 1; tick <= 5; tick++) {
        const { reading } = await session.sample(tick);
        assert.deepEqual(reading.errors, []);
        assert.equal(hasEnded, false, "a tick waited for the journal");
      }
      await look;
      const { events, errors } = host.looks.take();
      assert.equal(events, null);
      assert.deepEqual(
        errors.map(({ kind, message }) => [kind, message]),
        [["timeout", "the kernel log cannot be read (journalctl: no answer in time; dmesg: not permitted)"]],
      );
      session.close();
    },
  );
});

describe("a host whose log cannot be read", () => {
  test("reports it once for a connection", async () => {
    const denied = {
      journalctl: `echo "Hint: You are currently not seeing messages from other users and the system." >&2; echo "-- No entries --"`,
      dmesg: `echo "dmesg: read kernel buffer failed: Operation not permitted" >&2; exit 1`,
    };
    await withHost(
      () => denied,
      async (host) => {
        const session = await host.start();
        const first = host.looks.take();
        assert.equal(first.events, null);
        assert.match(first.errors[0]?.message ?? "", /not permitted.*systemd-journal/);
        assert.deepEqual(await nextLook(host, session), { events: null, errors: [] });
        session.close();
        host.clock.move(MIN_BETWEEN_MS);
        const second = await host.start();
        assert.equal(host.looks.take().errors.length, 1);
        second.close();
      },
    );
  });

  test("because it is not Linux has that reason", async () => {
    await withHost(
      () => ({}),
      async (host) => {
        // This machine, by another name: a Linux host names itself in /proc.
        const session = await host.start({ systems: [{ ...linux, id: "darwin" }] });
        const { events, errors } = host.looks.take();
        assert.equal(events, null);
        assert.match(errors[0]?.message ?? "", /on Linux only; the host's system is darwin/);
        session.close();
      },
    );
  });
});

describe("how channels are used", () => {
  test("one shell stays for all looks", async () => {
    await withHost(
      (dir) => ({ journalctl: fakeJournalctl(dir) }),
      async (host) => {
        new FakeJournal(host.dir);
        const connection = host.connect();
        const { session } = await HostSession.start(
          connection,
          {
            sample: {
              include: new Set(["memory"]),
              fallback: [],
              toolTimeoutSecs: 5,
              redact: false,
              holdDriver: "auto",
            },
            shims: [],
            systems: [linux],
            plainSystems: [],
            clock: host.clock,
            intervalMs: 1000,
          },
          { looks: host.looks },
        );
        for (let look = 0; look < 3; look++) assert.deepEqual((await nextLook(host, session)).errors, []);
        assert.equal(connection.opened.length, 2);
        session.close();
        await waitFor("the end of both shells", () => connection.running() === 0);
      },
    );
  });

  test("a run of one reading waits for the look, and leaves no shell", async () => {
    await withHost(
      (dir) => ({ journalctl: fakeJournalctl(dir, "sleep 2") }),
      async (host) => {
        new FakeJournal(host.dir).log(xid(79));
        const session = await host.start({ intervalMs: null });
        assert.deepEqual(kinds(host.looks.take().events), ["boot", 79]);
        session.close();
      },
    );
  });

  test("a longer run's first reading does not wait for a slow journal, whose events come later", async () => {
    await withHost(
      (dir) => ({ journalctl: fakeJournalctl(dir, "sleep 3") }),
      async (host) => {
        new FakeJournal(host.dir).log(xid(79));
        const session = await host.start();
        assert.equal(host.looks.take().events, null);
        await host.looks.lookIfDue();
        assert.deepEqual(kinds(host.looks.take().events), ["boot", 79]);
        session.close();
      },
    );
  });
});

/** Makes real journal files of what it reads: package systemd-journal-remote. */
const WRITER = [
  process.env["SYSTEMD_JOURNAL_REMOTE"] ?? "",
  "/usr/lib/systemd/systemd-journal-remote",
  "/lib/systemd/systemd-journal-remote",
].find((path) => path !== "" && existsSync(path));
const skip = WRITER === undefined ? "systemd-journal-remote is not installed" : false;

test("systemd's own journal, over rotation and a file that was removed", { skip }, async () => {
  await withHost(
    (dir) => ({ journalctl: `exec /usr/bin/journalctl -D ${dir}/real "$@"` }),
    async (host) => {
      mkdirSync(join(host.dir, "real"));
      let at = 0;
      const write = (file: string, ...messages: readonly string[]): void => {
        const boot = spawnSync("cat", ["/proc/sys/kernel/random/boot_id"], { encoding: "utf8" }).stdout;
        const entries = messages.map((message) => {
          at += 1;
          const fields = {
            __REALTIME_TIMESTAMP: 1_767_225_600_000_000 + at,
            __MONOTONIC_TIMESTAMP: at,
            _BOOT_ID: boot.trim().replaceAll("-", ""),
            _MACHINE_ID: "1".padStart(32, "0"),
            _TRANSPORT: "kernel",
            _HOSTNAME: "gpu",
            SYSLOG_IDENTIFIER: "kernel",
            MESSAGE: message,
          };
          return `${Object.entries(fields)
            .map(([name, value]) => `${name}=${value}`)
            .join("\n")}\n\n`;
        });
        const output = join(host.dir, "real", file);
        const run = spawnSync(WRITER ?? "", ["-o", output, "-"], {
          input: entries.join(""),
          encoding: "utf8",
        });
        assert.equal(run.status, 0, run.stderr);
      };
      write("a.journal", "Linux version 6.8.0", "noise", xid(79));
      const session = await host.start();
      assert.deepEqual(kinds(host.looks.take().events), ["boot", 79]);
      assert.deepEqual(await nextLook(host, session), { events: [], errors: [] });
      write("b.journal", xid(13), "noise");
      assert.deepEqual(kinds((await nextLook(host, session)).events), [13]);
      write("c.journal", xid(31));
      spawnSync("rm", [join(host.dir, "real", "a.journal")]);
      assert.deepEqual(kinds((await nextLook(host, session)).events), [31]);
      assert.deepEqual(kinds((await nextLook(host, session)).events), []);
      session.close();
    },
  );
});
