/**
 * Hosts without a vendor tool, behind a real sshd, on made-up PCI buses: a host that has no accelerator is read, one whose
 * accelerator has no tool is unsupported.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { FrameRecord, StreamRecord } from "../../src/contract/record.js";
import { recordsOf, runCli } from "../support/cli.js";
import { makeBus, pciDevice, shellOnBus, type FakePciDevice } from "../support/fake-bus.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { LOGIN_SHELLS } from "../support/login-shells.js";
import { missing, sshArgs, startSshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("without-accelerator");
after(() => temp.remove());
let hosts = 0;

interface Host {
  /** Null: it cannot be read. */
  readonly bus: readonly FakePciDevice[] | null;
  readonly chip?: string;
  readonly tools?: Readonly<Record<string, string>>;
  readonly shell?: readonly string[];
}

interface Watched {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly records: readonly StreamRecord[];
}

async function watch({ bus, chip, tools = {}, shell }: Host, args: readonly string[]): Promise<Watched> {
  const dir = join(temp.path, String(hosts++));
  makeBus(dir, bus, chip);
  const bin = makeTools(join(dir, "bin"), tools);
  const sshd = await startSshd({ bin, config: [`ForceCommand ${shellOnBus(dir, shell)}`] });
  try {
    const run = await runCli([...sshArgs(sshd), ...args]);
    return { ...run, records: run.stdout.startsWith("{") ? recordsOf(run.stdout) : [] };
  } finally {
    await sshd.stop();
  }
}

const DISK = pciDevice("0108 144d:a80a 0000:01:00.0");
const SCREEN = pciDevice("0300 1a03:2000 0000:02:00.0");
const H100 = pciDevice("0302 10de:2330 0000:18:00.0");
const NONE = [DISK, SCREEN];

/** What a record comes to: its sections with the count of their devices and its errors, or the failure. */
function gist(record: StreamRecord | undefined): unknown {
  if (record === undefined) return "no record";
  if (record.record === "state") return record.last_error?.code;
  const sections = (["gpus", "cpus", "memory", "processes", "storage"] as const).flatMap((key) => {
    const devices = record[key];
    return devices === undefined ? [] : [`${key} ${devices.length > 0 ? "some" : "none"}`];
  });
  return [...sections, ...(record.errors ?? []).map(({ section }) => `${section} fails`)].join(", ");
}

const DEFAULT = ["--once", "--format", "ndjson"];
const BROKEN = { "nvidia-smi": `echo "NVIDIA-SMI has failed: no driver"; exit 9` };
const OLD = { "all-smi": `case $1 in --version) echo "all-smi 0.1.0";; *) exit 2;; esac` };
const TABLE: readonly (readonly [
  what: string,
  host: Host,
  args: readonly string[],
  gist: string,
  code: number,
])[] = [
  ["no tool, no accelerator", { bus: NONE }, DEFAULT, "gpus none, cpus some, memory some", 0],
  ["no tool, an accelerator", { bus: [...NONE, H100] }, DEFAULT, "no-tool", 4],
  ["no tool, a Tegra", { bus: NONE, chip: "Tegra" }, DEFAULT, "no-tool", 4],
  ["no tool, no bus", { bus: null }, DEFAULT, "no-tool", 4],
  ["no tool, a device that cannot be read", { bus: [DISK, { at: "0000:03:00.0" }] }, DEFAULT, "no-tool", 4],
  [
    "a tool that fails, no accelerator",
    { bus: NONE, tools: BROKEN },
    DEFAULT,
    "cpus some, memory some, gpu fails",
    4,
  ],
  ["an all-smi that is too old, no accelerator", { bus: NONE, tools: OLD }, DEFAULT, "version-too-old", 4],
  [
    "a tool that works, and is not on the bus",
    { bus: NONE, tools: { "nvidia-smi": FAKE_A100 } },
    DEFAULT,
    "gpus some, cpus some, memory some",
    0,
  ],
  ["only GPUs asked for, no accelerator", { bus: NONE }, [...DEFAULT, "--include", "gpu"], "gpus none", 0],
  ["only GPUs asked for, an accelerator", { bus: [H100] }, [...DEFAULT, "--include", "gpu"], "no-tool", 4],
  [
    "processes too",
    { bus: NONE },
    [...DEFAULT, "--include", "gpu,process,storage"],
    "gpus none, processes none, storage some",
    0,
  ],
  ["only processes", { bus: NONE }, [...DEFAULT, "--include", "process"], "processes none", 0],
  ["no GPUs asked for", { bus: [H100] }, [...DEFAULT, "--include", "memory"], "memory some", 0],
  [
    "no tool may be tried",
    { bus: NONE },
    [...DEFAULT, "--ssh-fallback", "none"],
    "gpus none, cpus some, memory some",
    0,
  ],
];

test("docs/hosts-without-gpus.md has these rows", () => {
  const documented = readFileSync(new URL("../../docs/hosts-without-gpus.md", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => /^\| .* \|\s+\d+\s+\|$/.test(line))
    .map((line) =>
      line
        .split("|")
        .map((cell) => cell.trim())
        .slice(1, -1)
        .join(" | "),
    );
  const tested = TABLE.map(([what, , args, record, code]) => {
    const asked = args.slice(DEFAULT.length).join(" ").replace("--include ", "");
    return [what, asked === "" ? "by default" : asked, record, String(code)].join(" | ");
  });
  assert.deepEqual(documented, tested);
});

describe("a host", { concurrency: 4, skip }, () => {
  for (const [what, host, args, expected, code] of TABLE)
    test(`${what}: ${expected}`, async () => {
      const run = await watch(host, args);
      assert.equal(run.records.length, 1, run.stderr);
      assert.equal(gist(run.records[0]), expected);
      assert.equal(run.code, code, run.stderr);
    });
});

describe("login shells", { concurrency: 4, skip }, () => {
  for (const { name, argv, skip: absent } of LOGIN_SHELLS)
    test(`a host without an accelerator, ${name}`, { skip: absent }, async () => {
      const args = ["--interval", "3", "--count", "2", "--health", "--format", "ndjson"];
      const { records, code, stderr } = await watch({ bus: NONE, shell: argv }, args);
      assert.equal(code, 0, stderr);
      const frames = records.filter((record): record is FrameRecord => record.record === "frame");
      assert.equal(frames.length, 2);
      for (const frame of frames) {
        assert.equal(gist(frame), "gpus none, cpus some, memory some");
        assert.equal(frame.transport, "linux");
        assert.equal(frame.channel, "session");
        assert.ok(frame.chassis !== undefined);
      }
      assert.equal(typeof frames[1]?.cpus?.[0]?.utilization, "number");
    });
});

test("the reason names the accelerators, and the tool that is missing", { skip }, async () => {
  const second = pciDevice("0302 10de:2330 0000:2a:00.0");
  const { records } = await watch({ bus: [...NONE, H100, second] }, DEFAULT);
  const [state] = records;
  assert.ok(state?.record === "state");
  assert.match(
    state.last_error?.message ?? "",
    /^the host has an accelerator \(nvidia 10de:2330 at 0000:18:00\.0 and 1 more\) and none of: all-smi, nvidia-smi/,
  );
  assert.match(state.last_error?.fix ?? "", /^install nvidia-smi, tegrastats or all-smi on the host/);
});

test("an expectation of GPUs is not met by a host that has none", { skip }, async () => {
  const { records } = await watch({ bus: NONE }, [...DEFAULT, "--expect", "gpus=8"]);
  const [frame] = records;
  assert.ok(frame?.record === "frame");
  assert.equal(frame.health?.status, "critical");
  assert.equal(frame.health.findings[0]?.rule, "expect.gpus");
});

test("the table has a row for such a host", { skip }, async () => {
  const { stdout, code } = await watch({ bus: NONE }, ["--once", "--format", "table"]);
  assert.equal(code, 0);
  assert.match(stdout, /127\.0\.0\.1 .*connected/);
});
