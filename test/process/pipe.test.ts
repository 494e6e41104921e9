/**
 * Manners in a pipe: how the program ends, what it prints where, and what it leaves behind; with all work on the main
 * thread, and with it on others.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PROGRAM, recordsOf, runCli, whenOut } from "../support/cli.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { withoutHostLines } from "../support/host-lines.js";
import { missing, sshArgs, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("pipe");
let sshd: Sshd;
let flags: readonly string[] = [];
const FAST_TICKS = ["--interval", "0.3"];
/** The interval is what a busy machine may take to reach the host; the run ends with the frame. */
const ONE_TICK = ["--interval", "30", "--count", "1"];

/** As rocm-smi prints it; so many that a few frames fill a pipe. */
function manyCards(): unknown {
  const card = { "Card Series": "AMD Instinct MI300X", "GPU use (%)": "5" };
  return Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`card${index}`, card]));
}

before(async () => {
  if (skip !== false) return;
  const bin = makeTools(join(temp.path, "bin"), {
    "nvidia-smi": FAKE_A100,
    "rocm-smi": `echo '${JSON.stringify(manyCards())}'`,
  });
  sshd = await startSshd({ bin, shell: "/bin/sh" });
  flags = sshArgs(sshd);
});

after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

/** Through a real shell pipe: `allsmi-ssh ... | reader`. */
function shellPipe(
  reader: string,
  args: readonly string[],
): { stdout: string; status: string; wallMs: number } {
  const begun = performance.now();
  const quoted = [process.execPath, PROGRAM, ...flags, ...args].map((arg) => `'${arg}'`).join(" ");
  const script = `${quoted} 2>'${join(temp.path, "err")}' | ${reader}; echo "\${PIPESTATUS[0]}" >'${join(temp.path, "status")}'`;
  const stdout = execFileSync("/bin/bash", ["-c", script], { encoding: "utf8", timeout: 30_000 });
  return {
    stdout,
    status: readFileSync(join(temp.path, "status"), "utf8").trim(),
    wallMs: performance.now() - begun,
  };
}

for (const [where, workers] of [
  ["main thread", ["--workers", "0"]],
  ["other threads", ["--workers", "2"]],
] as const) {
  test(`${where}: | head -1 ends at once, with exit 0 and nothing on stderr`, { skip }, () => {
    const { stdout, status } = shellPipe("head -1", [...workers, ...FAST_TICKS, "--format", "ndjson"]);
    assert.equal(recordsOf(stdout).length, 1);
    assert.equal(status, "0");
    assert.equal(withoutHostLines(readFileSync(join(temp.path, "err"), "utf8")), "");
  });

  test(
    `${where}: | jq reads every line`,
    { skip: skip === false && !hasProgram("jq") ? "SKIPPED LOUDLY: no jq" : skip },
    () => {
      const { stdout, status } = shellPipe("jq -c .record", [...workers, ...ONE_TICK, "--format", "ndjson"]);
      assert.equal(status, "0");
      assert.equal(stdout, '"state"\n"state"\n"frame"\n');
    },
  );

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    test(
      `${where}: ${signal}: whole lines, sessions closed, exit ${code}, within a second`,
      { skip },
      async () => {
        let signalled = 0;
        const run = await runCli([...flags, ...workers, ...FAST_TICKS, "--format", "ndjson"], {
          started: (child) => {
            child.stdout?.on("data", (text: string) => {
              if (signalled > 0 || !text.includes('"record":"frame"')) return;
              signalled = performance.now();
              child.kill(signal);
            });
          },
        });
        const tookMs = performance.now() - signalled;
        assert.equal(run.code, code, run.stderr);
        assert.ok(run.stdout.endsWith("}\n"));
        assert.ok(recordsOf(run.stdout).length > 0);
        assert.equal(withoutHostLines(run.stderr), "");
        assert.ok(tookMs < 5000, `it took ${tookMs} ms`);
        await eventually(() => sshd.processes().every((entry) => !entry.command.includes("sh -s")));
      },
    );
  }

  test(
    `${where}: a second signal ends it at once, even while a reader takes nothing`,
    { skip },
    async (t) => {
      const child = spawn(
        process.execPath,
        [PROGRAM, ...flags, ...workers, ...FAST_TICKS, "--format", "ndjson"],
        {
          stdio: ["ignore", "pipe", "pipe"],
        },
      );
      t.after(() => child.kill("SIGKILL"));
      const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
      await new Promise((resolve) => child.stdout.once("readable", resolve));
      child.kill("SIGTERM");
      child.kill("SIGTERM");
      assert.equal(await ended, 143);
    },
  );

  test(`${where}: a reader that stalls gets fresh samples, not a backlog of old ones`, { skip }, () => {
    const stalls = `while read -r line; do case $line in *'"record":"frame"'*) break;; esac; done; sleep 4`;
    const resumes = `date +%s%3N >'${join(temp.path, "resumed")}'; timeout 2 cat`;
    const { stdout } = shellPipe(`(${stalls}; ${resumes})`, [
      ...workers,
      ...["--format", "ndjson", "--ssh-fallback", "rocm-smi", "--interval", "0.1"],
    ]);
    const resumedMs = Number(readFileSync(join(temp.path, "resumed"), "utf8"));
    const frames = recordsOf(stdout.slice(0, stdout.lastIndexOf("\n") + 1)).flatMap((record) =>
      record.record === "frame"
        ? [{ tick: record.tick, ageMs: resumedMs - Date.parse(record.timestamp) }]
        : [],
    );
    const old = frames.filter(({ ageMs }) => ageMs > 0);
    const fresh = frames.filter(({ ageMs }) => ageMs <= 0);
    // What was in the pipe when it filled up, and the one frame that was on its way.
    assert.ok(old.length >= 2 && old.length <= 12, `${old.length} frames from before the reader came back`);
    assert.ok(fresh.length > 0, "fresh frames after it");
    const skipped = Number(fresh.at(0)?.tick) - Number(old.at(-2)?.tick);
    assert.ok(skipped > 15, `the ticks of the stall are skipped: ${skipped}`);
    const ticks = frames.map(({ tick }) => tick);
    assert.deepEqual(
      ticks,
      [...new Set(ticks)].sort((a, b) => a - b),
      "each tick once, in order",
    );
  });

  test(
    `${where}: --output appends whole lines, and a second run goes on after the first`,
    { skip },
    async () => {
      const file = join(temp.path, `${where}.ndjson`);
      for (let i = 0; i < 2; i++) {
        const run = await runCli([...flags, ...workers, "--once", "--output", file]);
        assert.equal(run.code, 0, run.stderr);
        assert.equal(run.stdout, "");
      }
      assert.equal(recordsOf(readFileSync(file, "utf8")).length, 2);
      assert.ok(statSync(file).size > 0);
    },
  );

  test(
    `${where}: an output that cannot be written is reported in one line, exit 1 or 2`,
    { skip },
    async () => {
      const noFolder = await runCli([...flags, ...workers, "--once", "--output", "/nonexistent/folder/file"]);
      assert.equal(noFolder.code, 2);
      assert.match(noFolder.stderr, /--output.*\/nonexistent\/folder\/file/);
      const full = await runCli([...flags, ...workers, "--once", "--output", "/dev/full"]);
      assert.equal(full.code, 1);
      assert.match(full.stderr, /no space left/i);
    },
  );

  test(
    `${where}: --verbose logs on stderr, with --log-time the time first, and stdout stays data`,
    { skip },
    async () => {
      const run = await runCli([
        ...flags,
        ...workers,
        ...ONE_TICK,
        "--verbose",
        "--log-time",
        "--format",
        "ndjson",
      ]);
      assert.equal(run.code, 0, run.stderr);
      assert.match(run.stderr, /: connecting\n[\s\S]*: connected \(nvidia-smi, ssh2, session\)\n/);
      for (const line of run.stderr.trimEnd().split("\n"))
        assert.match(line, /^20\d\d-\d\d-\d\dT[\d:]{8}\.\d{3}Z allsmi-ssh: /);
      assert.deepEqual(
        recordsOf(run.stdout).map(({ record, state, tick }) => [record, state, tick]),
        [
          ["state", "connecting", null],
          ["state", "connected", null],
          ["frame", "connected", 0],
        ],
      );
    },
  );
}

test("wrong usage: one line a problem on stderr, nothing on stdout, exit 2", async () => {
  const dir = mkdtempSync(join(tmpdir(), "allsmi-usage-"));
  try {
    writeFileSync(join(dir, "hosts"), "good\nhost:99999\nbad label\n");
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [["--ssh", "h", "--interval", "0"], /--interval/],
      [["--ssh", "h", "--formt", "csv"], /did you mean --format/],
      [["--ssh-hostfile", join(dir, "hosts")], /hosts:2: [\s\S]*hosts:3: /],
      [["--ssh-hostfile", "/nonexistent"], /\/nonexistent/],
      [[], /--ssh/],
      [["--ssh", "h", "--ssh-key", "/nonexistent/key"], /--ssh-key.*\/nonexistent\/key/],
    ];
    for (const [args, expectedMessage] of cases) {
      const run = await runCli(args);
      assert.equal(run.code, 2, args.join(" "));
      assert.equal(run.stdout, "");
      assert.match(run.stderr, expectedMessage);
      assert.doesNotMatch(run.stderr, /at .*\.js:\d+/);
    }
    // More than a pipe or a socket holds.
    const count = 10_000;
    const many = await runCli(["--ssh-hostfile", "-"], { input: "a wrong label\n".repeat(count) });
    assert.equal(many.code, 2);
    assert.equal(many.stderr.trimEnd().split("\n").length, count + 1);
    assert.match(many.stderr, /:10000: [\s\S]*\nallsmi-ssh: see allsmi-ssh --help\n$/);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

function hasProgram(name: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => {
    try {
      return statSync(join(folder, name)).isFile();
    } catch {
      return false;
    }
  });
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 50 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(holds());
}

test("a reader of standard error that has stopped does not keep a signal from ending the run", async () => {
  const dir = mkdtempSync(join(tmpdir(), "allsmi-stalled-"));
  try {
    const file = join(dir, "records.ndjson");
    const error = { code: "auth-failed", phase: "auth", message: "no key ".repeat(10) };
    const hosts = Array.from({ length: 1500 }, (_, at) => ({
      ...{ schema: 1, record: "state", timestamp: "2026-01-02T03:04:05.000Z", tick: 0 },
      ...{
        host_id: `u@h${at}:22`,
        target: `ssh://u@h${at}`,
        hostname: `h${at}`,
        labels: {},
        transport: null,
      },
      ...{ state: "auth-failed", previous_state: "connecting", attempt: 1, consecutive_failures: 1 },
      ...{ since: "2026-01-02T03:04:05.000Z", retry_in_ms: null, last_error: error },
    }));
    writeFileSync(file, hosts.map((record) => `${JSON.stringify(record)}\n`).join(""));
    const args = [PROGRAM, "--replay", file, "--format", "ndjson"];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    const limit = setTimeout(() => child.kill("SIGKILL"), 30_000);
    whenOut(child, /"h1499"/, () => child.kill("SIGTERM"));
    const [, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    clearTimeout(limit);
    assert.equal(signal, null);
    child.stderr.destroy();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
