/** `npm run dev`: the program from source, without a build: threads and the processes that look names up included. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { recordsOf } from "../support/cli.js";
import { descendantsOf } from "../support/processes.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
};
const temp = makeTempDir("dev");
const skip = missing ?? false;
let sshd: Sshd;

before(async () => {
  if (skip !== false) return;
  sshd = await startSshd({ shell: "/bin/sh" });
  writeFileSync(join(temp.path, "known_hosts"), sshd.knownHostsLine("localhost"));
});
after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

interface DevRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Command lines of the processes below it, as seen while it ran. */
  readonly children: ReadonlySet<string>;
}

/** The command of the npm script itself, without npm, so that it can be ended by its pid. */
function dev(...args: readonly string[]): Promise<DevRun> {
  const [program = "", ...script] = (manifest.scripts["dev"] ?? "").split(" ");
  assert.equal(program, "node");
  const child = spawn(process.execPath, [...script, ...args], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", HOME: temp.path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const limit = setTimeout(() => child.kill("SIGKILL"), 90_000);
  const children = new Set<string>();
  const look = setInterval(() => {
    for (const { command } of descendantsOf(child.pid ?? 0)) children.add(command);
  }, 400);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(limit);
      clearInterval(look);
      resolve({ code, stdout, stderr, children });
    });
  });
}

describe("the program from source", { concurrency: 2 }, () => {
  test("--demo on threads: some ticks of every host", async () => {
    // Long ticks: on a busy machine each thread compiles for seconds.
    const args = ["--demo", "--count", "2", "--interval", "10", "--workers", "2", "--format", "ndjson"];
    const { code, stdout, stderr } = await dev(...args);
    assert.equal(code, 0, stderr);
    const records = recordsOf(stdout);
    for (const tick of [0, 1]) assert.equal(records.filter((record) => record.tick === tick).length, 11);
    assert.ok(records.some(({ record, hostname }) => record === "frame" && hostname === "dgx-02"));
  });

  for (const workers of ["0", "2"]) {
    test(
      `a host by its name with --workers ${workers}: a resolver process looks it up`,
      { skip },
      async () => {
        const known = ["--ssh-known-hosts", join(temp.path, "known_hosts"), "--ssh-key", sshd.userKey.file];
        const target = ["--ssh", `${sshd.user}@localhost:${sshd.port}`, "--ssh-config", "none", ...known];
        const args = ["--include", "memory", "--once", "--workers", workers];
        const { code, stdout, stderr, children } = await dev(...target, ...args);
        assert.equal(code, 0, stderr);
        assert.deepEqual(
          recordsOf(stdout).map(({ record }) => record),
          ["frame"],
        );
        assert.ok(
          [...children].some((command) => command.includes("names/resolver.ts")),
          [...children].join("\n"),
        );
      },
    );
  }

  test("--version has the version of package.json, and a wrong flag is wrong usage", async () => {
    assert.equal((await dev("--once", "--version")).stdout, `allsmi-ssh ${manifest.version}\n`);
    const wrong = await dev("--bogus");
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^allsmi-ssh: unknown flag --bogus/);
    assert.match((await dev("--help")).stdout, /^Usage: allsmi-ssh /);
  });
});
