/**
 * The fault matrix, cases of runs: what goes wrong on the watching machine itself. Each case is a run of its own that
 * watches two healthy hosts.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { recordsOf, runCli } from "../support/cli.js";
import { descendantsOf } from "../support/processes.js";
import { canIsolate } from "../support/remote-machine.js";
import {
  assertAllTicks,
  ended,
  firstFrame,
  flags,
  healthyPort,
  ownFile,
  runCase,
  skip,
  sleep,
  startHealthy,
  stopHealthy,
  wholeLines,
} from "./matrix/run-case.js";
import { WatchedRun } from "./matrix/watched-run.js";

before(() => startHealthy());
after(() => stopHealthy());

const isolated = skip === false && canIsolate() ? false : "needs the right to mount";

/** Runs with a tmpfs of 64 KiB mounted in the run's own view; `grow` gives it space. */
const SMALL_DISK = 'mount -t tmpfs -o size=64k tmpfs "$1" && shift && exec "$@"';

/** The most memory that a process had so far; 0 once it has ended. */
function peakMemoryKb(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

describe("faults of the watching machine", { concurrency: 4 }, () => {
  runCase(
    "a full disk under --output, and space later",
    "whole lines; the watch goes on",
    async () => {
      const disk = ownFile("disk");
      execFileSync("mkdir", [disk]);
      const out = join(disk, "out");
      const run = new WatchedRun(
        [...flags(), "--interval", "0.1", "--output", out, "--include", "gpu,cpu,memory"],
        {
          within: ["unshare", "-m", "sh", "-c", SMALL_DISK, "sh", disk],
        },
      );
      let stderr = "";
      run.child.stderr?.on("data", (text: string) => (stderr += text));
      const beganAt = performance.now();
      const until = async (pattern: RegExp): Promise<void> => {
        for (let i = 0; i < 400 && !pattern.test(stderr); i++) await sleep(50);
        assert.match(stderr, pattern);
      };
      await until(/lines are dropped until there is space/);
      const inside = `/proc/${run.child.pid}/root${out}`;
      const full = await wholeLines(inside);
      const grownAt = performance.now();
      execFileSync("nsenter", ["-t", String(run.child.pid), "-m", "mount", "-o", "remount,size=8m", disk]);
      await until(/there is space for the output again; \d+ lines? (was|were) dropped/);
      const recoveredSecs = (performance.now() - grownAt) / 1000;
      await sleep(500);
      const text = readFileSync(inside, "utf8");
      assert.ok(text.length > full.length);
      recordsOf(text.slice(0, text.lastIndexOf("\n") + 1));
      assert.equal((await ended(run)).code, 143);
      return { noticedSecs: (grownAt - beganAt) / 1000, recoveredSecs };
    },
    isolated,
  );

  runCase("a full disk under --output, with --once", "exit 1", async () => {
    const run = await runCli([...flags(), "--once", "--output", "/dev/full"]);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /no space left/);
    return undefined;
  });

  runCase(
    "a full disk under --output to the last of some ticks",
    "exit 1, the loss is reported",
    async () => {
      const run = await runCli([...flags(), "--count", "3", "--interval", "0.3", "--output", "/dev/full"]);
      assert.equal(run.code, 1);
      assert.match(run.stderr, /no space for the output until the end; \d+ lines were dropped/);
      return undefined;
    },
  );

  runCase("standard output is closed", "exit 0 soon", async () => {
    const run = new WatchedRun([...flags(), "--interval", "0.5"]);
    await firstFrame(run);
    const atMs = performance.now();
    run.child.stdout?.destroy();
    const { code, stderr } = await run.ended;
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /error/);
    return { noticedSecs: (performance.now() - atMs) / 1000 };
  });

  runCase("standard error is closed", "the watch goes on", async () => {
    const run = new WatchedRun([...flags(), "--count", "5", "--interval", "0.5", "--verbose"]);
    run.child.stderr?.destroy();
    assert.equal((await run.ended).code, 0);
    assertAllTicks(run);
    return undefined;
  });

  runCase("a reader that stalls for 6 s", "each tick has a record, or is named as skipped", async () => {
    const run = new WatchedRun([...flags(), "--interval", "0.1", "--include", "gpu,cpu,memory,process"]);
    await firstFrame(run);
    run.child.stdout?.pause();
    await sleep(6000);
    const atMs = performance.now();
    run.child.stdout?.resume();
    await run.first("a skip", "healthy-1", atMs, ({ skipped_ticks: skips }) => skips !== undefined, 10_000);
    await sleep(1000);
    await ended(run);
    assertAllTicks(run);
    return undefined;
  });

  runCase(
    "this process is stopped for 20 s (SIGSTOP, a laptop's sleep)",
    "the ticks are named as skipped",
    async () => {
      const run = new WatchedRun([...flags(), "--interval", "0.5"]);
      await firstFrame(run);
      await sleep(1500);
      run.child.kill("SIGSTOP");
      await sleep(20_000);
      const atMs = performance.now();
      run.child.kill("SIGCONT");
      const isSkip = ({
        skipped_ticks: skips = [],
      }: {
        skipped_ticks?: readonly { reason: string }[];
      }): boolean => skips.some(({ reason }) => reason === "run-stalled");
      const seen = await run.first("a skip", "healthy-1", atMs, isSkip, 10_000);
      await sleep(1500);
      await ended(run);
      assertAllTicks(run);
      return { recoveredSecs: (seen.atMs - atMs) / 1000 };
    },
  );

  const lib = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
  ];
  const faketime = lib.find((file) => existsSync(file));
  for (const [what, jump] of [
    ["forwards by a day", "+1d"],
    ["backwards by a day", "-1d"],
  ] as const) {
    runCase(
      `the wall clock jumps ${what}`,
      "no tick is lost or doubled",
      async () => {
        const offset = ownFile("offset");
        writeFileSync(offset, "+0");
        const run = new WatchedRun([...flags(), "--count", "10", "--interval", "1"], {
          env: {
            ...{ LD_PRELOAD: faketime ?? "", FAKETIME_TIMESTAMP_FILE: offset },
            ...{ FAKETIME_NO_CACHE: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1", DONT_FAKE_MONOTONIC: "1" },
          },
        });
        await firstFrame(run);
        writeFileSync(offset, jump);
        const { code, stderr } = await run.ended;
        assert.equal(code, 0, stderr);
        assertAllTicks(run);
        const times = run.of("healthy-1").map(({ record }) => Date.parse(record.timestamp));
        assert.ok(Math.max(...times) - Math.min(...times) > 80_000_000, "the clock has jumped");
        const frames = run.seen.filter(({ record }) => record.record === "frame").length;
        assert.ok(frames >= 16, `${frames} frames`);
        return { kept: [frames, 20] };
      },
      skip === false && faketime === undefined ? "libfaketime is not installed" : skip,
    );
  }

  for (const [what, end] of [
    ["after --once", "once"],
    ["at SIGTERM", "signal"],
  ] as const) {
    runCase(`a ProxyCommand that ignores TERM, ${what}`, "nothing is left on this machine", async () => {
      const mark = ownFile("carrier");
      writeFileSync(
        mark,
        `trap "" TERM\nexec 3<>/dev/tcp/127.0.0.1/${healthyPort()}\ncat <&3 &\ncat >&3\nwhile :; do sleep 0.1; done\n`,
      );
      const carried = flags([`ProxyCommand bash ${mark}`]);
      const left = (): number =>
        descendantsOf(1).filter(({ command }) => command.includes(mark) && !command.includes("node")).length;
      if (end === "once") {
        assert.equal((await runCli([...carried, "--once"])).code, 0);
      } else {
        const run = new WatchedRun([...carried, "--interval", "0.5"]);
        await firstFrame(run);
        assert.ok(left() > 0);
        assert.equal((await ended(run)).code, 143);
      }
      assert.equal(left(), 0);
      return undefined;
    });
  }

  runCase("known_hosts is a pipe that nobody writes to, and SIGTERM", "ends within 3 s", async () => {
    const pipe = ownFile("pipe");
    execFileSync("mkfifo", [pipe]);
    const run = new WatchedRun([...flags(), "--ssh-known-hosts", pipe]);
    await sleep(1000);
    const atMs = performance.now();
    const { code } = await ended(run);
    assert.equal(code, 143);
    const tookMs = performance.now() - atMs;
    assert.ok(tookMs < 5000, `${tookMs} ms`);
    return { noticedSecs: tookMs / 1000 };
  });

  runCase("known_hosts is /dev/zero", "host-key-unknown, in bounded memory", async () => {
    const run = await runCli([...flags(), "--once", "--ssh-known-hosts", "/dev/zero"], {
      ulimit: "-v 60000000",
    });
    assert.equal(run.code, 4);
    for (const record of recordsOf(run.stdout))
      assert.ok(record.record === "state" && record.last_error?.code === "host-key-unknown");
    return undefined;
  });

  runCase("the hostfile is /dev/zero", "exit 2", async () => {
    const run = await runCli(["--ssh-hostfile", "/dev/zero", "--once"]);
    assert.equal(run.code, 2);
    assert.match(run.stderr, /cannot read \/dev\/zero/);
    return undefined;
  });

  runCase("a hostfile of 100,000 hosts, --dry-run", "one text a host, in 200 MB", async () => {
    const file = ownFile("hosts");
    writeFileSync(file, Array.from({ length: 100_000 }, (_, index) => `node${index}\n`).join(""));
    let peakKb = 0;
    let watching: NodeJS.Timeout | undefined;
    const run = await runCli(["--ssh-hostfile", file, "--dry-run", "--ssh-config", "none"], {
      limitMs: 120_000,
      started: ({ pid }) => {
        watching = setInterval(() => {
          peakKb = Math.max(peakKb, peakMemoryKb(pid ?? 0));
        }, 50);
      },
    }).finally(() => clearInterval(watching));
    assert.equal(run.stdout.match(/^node\d+ \(/gm)?.length, 100_000);
    assert.ok(peakKb > 30_000 && peakKb < 200_000, `${peakKb} KB`);
    return undefined;
  });

  runCase("100 hosts and 64 descriptors", "local-limit, and the others are read", async () => {
    const hosts = Array.from({ length: 100 }, (_, index) => `h${index}`);
    const run = await runCli([...flags([], hosts), "--count", "2", "--interval", "10"], {
      ulimit: "-n 64",
      limitMs: 90_000,
    });
    const records = recordsOf(run.stdout).filter(({ tick }) => tick !== null);
    assert.equal(new Set(records.map(({ hostname, tick }) => `${hostname} ${tick}`)).size, 200);
    const codes = records.flatMap((each) =>
      each.record === "state" ? [each.last_error?.code ?? "none"] : [],
    );
    assert.deepEqual(
      [...new Set(codes)].filter((code) => code !== "local-limit" && code !== "none"),
      [],
    );
    const frames = records.filter(({ record }) => record === "frame").length;
    assert.ok(frames >= 20, `${frames} frames`);
    assert.match(run.stderr, /may have 64 open files, and 100 hosts need 140: raise `ulimit -n`/);
    return { kept: [frames, 200] };
  });

  runCase("100 hosts and 64 descriptors, with --once", "all are read, some at a time", async () => {
    const hosts = Array.from({ length: 100 }, (_, index) => `h${index}`);
    const run = await runCli([...flags([], hosts), "--once"], { ulimit: "-n 64", limitMs: 120_000 });
    const frames = recordsOf(run.stdout).filter(({ record }) => record === "frame").length;
    assert.equal(frames, 100, run.stderr);
    assert.equal(run.code, 0);
    return { kept: [frames, 100] };
  });

  runCase("SIGTERM twice", "exit 143", async () => {
    const run = new WatchedRun([...flags(), "--interval", "0.5"]);
    await firstFrame(run);
    run.child.kill("SIGTERM");
    run.child.kill("SIGTERM");
    assert.equal((await run.ended).code, 143);
    return undefined;
  });
});
