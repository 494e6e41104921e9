/** `--check` as a monitoring system runs it: one report on standard output, and a plugin's exit code at every end. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runCli, type CliRun } from "../support/cli.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { missing, sshArgs, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing === null ? false : `SKIPPED LOUDLY: ${missing}`;
const temp = makeTempDir("check");
let sshd: Sshd;

const FAKE = fakeNvidiaSmi({
  columns: ["index", "uuid", "name", "utilization.gpu [%]", "temperature.gpu"],
  rows: ["0, GPU-1, A100, 5, $(cat $HOME/celsius)", "1, GPU-2, A100, 5, 40"],
});

before(async () => {
  if (skip !== false) return;
  sshd = await startSshd({
    bin: makeTools(join(temp.path, "bin"), { "nvidia-smi": FAKE }),
    shell: "/bin/sh",
  });
  writeFileSync(join(sshd.home, "celsius"), "60\n");
});
after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

const check = (...flags: readonly string[]): Promise<CliRun> =>
  runCli(["--check", "--include", "gpu", ...sshArgs(sshd), ...flags], { limitMs: 30_000 });

interface Case {
  readonly what: string;
  readonly flags: readonly string[];
  readonly code: number;
  readonly stdout: RegExp;
  readonly stderr?: RegExp;
}

const CASES: readonly Case[] = [
  { what: "healthy", flags: [], code: 0, stdout: /^ALLSMI OK - 1 of 1 hosts ok, 2 GPUs \| / },
  {
    what: "a missing GPU by --expect",
    flags: ["--expect", "gpus=8"],
    code: 2,
    stdout: /^ALLSMI CRITICAL - .*: 2 GPUs work, 8 expected \|/,
  },
  {
    what: "--warn",
    flags: ["--warn", "gpu.temperature>50"],
    code: 1,
    stdout: /^ALLSMI WARNING - .* gpu 0: temperature 60 > 50 \|.* gpu0_temperature=60;50;;0/,
  },
  {
    what: "--crit",
    flags: ["--warn", "gpu.temperature>50", "--crit", "count(gpus)<3"],
    code: 2,
    stdout: /^ALLSMI CRITICAL - /,
  },
  {
    what: "a reading that no GPU has",
    flags: ["--crit", "gpu.fan_speed_percent<5"],
    code: 3,
    stdout: /^ALLSMI UNKNOWN - .*: no reading of gpu.fan_speed_percent \|/,
  },
  {
    what: "a mistyped path",
    flags: ["--crit", "gpu.temprature>5"],
    code: 3,
    stdout: /^ALLSMI UNKNOWN - --crit: .*did you mean gpu.temperature\?\n$/,
    stderr: /did you mean gpu.temperature/,
  },
  {
    what: "a mistyped flag",
    flags: ["--cirt", "gpu.temperature>5"],
    code: 3,
    stdout: /^ALLSMI UNKNOWN - .*--cirt/,
    stderr: /--cirt/,
  },
  {
    what: "a flag of the stream",
    flags: ["--format", "ndjson"],
    code: 3,
    stdout: /^ALLSMI UNKNOWN - --check: cannot be used with --format/,
    stderr: /--format/,
  },
];

describe("codes and first lines", { skip, concurrency: 2 }, () => {
  for (const { what, flags, code, stdout, stderr = /^$/ } of CASES) {
    test(what, async () => {
      const run = await check(...flags);
      assert.equal(run.code, code, run.stdout + run.stderr);
      assert.match(run.stdout, stdout);
      assert.match(run.stderr, stderr);
    });
  }

  test("an unreachable host is critical and the report has its reason", async () => {
    const run = await runCli(["--check", "--ssh", "a@127.0.0.1:1", "--ssh-config", "none"]);
    assert.equal(run.code, 2, run.stderr);
    assert.match(
      run.stdout,
      /^ALLSMI CRITICAL - 0 of 1 hosts ok, 0 GPUs: 127\.0\.0\.1: unreachable: .*refused/,
    );
  });

  test("past --timeout the others are reported, and the code is unknown", async () => {
    const flags = ["--timeout", "4", "--ssh-timeout-secs", "60"];
    const config = join(temp.path, "config");
    writeFileSync(
      config,
      `Host silent\n  ProxyCommand sleep 60\nHost *\n  IdentityFile ${sshd.userKey.file}\n`,
    );
    const known = ["--ssh-known-hosts", sshd.knownHostsFile, "--ssh-config", config];
    const hosts = `silent,${sshd.user}@127.0.0.1:${sshd.port}`;
    const run = await runCli(["--check", "--include", "gpu", "--ssh", hosts, ...known, ...flags]);
    assert.equal(run.code, 3, run.stdout + run.stderr);
    assert.match(run.stdout, /^ALLSMI UNKNOWN - 1 of 2 hosts ok, 2 GPUs: 1 without an answer in time \|/);
    assert.ok(run.wallMs < 20_000);
  });

  test("a recording can be checked", async () => {
    const live = await runCli(["--once", "--include", "gpu", "--format", "ndjson", ...sshArgs(sshd)]);
    const run = await runCli(["--check", "--replay", "-"], { input: live.stdout });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /^ALLSMI OK - 1 of 1 hosts ok, 2 GPUs/);
  });
});
