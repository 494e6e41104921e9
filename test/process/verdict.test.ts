/** Fleets that are sick in the usual ways: each run has the right exit code, and one line that names host and fault. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { recordsOf, runCli, type CliRun } from "../support/cli.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { missing, sshArgs, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing === null ? false : `SKIPPED LOUDLY: ${missing}`;
const temp = makeTempDir("verdict");
let vendor: Sshd;
let native: Sshd;

/** What the fake nvidia-smi is, by the address at which its host is reached. */
const HEALTHY = "127.0.0.11";
const DEAD = ["127.0.0.12", "127.0.0.13", "127.0.0.14"];
const SEVEN = "127.0.0.15";
const HEALED = "127.0.0.16";

const COLUMNS = [
  ...["index", "uuid", "name", "temperature.gpu", "ecc.errors.uncorrected.aggregate.total"],
  "ecc.errors.uncorrected.volatile.total",
];
const row = (index: number, lifetime = 0): string => `${index}, GPU-${index}, H100, 40, ${lifetime}, 0`;
const answer = (rows: readonly string[]): string => fakeNvidiaSmi({ columns: COLUMNS, rows });
const MISMATCH = "Failed to initialize NVML: Driver/library version mismatch";
const EIGHT = [0, 1, 2, 3, 4, 5, 6, 7];
const NVIDIA = [
  "set_address() { address=$3; }; set_address $SSH_CONNECTION",
  "case $address in",
  `${DEAD.join("|")}) echo "${MISMATCH}"; exit 18;;`,
  `${SEVEN}) ${answer(EIGHT.slice(1).map((index) => row(index)))};;`,
  `${HEALED}) ${answer(EIGHT.map((index) => row(index, 5)))};;`,
  `*) ${answer(EIGHT.map((index) => row(index)))};;`,
  "esac",
].join("\n");

// all-smi itself runs, and sees no GPU, because the driver is dead.
const NO_GPU = JSON.stringify({ schema: 1, gpus: [] });
const ALL_SMI = `case $1 in --version) echo all-smi 0.28.1;; *) echo '${NO_GPU}';; esac`;

before(async () => {
  if (skip !== false) return;
  const tools = makeTools(join(temp.path, "vendor"), { "nvidia-smi": NVIDIA });
  vendor = await startSshd({ bin: tools, shell: "/bin/sh", addresses: [HEALTHY, ...DEAD, SEVEN, HEALED] });
  const dead = `echo "${MISMATCH}"; exit 18`;
  const both = makeTools(join(temp.path, "native"), { "all-smi": ALL_SMI, "nvidia-smi": dead });
  native = await startSshd({ bin: both, shell: "/bin/sh" });
});
after(async () => {
  if (skip === false) await Promise.all([vendor.stop(), native.stop()]);
  temp.remove();
});

function once(addresses: readonly string[], ...flags: readonly string[]): Promise<CliRun> {
  return runCli([
    "--once",
    "--include",
    "gpu",
    "--format",
    "ndjson",
    ...sshArgs(vendor, addresses),
    ...flags,
  ]);
}

describe("a sick fleet", { skip, concurrency: 2 }, () => {
  test("three dead drivers among four hosts", async () => {
    const run = await once([HEALTHY, ...DEAD]);
    assert.equal(run.code, 3, run.stderr);
    assert.match(run.stderr, /^allsmi-ssh: 4 hosts: 1 ok, 3 with errors \(127\.0\.0\.1[234]: gpu: .*differ/m);
    assert.equal((await once(DEAD)).code, 4);
  });

  test("three dead drivers, as a check", async () => {
    const flags = ["--check", "--include", "gpu", ...sshArgs(vendor, [HEALTHY, ...DEAD])];
    const run = await runCli(flags);
    assert.equal(run.code, 2, run.stdout);
    assert.match(run.stdout, /^ALLSMI CRITICAL - 1 of 4 hosts ok, 8 GPUs: 127\.0\.0\.12: .*differ/);
    assert.match(run.stdout, /^CRITICAL 127\.0\.0\.13: .*; reboot the host/m);
  });

  test("a mistyped path", async () => {
    const run = await once([HEALTHY], "--fail-on", "gpu.temprature>85");
    assert.equal(run.code, 2);
    assert.equal(run.stdout, "");
    assert.match(run.stderr, /--fail-on: .*"temprature"; did you mean gpu\.temperature\?/);
  });

  test("7 of 8 GPUs, by a condition and by an expectation", async () => {
    const held = await once([HEALTHY, SEVEN], "--fail-on", "count(gpus) < 8");
    assert.equal(held.code, 5);
    assert.match(held.stderr, /^allsmi-ssh: 127\.0\.0\.15: count\(gpus\) 7 < 8$/m);
    const expected = await once([HEALTHY, SEVEN], "--expect", "gpus=8");
    assert.equal(expected.code, 3);
    assert.match(
      expected.stderr,
      /^allsmi-ssh: 2 hosts: 1 ok, 1 critical \(127\.0\.0\.15: 7 GPUs work, 8 expected\)$/m,
    );
  });

  test("a healed ECC error is no finding", async () => {
    const run = await once([HEALED], "--health");
    assert.equal(run.code, 0, run.stderr);
    assert.equal(run.stderr, "");
    const [record] = recordsOf(run.stdout);
    assert.equal(record?.record, "frame");
    assert.deepEqual(
      record.health?.findings.filter(({ severity }) => severity !== "unknown"),
      [],
    );
    assert.equal(record.gpus?.[0]?.ecc_uncorrected_total, 5);
  });

  test("native with a dead driver", async () => {
    const run = await runCli(["--once", "--include", "gpu", "--format", "ndjson", ...sshArgs(native)]);
    assert.equal(run.code, 4, run.stdout);
    assert.match(run.stderr, /^allsmi-ssh: 1 host: 0 ok, 1 with errors \(127\.0\.0\.1: gpu: .*differ/m);
  });
});
