/** `--dry-run` over real files: what it prints of a host, when it warns, and that it connects to nothing. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { runCli } from "../support/cli.js";
import { startAgent } from "../support/agent.js";
import { makeKey } from "../support/ssh-key.js";
import { makeTempDir } from "../support/temp-dir.js";

test("each host's way, keys, known_hosts and the lines that decided; no connection", async () => {
  const temp = makeTempDir("dry");
  let connections = 0;
  const server = createServer(() => (connections += 1)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    const key = makeKey(join(temp.path, "id_work"));
    const locked = makeKey(join(temp.path, "id_locked"), { passphrase: "secret" });
    const hostKey = makeKey(join(temp.path, "host"));
    writeFileSync(join(temp.path, "known"), `[127.0.0.1]:${port},[bastion]:2200 ${hostKey.publicLine}\n`);
    const config = [
      "Host gpu-*",
      "  HostName 127.0.0.1",
      `  Port ${port}`,
      "  User admin",
      "  ProxyJump ops@bastion:2200",
      `  IdentityFile ${key.file}`,
      `  IdentityFile ${locked.file}`,
      "Host bastion",
      `  IdentityFile ${key.file}`,
      "Host *",
      "  IdentityAgent none",
      `  UserKnownHostsFile ${join(temp.path, "known")}`,
      "  GlobalKnownHostsFile none",
    ];
    const configFile = join(temp.path, "config");
    writeFileSync(configFile, `${config.join("\n")}\n`);
    chmodSync(configFile, 0o600);
    const dryRun = ["--ssh", "gpu-01", "--dry-run", "--ssh-config", configFile];
    const short = await runCli(dryRun);
    const run = await runCli([...dryRun, "--verbose"]);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(run.stderr, "");
    for (const expected of [
      /^gpu-01 \(--ssh\)$/m,
      new RegExp(`^  address +admin@127\\.0\\.0\\.1:${port}$`, "m"),
      /^ {2}jump hosts +ops@bastion:2200$/m,
      /^ {2}client +ssh2$/m,
      new RegExp(`^  key 1 +${key.file} ssh-ed25519 SHA256:`, "m"),
      new RegExp(`^  key skipped +${locked.file}: .*ssh-add`, "m"),
      /^ {2}host key policy +yes \(default\)$/m,
      new RegExp(`^  known hosts +${join(temp.path, "known")}$`, "m"),
      /^ {2}known as +\[127\.0\.0\.1\]:\d+ by ssh-ed25519$/m,
      new RegExp(`^  decided by +${configFile}:2 \\(hostname\\)$`, "m"),
      new RegExp(`^  decided by +${configFile}:5 \\(proxyjump\\)$`, "m"),
    ]) {
      assert.match(run.stdout, expected);
    }
    assert.doesNotMatch(run.stdout, /PRIVATE KEY|secret/);
    assert.match(run.stdout, /^ {2}tools +all-smi, nvidia-smi, amd-smi, .*sysfs$/m);
    assert.doesNotMatch(short.stdout, /decided by|host key policy|WARNING/);
    const own = run.stdout.split("\n").filter((line) => !/decided by|host key policy|known hosts/.test(line));
    const words = (text: string): readonly string[] => text.trim().split(/\s+/);
    assert.deepEqual(words(short.stdout), words(own.join("\n")));
    assert.equal(connections, 0);
  } finally {
    server.close();
    temp.remove();
  }
});

describe("--dry-run warns where no login can work", () => {
  const temp = makeTempDir("dry-warning");
  after(() => temp.remove());
  const hostKey = makeKey(join(temp.path, "host"));
  const known = join(temp.path, "known");
  writeFileSync(known, `gpu-01 ${hostKey.publicLine}\n`);
  const bare = ["--ssh", "gpu-01", "--dry-run", "--ssh-config", "none"];
  const empty = join(temp.path, "missing", "known");
  const config = (name: string, ...lines: readonly string[]): string => {
    const file = join(temp.path, name);
    writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
    return file;
  };
  const lockedKey = makeKey(join(temp.path, "locked"), { passphrase: "secret" });

  test("an unknown host key, and a key that is there", async () => {
    const key = makeKey(join(temp.path, "good"));
    const run = await runCli([...bare, "--ssh-key", key.file, "--ssh-known-hosts", empty]);
    assert.equal(run.code, 3);
    assert.match(
      run.stdout,
      /WARNING +no host key of gpu-01 is known, and unknown ones are refused\n +fix +mkdir .* && ssh-keyscan gpu-01 >> /,
    );
    assert.match(
      run.stderr,
      /^allsmi-ssh: warning: 1 of 1 host cannot be logged in to as things are: gpu-01\n$/,
    );
    const added = await runCli([
      ...bare,
      "--ssh-key",
      key.file,
      "--ssh-known-hosts",
      empty,
      "--ssh-strict-host-key",
      "accept-new",
    ]);
    assert.equal(added.code, 0, added.stdout);
    assert.match(added.stdout, /known as +gpu-01: no key is known; it is added with the first connection/);
  });

  test("no key file and no agent", async () => {
    const named = config("no-key", `IdentityFile ${join(temp.path, "none-here")}`);
    const run = await runCli([
      "--ssh",
      "gpu-01",
      "--dry-run",
      "--ssh-config",
      named,
      "--ssh-known-hosts",
      known,
      "--quiet",
    ]);
    assert.equal(run.code, 3);
    assert.equal(run.stderr, "");
    assert.match(
      run.stdout,
      /WARNING +no key can be offered: .*none-here: no such file; no agent is there \(SSH_AUTH_SOCK\)/,
    );
    assert.match(run.stdout, /fix +ssh-keygen -q -t ed25519 -N '' -f .*none-here && .*ssh-copy-id /);
  });

  test("an encrypted key, until an agent has it", async (t) => {
    const args = [...bare, "--ssh-key", lockedKey.file, "--ssh-known-hosts", known];
    const alone = await runCli(args);
    assert.equal(alone.code, 3);
    assert.match(
      alone.stdout,
      /WARNING +no key can be offered: .*locked: encrypted: .*\n +fix +eval .*ssh-agent.* && ssh-add /,
    );
    const agent = await startAgent();
    t.after(() => agent.stop());
    const env = { SSH_AUTH_SOCK: agent.socket };
    const emptyAgent = await runCli(args, { env });
    assert.equal(emptyAgent.code, 3);
    assert.match(emptyAgent.stdout, /encrypted: .*; the agent holds no key\n +fix +ssh-add /);
    agent.add(makeKey(join(temp.path, "in-agent")));
    const held = await runCli(args, { env });
    assert.equal(held.code, 0, held.stdout);
    assert.match(held.stdout, /key 1 +agent ssh-ed25519/);
  });

  test("a jump host without a key", async () => {
    const named = config("jump", "Host gpu-01", "ProxyJump gate", "Host *", `IdentityFile ${lockedKey.file}`);
    const run = await runCli([
      "--ssh",
      "gpu-01",
      "--dry-run",
      "--ssh-config",
      named,
      "--ssh-known-hosts",
      known,
    ]);
    assert.match(run.stdout, /WARNING +jump host \S+@gate:22: no host key of gate is known/);
    assert.match(run.stdout, /WARNING +jump host \S+@gate:22: no key can be offered/);
    assert.equal(run.code, 3);
  });
});

describe("--dry-run --script", () => {
  test("prints what runs on the hosts, as a program of sh; a path of a tool is in it", async () => {
    const hosts = "a tool.nvidia-smi=/opt/x/nvidia-smi\nb\nc\n";
    const run = await runCli(
      ["--ssh-hostfile", "-", "--dry-run", "--script", "--once", "--include", "gpu", "--ssh-config", "none"],
      { input: hosts },
    );
    assert.equal(run.code, 0, run.stderr);
    const lines = run.stdout.trimEnd().split("\n");
    const scripts = lines.filter((line) => !line.startsWith("# "));
    assert.deepEqual(
      lines.filter((line) => line.startsWith("# Hosts: ")),
      ["# Hosts: a", "# Hosts: b, c"],
    );
    assert.equal(scripts.length, 2);
    for (const [at, script] of scripts.entries()) {
      assert.match(script, /^exec \/bin\/sh -c '[^']+'$/);
      assert.equal(script.includes("/opt/x/nvidia-smi"), at === 0);
    }
    const folder = makeTempDir("script");
    mkdirSync(join(folder.path, "empty"));
    const ran = spawnSync("sh", {
      input: run.stdout.split("# Hosts: b, c")[1] ?? "",
      encoding: "utf8",
      cwd: folder.path,
    });
    folder.remove();
    assert.match(ran.stdout, /@NONCE v \w+ /);
    assert.match(ran.stdout, /@NONCE z 0\n/);
  });

  test("needs --dry-run", async () => {
    const run = await runCli(["--ssh", "a", "--script"]);
    assert.equal(run.code, 2);
    assert.match(run.stderr, /--script: only with --dry-run/);
  });
});
