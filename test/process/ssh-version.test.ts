/** The language of the installed ssh, by stand-ins on PATH; and a user whom the password database does not know. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { runCli, PROGRAM } from "../support/cli.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("ssh-version");
after(() => temp.remove());

/** A PATH with an ssh that reports `version` for -V, and runs `rest` for everything else. */
function standIn(version: string, rest: string): string {
  const dir = join(temp.path, version);
  mkdirSync(dir, { recursive: true });
  const script = `#!/bin/sh\n[ "$1" = -V ] && { echo "${version}, OpenSSL 3.5.0" >&2; exit 0; }\n${rest}\n`;
  writeFileSync(join(dir, "ssh"), script, { mode: 0o755 });
  return `${dir}:${process.env["PATH"] ?? ""}`;
}

function config(name: string, text: string): string {
  const path = join(temp.path, name);
  writeFileSync(path, `${text}\nHost *\nIdentityAgent none\n`, { mode: 0o600 });
  return path;
}

const REFUSES = 'echo "asked of nothing" >&2; exit 255';
const ACCEPTS = 'printf "hostname h\\nuser u\\nport 22\\n"';

describe("the language of the installed ssh", () => {
  for (const [name, version, rest, text, code, output] of [
    ["a keyword of its own time", "OpenSSH_10.1p1", REFUSES, "WarnWeakCrypto no-pq-kex", 0, /client +ssh2/],
    [
      "a keyword that it lacks",
      "OpenSSH_9.2p1",
      REFUSES,
      "WarnWeakCrypto no-pq-kex",
      2,
      /line 1: Bad configuration option/,
    ],
    ["Match version that holds", "OpenSSH_10.1p1", REFUSES, "Match version OpenSSH_10.*\nPort 77", 0, /h:77/],
    [
      "Match version that does not",
      "OpenSSH_11.0p1",
      REFUSES,
      "Match version OpenSSH_10.*\nPort 77",
      0,
      /h:22/,
    ],
    [
      "a key type of 10.4",
      "OpenSSH_10.4p1",
      REFUSES,
      "PubkeyAcceptedAlgorithms +ssh-mldsa44-ed25519@openssh.com",
      0,
      /client +ssh2/,
    ],
    [
      "a keyword that is newer than we are",
      "OpenSSH_12.0p1",
      ACCEPTS,
      "NewThing yes",
      0,
      /client +openssh: .*:1/,
    ],
  ] as const) {
    test(name, async () => {
      const file = config(name.replaceAll(" ", "-"), text);
      const run = await runCli(["--ssh", "h", "--dry-run", "--ssh-config", file], {
        env: { PATH: standIn(version, rest) },
      });
      // 3: no key of the host is known.
      assert.equal(run.code === 2, code === 2, run.stderr);
      assert.match(run.stdout + run.stderr, output);
    });
  }
});

test("a host that ssh refuses does not keep the others from being planned", async () => {
  const file = config("refused", "Host bad\nRemoteCommand top");
  const run = await runCli(["--ssh", "bad,good,user%r@odd", "--dry-run", "--ssh-config", file]);
  assert.equal(run.code, 3, run.stderr);
  assert.match(run.stdout, /refused +ssh would not connect: Cannot execute/);
  assert.match(run.stdout, /address +\S+@good:22/);
  assert.match(run.stdout, /address +user%r@odd:22/);
});

function cannotBeNobody(): string | false {
  try {
    execFileSync("setpriv", ["--reuid", "54321", "--clear-groups", process.execPath, PROGRAM, "--version"], {
      stdio: "ignore",
    });
    return false;
  } catch {
    return "SKIPPED: no right to become another user here";
  }
}

test("a uid without an entry in the password database", { skip: cannotBeNobody() }, () => {
  const args = ["--reuid", "54321", "--clear-groups", process.execPath, PROGRAM, "--ssh", "h", "--once"];
  assert.throws(
    () => execFileSync("setpriv", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
    (error: unknown) => {
      assert.ok(error instanceof Error && "status" in error && "stderr" in error);
      assert.equal(error.status, 2);
      assert.equal(error.stderr, "allsmi-ssh: No user exists for uid 54321\n");
      return true;
    },
  );
});
