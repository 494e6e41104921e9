import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { startAgent } from "./agent.js";
import * as dropbear from "./dropbear.js";
import { waitFor } from "./processes.js";
import * as sshd from "./sshd.js";
import { makeTempDir } from "./temp-dir.js";

interface Server {
  readonly port: number;
  readonly user: string;
  readonly dir: string;
  readonly knownHostsFile: string;
}

function ssh(server: Server, options: readonly string[], command: string, env = process.env): string {
  // prettier-ignore
  const args = ["-F", "none", "-o", "BatchMode=yes", "-o", `UserKnownHostsFile=${server.knownHostsFile}`, "-p", String(server.port), ...options,
    `${server.user}@127.0.0.1`, command];
  return execFileSync("ssh", args, {
    encoding: "utf8",
    env,
    timeout: 20_000,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

test(
  "sshd gives a login of our own: shell, home, PATH and keys",
  { skip: sshd.missing ?? false },
  async (t) => {
    const bin = makeTempDir("bin");
    t.after(() => bin.remove());
    const tools = join(bin.path, "tools");
    mkdirSync(tools);
    writeFileSync(join(tools, "nvidia-smi"), "#!/bin/sh\necho fake\n");
    chmodSync(join(tools, "nvidia-smi"), 0o755);
    const server = await sshd.startSshd({
      bin: tools,
      env: { ALLSMI_TEST: "x" },
      addresses: ["127.0.0.1", "127.0.0.2"],
    });
    t.after(() => server.stop());
    const lines = ssh(server, ["-i", server.userKey.file], "echo $HOME $0 $ALLSMI_TEST; nvidia-smi").split(
      "\n",
    );
    assert.equal(lines[1], "fake");
    if (server.isolated) assert.equal(lines[0], `${server.home} sh x`);
    await waitFor("sshd logs the login", () => server.log().includes("Accepted publickey"));
  },
);

test(
  "sshd takes keys from an agent, and stops with its sessions",
  { skip: sshd.missing ?? false },
  async (t) => {
    const server = await sshd.startSshd();
    t.after(() => server.stop());
    const agent = await startAgent();
    t.after(() => agent.stop());
    agent.add(server.userKey);
    const env = { ...process.env, SSH_AUTH_SOCK: agent.socket };
    assert.equal(ssh(server, [], "sleep 600 >/dev/null 2>&1 & echo ok", env), "ok\n");
    const sleeper = server.processes().find((entry) => entry.command === "sleep 600");
    assert.ok(sleeper);
    await server.stop();
    assert.throws(() => process.kill(sleeper.pid, 0), { code: "ESRCH" });
  },
);

test("dropbear gives a login of our own", { skip: dropbear.missing ?? false }, async (t) => {
  const server = await dropbear.startDropbear();
  t.after(() => server.stop());
  assert.equal(ssh(server, ["-i", server.userKey.file], "echo $HOME"), `${server.home}\n`);
});
