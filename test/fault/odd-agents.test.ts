/** An agent that is empty, odd or not there: ssh goes on without it, and so do we; no other host notices. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { recordsOf, runCli } from "../support/cli.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("odd-agents");
let sshd: Sshd;

before(async () => {
  if (skip !== false) return;
  const bin = makeTools(join(temp.path, "bin"), {
    "nvidia-smi": FAKE_A100,
  });
  sshd = await startSshd({ bin, shell: "/bin/sh" });
  mkdirSync(join(temp.path, "folder"));
  writeFileSync(join(temp.path, "file"), "no socket\n");
});

after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

/** The value of SSH_AUTH_SOCK, and more config for the first of two hosts. */
interface Case {
  readonly what: string;
  readonly socket: string | null;
  readonly agent?: string;
}
const LONG = `/tmp/${"x".repeat(200)}`;
const CASES: readonly Case[] = [
  { what: "SSH_AUTH_SOCK unset", socket: null },
  { what: "SSH_AUTH_SOCK set and empty", socket: "" },
  { what: "a variable that is set and empty", socket: null, agent: "${NO_AGENT_HERE}" },
  { what: "a variable that is set and empty, by name", socket: null, agent: "$NO_AGENT_HERE" },
  { what: "SSH_AUTH_SOCK by name, empty", socket: "", agent: "SSH_AUTH_SOCK" },
  { what: "a blank", socket: " " },
  { what: "a number that could be a port: 0", socket: "0" },
  { what: "a number that could be a port: 22", socket: "22" },
  { what: "a number in the config", socket: null, agent: "22" },
  { what: "a number beyond all ports", socket: "70000" },
  { what: "a relative path", socket: "not/there.sock" },
  { what: "a folder", socket: "FOLDER" },
  { what: "a regular file", socket: "FILE" },
  { what: "a path longer than a socket's may be", socket: LONG },
  { what: "such a path in the config", socket: null, agent: LONG },
  { what: "a socket in no file system", socket: null, agent: "@nobody-listens-here" },
];

for (const { what, socket, agent } of CASES) {
  test(`the agent is ${what}: ssh gets in, and we do; the host beside is read`, { skip }, async () => {
    const config = join(temp.path, "config");
    const own = agent === undefined ? "" : `Host odd\nIdentityAgent ${agent}\n`;
    const lines = [
      `HostName 127.0.0.1\nPort ${sshd.port}\nUser ${sshd.user}\nIdentityFile ${sshd.userKey.file}`,
      `UserKnownHostsFile ${sshd.knownHostsFile}\nStrictHostKeyChecking yes`,
    ];
    writeFileSync(config, `${own}Host good\nIdentityAgent none\nHost *\n${lines.join("\n")}\n`);
    const named = socket
      ?.replace("FOLDER", join(temp.path, "folder"))
      .replace("FILE", join(temp.path, "file"));
    const env = { NO_AGENT_HERE: "", ...(named === undefined ? {} : { SSH_AUTH_SOCK: named }) };
    const ssh = spawnSync("ssh", ["-F", config, "-o", "BatchMode=yes", "odd", "true"], {
      env: { PATH: process.env["PATH"] ?? "", ...env },
      encoding: "utf8",
    });
    assert.equal(ssh.status, 0, ssh.stderr);
    const { code, stdout, stderr } = await runCli(
      ["--ssh", "odd,good", "--ssh-config", config, "--once", "--format", "ndjson", "--include", "gpu"],
      { env },
    );
    assert.deepEqual(
      recordsOf(stdout)
        .map(({ hostname, record }) => `${hostname} ${record}`)
        .sort(),
      ["good frame", "odd frame"],
      stderr,
    );
    assert.equal(code, 0);
    assert.equal(stderr, "");
  });
}
