/** The step log of the SSH side: what it has, in which order, and what it never has. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { SshOptions } from "../../src/contract/ssh-options.js";
import type { HostConfig } from "../../src/ssh/config/host-config.js";
import { createConnector } from "../../src/ssh/connector.js";
import { createHostConnector } from "../../src/ssh/host-connector.js";
import type { HostPlan } from "../../src/ssh/plan/plan.js";
import { run } from "../support/connected.js";
import { testOptions, testPlan, testShared } from "../support/host-plan.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";

const skip = missing ?? false;
const signal = (): AbortSignal => AbortSignal.timeout(20_000);

function options(server: Sshd): SshOptions {
  const knownHostsFile = join(server.dir, "known_hosts");
  writeFileSync(knownHostsFile, server.knownHostsLine());
  return testOptions({ keyFiles: [server.userKey.file], knownHostsFile });
}

function planFor(server: Sshd, config: Partial<HostConfig> = {}): HostPlan {
  return testPlan({ port: server.port, user: server.user, ...config }, options(server));
}

/** Each pattern matches a step, in this order. */
function assertInOrder(steps: readonly string[], patterns: readonly RegExp[]): void {
  let from = 0;
  for (const pattern of patterns) {
    const index = steps.findIndex((step, at) => at >= from && pattern.test(step));
    assert.ok(index >= 0, `${String(pattern)} in its place in:\n${steps.join("\n")}`);
    from = index + 1;
  }
}

const SESSION: readonly RegExp[] = [
  /^server identification: SSH-2\.0-OpenSSH_/,
  /^host key accepted: ssh-ed25519 SHA256:\S{43} \(\S+\/known_hosts:\d+\)$/,
  /^key exchange done: curve25519-sha256, ssh-ed25519, aes128-gcm@openssh\.com, implicit MAC$/,
  /^authentication request: none$/,
  /^authentication request: publickey ssh-ed25519 SHA256:\S{43} \(--ssh-key \S+\)$/,
  /^authenticated as \S+ by ssh-ed25519 SHA256:\S{43} \(--ssh-key \S+\)$/,
];

test("a connection by ssh2, from the look-up to its end", { skip }, async (t) => {
  const server = await startSshd();
  t.after(() => server.stop());
  const shared = testShared();
  t.after(() => shared.close());
  const steps: string[] = [];
  const plan = planFor(server, { hostname: "localhost", hostKeyAlias: `[127.0.0.1]:${server.port}` });
  const connector = createConnector(plan, shared, (area, step) => {
    assert.equal(area, "ssh");
    steps.push(step);
  });
  const connection = await connector.connect(signal());
  await run(connection, "true");
  await connection.close();
  assertInOrder(steps, [
    /^name looked up: localhost is .*127\.0\.0\.1/,
    /^connecting to 127\.0\.0\.1 port \d+$/,
    /^connected to 127\.0\.0\.1 in \d+ ms$/,
    ...SESSION,
    /^channel opened/,
    /^disconnected: closed by us$/,
  ]);
  const secret = readFileSync(server.userKey.file, "utf8").split("\n")[2] ?? "";
  assert.ok(secret.length > 20 && !steps.some((step) => step.includes(secret)));
  for (const step of steps) assert.ok(!step.includes("\n"), step);
});

test("a refused key, and a jump host's own steps under its name", { skip }, async (t) => {
  const [server, jump] = [await startSshd(), await startSshd()];
  t.after(() => server.stop());
  t.after(() => jump.stop());
  const shared = testShared();
  t.after(() => shared.close());
  const steps: string[] = [];
  const wrongKey = testPlan(
    { port: server.port, user: server.user },
    { ...options(server), keyFiles: [jump.userKey.file] },
  );
  const plan: HostPlan = { ...wrongKey, way: { kind: "jump", hop: planFor(jump) } };
  const connector = createConnector(plan, shared, (_area, step) => steps.push(step));
  await assert.rejects(connector.connect(signal()));
  assertInOrder(steps, [
    /^jump host \S+: joining or opening its session$/,
    /^jump host \S+: connected to 127\.0\.0\.1 in \d+ ms$/,
    /^jump host \S+: authenticated as /,
    /^jump host \S+: connecting to 127\.0\.0\.1 port \d+$/,
    /^jump host \S+: connected to 127\.0\.0\.1 port \d+$/,
    /^server identification: /,
    /^authentication request: publickey /,
    /^authentication refused; methods that can continue: publickey/,
    /^handshake failed: .*none of our keys/,
    /^jump host \S+: disconnected: closed by us$/,
  ]);
});

test("a connection by the system's ssh: why, its command line, and its stages", { skip }, async (t) => {
  const server = await startSshd();
  t.after(() => server.stop());
  const shared = testShared();
  t.after(() => shared.close());
  const steps: string[] = [];
  const own = { ...options(server), client: "openssh" } as const;
  const target = { user: server.user, host: "127.0.0.1", port: server.port, labels: {}, origin: "test" };
  const step = (_area: string, text: string): void => void steps.push(text);
  const host = { target, plan: planFor(server), options: own, step };
  const connection = await createHostConnector(host, shared).connect(signal());
  await run(connection, "true");
  await connection.close();
  assertInOrder(steps, [
    /^using the system's ssh: --ssh-client openssh$/,
    /^command line: ssh -T .*BatchMode=yes/,
    /^ssh reached the stage "auth"; host key ssh-ed25519 SHA256:/,
    /^ssh reached the stage "open"; keys: \S+ SHA256:\S+ accepted/,
    /ended$|^disconnected/,
  ]);
});
