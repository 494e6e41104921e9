/** `--drift` and `--fail-on-drift` over real servers, of which one has another driver than the others of its rack. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { recordsOf, runCli, type CliRun } from "../support/cli.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { withoutHostLines } from "../support/host-lines.js";
import { missing, sshArgs, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("drift");
const RACKS = { a: ["127.0.0.1", "127.0.0.2", "127.0.0.3"], b: ["127.0.0.4", "127.0.0.5"] } as const;
const LINE = "drift: rack=a: driver version 580.95.05 on 2 hosts, but 570.172.08 on 127.0.0.3";
let sshd: Sshd;

describe("hosts that differ", { skip, concurrency: 2 }, () => {
  before(async () => {
    const bin = makeTools(join(temp.path, "bin"), {
      "nvidia-smi": fakeNvidiaSmi({
        columns: ["index", "uuid", "name", "driver_version"],
        before: `case "$SSH_CONNECTION" in *" 127.0.0.3 "*) driver=570.172.08;; *) driver=580.95.05;; esac`,
        rows: ["0, GPU-1, A100, $driver"],
      }),
    });
    sshd = await startSshd({ bin, shell: "/bin/sh", addresses: Object.values(RACKS).flat() });
    const lines = Object.entries(RACKS).flatMap(([rack, addresses]) =>
      addresses.map((address) => `${sshd.user}@${address}:${sshd.port} rack=${rack} serial=${address}\n`),
    );
    writeFileSync(join(temp.path, "hosts"), lines.join(""));
    writeFileSync(join(temp.path, "alike"), lines.slice(3).join(""));
  });
  after(async () => {
    await sshd.stop();
    temp.remove();
  });

  function watch(hostfile: "hosts" | "alike", ...args: readonly string[]): Promise<CliRun> {
    const [, , ...files] = sshArgs(sshd);
    return runCli([...files, "--ssh-hostfile", join(temp.path, hostfile), ...args]);
  }
  const messages = ({ stderr }: CliRun): readonly string[] =>
    withoutHostLines(stderr)
      .split("\n")
      .map((line) => line.replace(/^allsmi-ssh: /, ""))
      .filter((line) => line !== "");

  for (const workers of ["0", "2"]) {
    test(`are named on standard error at the end, with --workers ${workers}`, async () => {
      const run = await watch("hosts", "--once", "--drift", "--format", "ndjson", "--workers", workers);
      assert.equal(run.code, 0, run.stderr);
      assert.deepEqual(messages(run), [LINE]);
      assert.equal(recordsOf(run.stdout).length, 5);
    });
    test(`make the run exit with 5, with --workers ${workers}`, async () => {
      const flags = ["--once", "--fail-on-drift", "--quiet", "--format", "ndjson", "--workers", workers];
      const run = await watch("hosts", ...flags);
      assert.equal(run.code, 5, run.stderr);
      assert.deepEqual(messages(run), []);
      assert.equal((await watch("alike", ...flags)).code, 0);
    });
  }
  test("are named below the table, and not on standard error", async () => {
    const run = await watch("hosts", "--once", "--drift", "--format", "table");
    assert.deepEqual(run.stdout.trimEnd().split("\n").slice(-2), ["5 hosts: 5 ok", LINE]);
    assert.deepEqual(messages(run), []);
  });
  test("are there or not: a run reports it", async () => {
    const run = await watch("alike", "--count", "2", "--interval", "3", "--drift", "--format", "ndjson");
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(messages(run), ["drift: none; 2 of 2 hosts were compared"]);
  });
});
