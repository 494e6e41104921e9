/** Runs of the built program one after the other, through a real sshd: what a later one need not ask the host again. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { recordsOf, runCli } from "../support/cli.js";
import { makeKeptHost, type KeptHost } from "../support/kept-host.js";
import { missing, sshArgs, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip =
  missing ?? (process.platform === "linux" ? false : "NOT LINUX: facts are kept of Linux hosts alone");

const ALL = ["help", "query", "version"];

describe("facts that are kept between runs", { skip }, () => {
  const temp = makeTempDir("kept-facts");
  let host: KeptHost;
  let sshd: Sshd;
  before(async () => {
    host = makeKeptHost(temp.path);
    // The made-up account runs the shell, and notes the tool's starts.
    chmodSync(temp.path, 0o755);
    sshd = await startSshd({ bin: host.bin, shell: host.shell });
  });
  after(async () => {
    await sshd.stop();
    temp.remove();
  });

  /** Starts of the tool in one run of one reading with this environment. */
  async function startsOf(
    env: Readonly<Record<string, string>>,
    args: readonly string[] = [],
  ): Promise<readonly string[]> {
    host.starts();
    const run = await runCli([...sshArgs(sshd), "--once", "--format", "ndjson", ...args], { env });
    assert.equal(run.code, 0, run.stderr);
    assert.equal(run.stderr, "");
    const [record] = recordsOf(run.stdout);
    assert.equal(record?.record, "frame", run.stdout);
    assert.equal(record.gpus?.length, 1);
    assert.equal(record.gpus[0]?.detail["cuda_version"], "13.1");
    return host.starts();
  }

  const folderIn = (name: string): { XDG_CACHE_HOME: string } => {
    const path = join(temp.path, name);
    mkdirSync(path);
    return { XDG_CACHE_HOME: path };
  };

  test("a second run starts the tool once; --no-cache starts it three times and writes nothing", async () => {
    const env = folderIn("second");
    assert.deepEqual(await startsOf(env), ALL);
    const folder = join(env.XDG_CACHE_HOME, "allsmi-ssh");
    const [file = ""] = readdirSync(folder);
    const written = readFileSync(join(folder, file), "utf8");
    assert.deepEqual(await startsOf(env), ["query"]);
    assert.deepEqual(await startsOf(env, ["--no-cache"]), ALL);
    assert.equal(readFileSync(join(folder, file), "utf8"), written);
    host.write("boot", "00000000-7772-4fa4-9d14-2f4d9b3aef4b");
    assert.deepEqual(await startsOf(env), ALL);
    assert.deepEqual(readdirSync(folder), [file]);
    host.write("driver", "590.48.01");
    assert.deepEqual(await startsOf(env), ["query", "version"]);
    host.write("driver", "570.86.15");
  });

  test("without a folder that can be used there is neither a cache nor a message", async () => {
    assert.deepEqual(await startsOf({}), ALL);
    assert.deepEqual(await startsOf({ XDG_CACHE_HOME: "/dev/null" }), ALL);
  });

  test("runs at once do not disturb each other, and the next one uses what they found", async () => {
    const env = folderIn("at-once");
    const args = [...sshArgs(sshd), "--once", "--format", "ndjson"];
    const runs = await Promise.all([1, 2, 3].map(() => runCli(args, { env })));
    assert.deepEqual(
      runs.map(({ code, stderr }) => [code, stderr]),
      runs.map(() => [0, ""]),
    );
    assert.equal(readdirSync(join(env.XDG_CACHE_HOME, "allsmi-ssh")).length, 1);
    assert.deepEqual(await startsOf(env), ["query"]);
  });

  test("the system's ssh reports no host key, so nothing is kept", async () => {
    const env = folderIn("system-ssh");
    assert.deepEqual(await startsOf(env, ["--ssh-client", "openssh"]), ALL);
    assert.deepEqual(readdirSync(env.XDG_CACHE_HOME), []);
  });

  test("--dry-run --script shows a script without facts of an earlier run", async () => {
    const run = await runCli([...sshArgs(sshd), "--dry-run", "--script"], { env: folderIn("dry") });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /case "\$hb \$kn" in "-"\) :;;esac/);
    assert.doesNotMatch(run.stdout, /@[A-Z_]+@/);
  });
});
