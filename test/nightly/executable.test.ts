/**
 * The single-file executable, in a folder with nothing else, with an empty home and no program in PATH: the texts, the demo,
 * real hosts, threads, the resolver process, and what ends it.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { helpText } from "../../src/cli/help.js";
import { recordsOf, runCli, type CliOptions, type CliRun } from "../support/cli.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { descendantsOf, type ProcessEntry } from "../support/processes.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const skip = missing ?? false;
const temp = makeTempDir("executable");
const folder = join(temp.path, "alone");
const home = join(temp.path, "home");
const executable = join(folder, "allsmi-ssh");
let sshd: Sshd;

before(async () => {
  execFileSync(process.execPath, ["--import", "tsx", "build/executable.ts"], { cwd: ROOT, stdio: "pipe" });
  mkdirSync(folder);
  mkdirSync(home);
  copyFileSync(join(ROOT, ".build/executable/allsmi-ssh"), executable);
  if (skip !== false) return;
  const bin = makeTools(join(temp.path, "bin"), { "nvidia-smi": FAKE_A100 });
  sshd = await startSshd({ bin, shell: "/bin/sh", addresses: ["127.0.0.1", "127.0.0.2"] });
  writeFileSync(
    join(temp.path, "known_hosts"),
    ["127.0.0.1", "127.0.0.2", "localhost"].map((name) => sshd.knownHostsLine(name)).join(""),
  );
});
after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

const runAlone = (args: readonly string[], options: CliOptions = {}): Promise<CliRun> =>
  runCli(args, { executable, cwd: folder, env: { HOME: home, PATH: "" }, ...options });

function watch(hosts: readonly string[], args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const targets = hosts.map((host) => `${sshd.user}@${host}:${sshd.port}`).join(",");
  const known = ["--ssh-known-hosts", join(temp.path, "known_hosts"), "--ssh-key", sshd.userKey.file];
  return runAlone(
    ["--ssh", targets, "--ssh-config", "none", ...known, "--format", "ndjson", ...args],
    options,
  );
}

/** Frames by tick, as `host tick utilization`. */
const framesOf = (run: CliRun): readonly string[] =>
  recordsOf(run.stdout)
    .flatMap((record) =>
      record.record === "frame"
        ? [`${record.hostname} ${record.tick} ${String(record.gpus?.[0]?.utilization)}`]
        : [],
    )
    .toSorted();

test("answers --help and --version", async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  for (const [args, text] of [
    [["--version"], `allsmi-ssh ${version}\n`],
    [["-h"], helpText()],
    [["--once", "--help"], helpText()],
  ] as const) {
    const { stdout, stderr, code } = await runAlone(args);
    assert.deepEqual({ stdout, stderr, code }, { stdout: text, stderr: "", code: 0 });
  }
});

test("refuses wrong usage", async () => {
  const { stdout, stderr, code } = await runAlone(["--bogus"]);
  assert.deepEqual([stdout, code], ["", 2]);
  assert.match(stderr, /^allsmi-ssh: unknown flag --bogus/);
});

test("shows the demo, and leaves nothing behind", async () => {
  const { stdout, code } = await runAlone(["--demo", "--once", "--format", "ndjson"]);
  assert.equal(code, 0);
  assert.ok(
    recordsOf(stdout).some(
      (record) => record.record === "frame" && typeof record.gpus?.[0]?.utilization === "number",
    ),
  );
  assert.deepEqual(readdirSync(folder), ["allsmi-ssh"]);
  assert.deepEqual(readdirSync(home), []);
});

describe("real hosts", { skip }, () => {
  const both = ["127.0.0.1 0 5", "127.0.0.1 1 5", "127.0.0.2 0 5", "127.0.0.2 1 5"];
  for (const workers of ["0", "2"])
    test(`two of them, with --workers ${workers}`, async () => {
      const args = ["--count", "2", "--interval", "4", "--workers", workers, "--quiet"];
      const run = await watch(["127.0.0.1", "127.0.0.2"], args);
      assert.equal(run.code, 0, run.stderr);
      assert.equal(run.stderr, "");
      assert.deepEqual(framesOf(run), both);
    });

  for (const workers of ["0", "1"])
    test(`a name is looked up by a process of its own, with --workers ${workers}`, async () => {
      let children: readonly ProcessEntry[] = [];
      const run = await watch(["localhost"], ["--interval", "0.5", "--workers", workers], {
        started: (child) => {
          let stdout = "";
          child.stdout?.on("data", (text: string) => {
            stdout += text;
            if (children.length > 0 || !stdout.includes('"record":"frame"')) return;
            // Those of sshd are not ours.
            children = descendantsOf(child.pid ?? 0);
            child.kill("SIGINT");
          });
        },
      });
      assert.equal(run.code, 130, run.stderr);
      assert.deepEqual(
        children.map(({ command }) => command),
        [`${executable} ${executable}`],
      );
      assert.match(framesOf(run)[0] ?? "", /^localhost \d+ 5$/);
    });

  test("a name that there is not is a state with the resolver's reason", async () => {
    const { stdout, code } = await watch(["nowhere.invalid"], ["--once"]);
    assert.equal(code, 4);
    const [record] = recordsOf(stdout);
    assert.match((record?.record === "state" && record.last_error?.code) || "", /^dns-/);
  });
});
