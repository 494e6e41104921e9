/** `--dry-run` over real files: it prints the whole way to a host and connects to nothing. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "../support/cli.js";
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
    writeFileSync(join(temp.path, "known"), `[127.0.0.1]:${port} ${hostKey.publicLine}\n`);
    const config = [
      "Host gpu-*",
      "  HostName 127.0.0.1",
      `  Port ${port}`,
      "  User admin",
      "  ProxyJump ops@bastion:2200",
      `  IdentityFile ${key.file}`,
      `  IdentityFile ${locked.file}`,
      "Host *",
      "  IdentityAgent none",
      `  UserKnownHostsFile ${join(temp.path, "known")}`,
      "  GlobalKnownHostsFile none",
    ];
    const configFile = join(temp.path, "config");
    writeFileSync(configFile, `${config.join("\n")}\n`);
    chmodSync(configFile, 0o600);
    const run = await runCli(["--ssh", "gpu-01", "--dry-run", "--ssh-config", configFile]);
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
    assert.equal(connections, 0);
  } finally {
    server.close();
    temp.remove();
  }
});
