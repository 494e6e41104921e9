/** `--workers`: the same records and exit codes, however many threads hosts are spread over. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { recordsOf, runCli, type CliRun } from "../support/cli.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { closedPort } from "../support/free-port.js";
import { withoutHostLines } from "../support/host-lines.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("workers");
const ADDRESSES = Array.from({ length: 6 }, (_, i) => `127.0.0.${i + 1}`);
const INTERVAL_MS = 3000;
let sshd: Sshd;
let common: readonly string[] = [];
let refused = 0;

before(async () => {
  if (skip !== false) return;
  const bin = makeTools(join(temp.path, "bin"), {
    "nvidia-smi": FAKE_A100,
  });
  sshd = await startSshd({ bin, shell: "/bin/sh", addresses: ADDRESSES });
  refused = await closedPort();
  common = ["--ssh-config", "none", "--ssh-key", sshd.userKey.file, "--ssh-known-hosts", sshd.knownHostsFile];
});
after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

function watch(
  addresses: readonly string[],
  workers: number,
  args: readonly string[],
  port = sshd.port,
): Promise<CliRun> {
  const targets = addresses.map((address) => `${sshd.user}@${address}:${port}`).join(",");
  return runCli(["--ssh", targets, "--workers", String(workers), ...common, ...args]);
}

describe("--workers", { skip, concurrency: 3 }, () => {
  for (const workers of [0, 1, 3]) {
    test(`${workers}: every host has all its records in order, and the same ticks as the others`, async () => {
      const args = ["--count", "3", "--interval", String(INTERVAL_MS / 1000), "--format", "ndjson"];
      const run = await watch(ADDRESSES, workers, args);
      assert.equal(run.code, 0, run.stderr);
      assert.equal(withoutHostLines(run.stderr), "");
      const records = recordsOf(run.stdout);
      for (const address of ADDRESSES) {
        const own = records.filter(({ hostname }) => hostname === address);
        const transitions = own.filter(({ tick }) => tick === null).map(({ state }) => state);
        assert.deepEqual(transitions, ["connecting", "connected"], address);
        const ticks = own.filter(({ tick }) => tick !== null);
        assert.deepEqual(
          ticks.map(({ tick }) => tick),
          [0, 1, 2],
          address,
        );
        assert.equal(ticks.at(-1)?.record, "frame", address);
      }
      // The first tick's come when a host is reached; the last one's all in its window.
      const times = records.filter(({ tick }) => tick === 2).map(({ timestamp }) => Date.parse(timestamp));
      assert.equal(times.length, ADDRESSES.length);
      assert.ok(Math.max(...times) - Math.min(...times) < INTERVAL_MS, times.join(" "));
    });
  }

  test("CSV has one header, and a row for each host", async () => {
    const run = await watch(ADDRESSES, 3, ["--once", "--format", "csv", "--query", "hostname,name"]);
    const [header, ...rows] = run.stdout.trimEnd().split("\n");
    assert.equal(header, "hostname,name");
    assert.deepEqual([...rows].sort(), ADDRESSES.map((address) => `${address},A100`).sort());
  });

  test("a table has a row for each host", async () => {
    const run = await watch(ADDRESSES, 3, ["--once", "--format", "table"]);
    assert.equal(run.code, 0, run.stderr);
    for (const address of ADDRESSES)
      assert.match(run.stdout, new RegExp(`^${address} +connected .*A100`, "m"));
    assert.match(run.stdout, /6 hosts: 6 ok/);
  });

  test("exit codes are of all threads together", async () => {
    const up = ADDRESSES.slice(0, 4);
    const once = ["--once", "--format", "ndjson"];
    assert.equal((await watch(up, 2, once)).code, 0);
    assert.equal((await watch(up, 2, once, refused)).code, 4);
    const mixed = [`--ssh`, `${sshd.user}@127.0.0.9:${refused}`];
    const some = await watch(up, 2, [...once, ...mixed]);
    assert.equal(some.code, 3);
    assert.equal(recordsOf(some.stdout).length, 5);
    assert.equal((await watch(up, 2, [...once, ...mixed, "--fail-on", "state==unreachable"])).code, 5);
  });

  test("host keys that are learned are all kept", async () => {
    const known = join(temp.path, "learned");
    const args = ["--once", "--ssh-strict-host-key", "accept-new", "--ssh-known-hosts", known];
    const flags = args.concat("--format", "ndjson");
    const targets = ADDRESSES.map((address) => `${sshd.user}@${address}:${sshd.port}`).join(",");
    const base = ["--ssh", targets, "--ssh-config", "none", "--ssh-key", sshd.userKey.file, "--workers", "3"];
    const first = await runCli([...base, ...flags]);
    assert.equal(first.code, 0, first.stderr);
    const again = await runCli([...base, ...flags.map((flag) => (flag === "accept-new" ? "yes" : flag))]);
    assert.equal(again.code, 0, again.stdout);
  });
});
