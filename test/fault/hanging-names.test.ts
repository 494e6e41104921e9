/**
 * Names whose DNS hangs for minutes, beside a host whose name a file has: it keeps its ticks, and nothing waits at the
 * end; with all work on the main thread, and with it on others.
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { recordsOf, runCli, type CliOptions, type CliRun } from "../support/cli.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { missingNamespace, startHangingDns, type HangingDns } from "../support/hanging-dns.js";
import { withoutHostLines } from "../support/host-lines.js";
import { descendantsOf, signalPid, waitFor } from "../support/processes.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? missingNamespace ?? false;
const temp = makeTempDir("hanging-names");
let sshd: Sshd;
let dns: HangingDns;

before(async () => {
  if (skip !== false) return;
  const bin = makeTools(join(temp.path, "bin"), {
    "nvidia-smi": FAKE_A100,
  });
  sshd = await startSshd({ bin, shell: "/bin/sh" });
  dns = await startHangingDns();
  writeFileSync(join(temp.path, "known_hosts"), sshd.knownHostsLine("localhost"));
});
after(async () => {
  if (skip === false) {
    await sshd.stop();
    dns.stop();
  }
  temp.remove();
});

/** `localhost`, which /etc/hosts has, comes last: after all that hang. */
function watch(hanging: number, args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const names = Array.from({ length: hanging }, (_, i) => `gone-${i}.example`);
  const targets = [...names, "localhost"].map((name) => `${sshd.user}@${name}:${sshd.port}`).join(",");
  const known = ["--ssh-known-hosts", join(temp.path, "known_hosts"), "--ssh-key", sshd.userKey.file];
  const config = args.includes("--ssh-config") ? [] : ["--ssh-config", "none"];
  const all = ["--ssh", targets, ...config, ...known, "--include", "gpu", "--format", "ndjson", ...args];
  return runCli(all, { ...options, within: dns.within });
}

function ticksOf(run: CliRun, name: string): { record: string; tick: number | null }[] {
  return recordsOf(run.stdout)
    .filter(({ hostname, tick }) => hostname === name && tick !== null)
    .map(({ record, tick }) => ({ record, tick }));
}

const HAS_FRAME = /"record":"frame"/;

/** Calls back once, at the first output that matches. */
function atOutput(pattern: RegExp, act: (child: ChildProcess) => void): CliOptions {
  return {
    started: (child) => {
      let text = "";
      let isDone = false;
      child.stdout?.on("data", (more: string) => {
        text = (text + more).slice(-100_000);
        if (isDone || !pattern.test(text)) return;
        isDone = true;
        act(child);
      });
    },
  };
}

const resolversOf = (pid: number): readonly number[] =>
  descendantsOf(pid)
    .filter(({ command }) => command.includes("resolver.cjs"))
    .map((entry) => entry.pid);

describe("names that hang", { skip }, () => {
  for (const workers of ["0", "2"]) {
    test(`--workers ${workers}: the host beside 30 of them has its frames, and each of them its ticks`, async () => {
      const args = ["--workers", workers, "--count", "30", "--interval", "0.5", "--ssh-timeout-secs", "2"];
      const run = await watch(30, args);
      assert.equal(run.code, 3, run.stderr);
      const own = ticksOf(run, "localhost");
      assert.deepEqual(
        own.map(({ tick }) => tick),
        Array.from({ length: 30 }, (_, tick) => tick),
      );
      const first = own.findIndex(({ record }) => record === "frame");
      assert.ok(first >= 0 && first < 20, `its first frame is of tick ${first}`);
      assert.ok(own.slice(first).every(({ record }) => record === "frame"));
      for (let i = 0; i < 30; i++) assert.equal(ticksOf(run, `gone-${i}.example`).length, 30);
      const codes = recordsOf(run.stdout).flatMap((record) =>
        record.record === "state" && record.state === "timeout" ? [record.last_error?.code] : [],
      );
      assert.deepEqual([...new Set(codes)], ["connect-timeout"]);
    });

    test(`--workers ${workers}: SIGTERM ends it while all of them hang`, async () => {
      const args = ["--workers", workers, "--interval", "0.5", "--ssh-timeout-secs", "600"];
      const run = await watch(
        30,
        args,
        atOutput(HAS_FRAME, (child) => child.kill("SIGTERM")),
      );
      assert.equal(run.code, 143, run.stderr);
      assert.equal(withoutHostLines(run.stderr), "");
    });

    test(`--workers ${workers}: --once ends by the connect timeout`, async () => {
      const run = await watch(30, ["--workers", workers, "--once", "--ssh-timeout-secs", "2"]);
      assert.equal(run.code, 3, run.stderr);
      assert.equal(recordsOf(run.stdout).length, 31);
      assert.deepEqual(ticksOf(run, "localhost"), [{ record: "frame", tick: 0 }]);
    });

    test(`--workers ${workers}: what was looking up ends with a program that is killed`, async () => {
      let pids: readonly number[] = [];
      const killing = atOutput(HAS_FRAME, (child) => {
        pids = resolversOf(child.pid ?? 0);
        signalPid(child.pid ?? 0, "SIGKILL");
      });
      const args = ["--workers", workers, "--interval", "0.5", "--ssh-timeout-secs", "600"];
      const run = await watch(30, args, killing);
      assert.equal(run.signal, "SIGKILL", run.stderr);
      assert.ok(pids.length > 0);
      const left = (): readonly number[] => resolversOf(process.pid).filter((pid) => pids.includes(pid));
      await waitFor("the resolvers' end", () => pids.every((pid) => !isRunning(pid)) && left().length === 0);
    });
  }

  test("more of them than one process can hold keep the host from nothing", async () => {
    const args = ["--once", "--ssh-timeout-secs", "10", "--workers", "0"];
    const run = await watch(500, args);
    assert.equal(run.code, 3, run.stderr);
    assert.deepEqual(ticksOf(run, "localhost"), [{ record: "frame", tick: 0 }]);
    assert.equal(recordsOf(run.stdout).length, 501);
  });

  test("names that hang while the configs are read (CanonicalizeHostname) do so side by side", async () => {
    const config = join(temp.path, "config");
    writeFileSync(
      config,
      "CanonicalizeHostname yes\nCanonicalizeMaxDots 3\nCanonicalDomains a.example b.example\nConnectTimeout 2\n",
    );
    const run = await watch(30, ["--once", "--ssh-config", config]);
    assert.equal(run.code, 3, run.stderr);
    assert.deepEqual(ticksOf(run, "localhost"), [{ record: "frame", tick: 0 }]);
  });

  for (const mode of [[], ["--dry-run"]]) {
    test(`SIGTERM ends a run whose configs are still being read ${mode.join("")}`, async () => {
      const config = join(temp.path, "slow-config");
      writeFileSync(config, "CanonicalizeHostname yes\nCanonicalDomains a.example\nConnectTimeout 600\n");
      const run = await watch(3, [...mode, "--ssh-config", config], {
        started: (child) => {
          const pid = child.pid ?? 0;
          void waitFor("a resolver", () => resolversOf(pid).length > 0).then(() => child.kill("SIGTERM"));
        },
      });
      assert.equal(run.code, 143, run.stderr);
      assert.equal(run.stdout + run.stderr, "");
    });
  }
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
