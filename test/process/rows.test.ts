/** Rows, chosen fields and compact lines of the built program: from recordings, and from hosts on threads. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { recordsOf, runCli, type CliRun } from "../support/cli.js";
import { parseCsv } from "../support/csv.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { schemaProblems } from "../support/line-schemas.js";
import { frame, gpu, state } from "../support/records.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("rows");
after(() => temp.remove());

const RECORDING = join(temp.path, "recording.ndjson");
const RECORDS = [
  frame({ labels: { rack: "r1" }, gpus: [gpu(), gpu({ index: 1, temperature: 95 })] }),
  state({ labels: { rack: "r2", role: "train" } }),
];
writeFileSync(RECORDING, RECORDS.map((record) => `${JSON.stringify(record)}\n`).join(""));

type Line = Readonly<Record<string, unknown>>;
const linesOf = ({ stdout }: CliRun): readonly Line[] =>
  stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Line]));
const replay = (...args: readonly string[]): Promise<CliRun> => runCli(["--replay", RECORDING, ...args]);

describe("a recording", () => {
  test("gives a line for each device and each outage", async () => {
    const run = await replay("--rows", "device");
    assert.deepEqual(
      linesOf(run).map((line) => [line["record"], line["section"], line["index"], line["error"]]),
      [
        ["device", "gpu", 0, null],
        ["device", "gpu", 1, null],
        ["state", null, null, "connect-timeout: no answer within 10 s"],
      ],
    );
  });

  test("has the same exit code and the same last line, whatever is printed of it", async () => {
    const whole = await replay("--format", "ndjson");
    assert.equal(whole.code, 3);
    for (const args of [
      ["--frames-only"],
      ["--where", "gpu.temperature > 200"],
      ["--rows", "device", "--compact"],
    ]) {
      const run = await replay(...args);
      assert.deepEqual([run.code, run.stderr], [whole.code, whole.stderr], args.join(" "));
    }
    assert.equal((await replay("--where", "gpu.temperature > 200")).stdout, "");
    const held = await replay(
      "--rows",
      "device",
      "--where",
      "gpu.temperature > 200",
      "--fail-on",
      "gpu.temperature > 90",
    );
    assert.deepEqual([held.code, held.stdout], [5, ""]);
  });

  test("puts `held` on the row of its device", async () => {
    const run = await replay("--rows", "device", "--fail-on", "gpu.temperature > 90");
    assert.deepEqual(
      linesOf(run).map((line) => Object.hasOwn(line, "held")),
      [false, true, false],
    );
  });

  test("that is compact can be replayed: the same CSV, less to store", async () => {
    const compact = await replay("--compact");
    assert.ok(compact.stdout.length < readFileSync(RECORDING, "utf8").length * 0.8);
    const file = join(temp.path, "compact.ndjson");
    writeFileSync(file, compact.stdout);
    const again = await runCli(["--replay", file, "--format", "csv"]);
    assert.equal(again.stdout, (await replay("--format", "csv")).stdout);
    assert.equal(parseCsv(again.stdout).length, 4);
  });

  test("of rows is none: each line is reported", async () => {
    const file = join(temp.path, "rows.ndjson");
    writeFileSync(file, (await replay("--rows", "device", "--frames-only")).stdout);
    const run = await runCli(["--replay", file]);
    assert.equal(run.stdout, "");
    assert.equal(run.code, 2);
    assert.match(
      run.stderr,
      /rows\.ndjson:1: is a row of one device \(--rows device\), not a record; it is left out/,
    );
  });

  test("has CSV columns for the labels of its first records, and --fields any others", async () => {
    const [header = []] = parseCsv((await replay("--format", "csv")).stdout);
    assert.deepEqual(header.slice(5, 9), ["transport", "labels.rack", "labels.role", "section"]);
    const run = await replay("--format", "csv", "--fields", "labels.role,index");
    assert.deepEqual(parseCsv(run.stdout), [
      ["labels.role", "index"],
      ["", "0"],
      ["", "1"],
      ["train", ""],
    ]);
  });
});

test("appending other columns to a file is a warning, and the new header stands before its rows", async () => {
  const output = join(temp.path, "log.csv");
  const run = (fields: string): Promise<CliRun> =>
    replay("--format", "csv", "--fields", fields, "--output", output, "--frames-only");
  assert.doesNotMatch((await run("hostname,index")).stderr, /warning/);
  assert.doesNotMatch((await run("hostname,index")).stderr, /warning/);
  const other = await run("hostname");
  assert.match(other.stderr, /^allsmi-ssh: warning: --output .*log\.csv: .* the columns change/m);
  assert.equal(
    readFileSync(output, "utf8"),
    "hostname,index\ndgx-01,0\ndgx-01,1\ndgx-01,0\ndgx-01,1\nhostname\ndgx-01\ndgx-01\n",
  );
});

test("the check of lines finds a wrong one", () => {
  assert.deepEqual(schemaProblems("record", RECORDS[0]), []);
  assert.deepEqual(schemaProblems("record", { ...RECORDS[0], latency_ms: "1" }).slice(0, 1), [
    "/latency_ms must be number,null",
  ]);
});

const skip = missing ?? false;
describe("hosts on threads", { skip }, () => {
  const addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
  const hostfile = join(temp.path, "hosts");
  let sshd: Sshd;
  before(async () => {
    if (skip !== false) return;
    const bin = makeTools(join(temp.path, "bin"), { "nvidia-smi": FAKE_A100 });
    sshd = await startSshd({ bin, shell: "/bin/sh", addresses });
    const labels = ["rack=r1", "role=train", ""];
    writeFileSync(
      hostfile,
      addresses.map((address, at) => `${sshd.user}@${address}:${sshd.port} ${labels[at] ?? ""}\n`).join(""),
    );
  });
  after(async () => {
    if (skip === false) await sshd.stop();
  });
  const watch = (workers: number, ...args: readonly string[]): Promise<CliRun> =>
    runCli([
      ...["--ssh-hostfile", hostfile, "--workers", String(workers), "--once", "--ssh-config", "none"],
      ...["--ssh-key", sshd.userKey.file, "--ssh-known-hosts", sshd.knownHostsFile, ...args],
    ]);

  for (const workers of [0, 2]) {
    test(`${workers} threads: rows, fields and conditions`, async () => {
      const run = await watch(
        workers,
        ...["--rows", "device", "--compact", "--include", "gpu,memory"],
        ...["--where", "gpu.name == A100", "--fields", "hostname,section,index,labels.rack"],
      );
      assert.equal(run.code, 0, run.stderr);
      const list = [...linesOf(run)].sort((a, b) =>
        String(a["hostname"]).localeCompare(String(b["hostname"])),
      );
      assert.deepEqual(
        list,
        addresses.map((hostname, at) => ({
          ...{ hostname, section: "gpu", index: 0 },
          labels: at === 0 ? { rack: "r1" } : {},
        })),
      );
    });
    test(`${workers} threads: CSV has the labels of all hosts in one header`, async () => {
      const run = await watch(workers, "--format", "csv");
      const [header = [], ...rows] = parseCsv(run.stdout);
      const at = header.indexOf("labels.rack");
      assert.equal(header[at + 1], "labels.role");
      assert.deepEqual(rows.map((row) => row.slice(at, at + 2).join()).sort(), [",", ",train", "r1,"]);
    });
    test(`${workers} threads: compact records`, async () => {
      const run = await watch(workers, "--compact");
      const records = recordsOf(run.stdout);
      assert.equal(records.length, addresses.length);
      for (const record of records)
        assert.ok(record.record === "frame" && !Object.values(record.gpus?.[0] ?? {}).includes(null));
    });
  }
});
