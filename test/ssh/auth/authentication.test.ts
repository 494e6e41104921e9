import assert from "node:assert/strict";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import type { TestContext } from "node:test";
import type { SshOptions } from "../../../src/contract/ssh-options.js";
import type { HostConfig } from "../../../src/ssh/config/host-config.js";
import type { HostPlan } from "../../../src/ssh/plan/plan.js";
import { startAgent } from "../../support/agent.js";
import { connect, failureOf, run } from "../../support/connected.js";
import { testPlan, testShared } from "../../support/host-plan.js";
import { signalPid, waitFor } from "../../support/processes.js";
import { makeKey, signKey, type KeyOptions } from "../../support/ssh-key.js";
import { missing, startSshd, type Sshd, type SshdOptions } from "../../support/sshd.js";
import { makeTempDir } from "../../support/temp-dir.js";

const skip = missing ?? false;

async function serve(t: TestContext, options: SshdOptions = {}): Promise<Sshd> {
  const server = await startSshd(options);
  t.after(() => server.stop());
  return server;
}

function planFor(server: Sshd, config: Partial<HostConfig>, options: Partial<SshOptions> = {}): HostPlan {
  const { knownHostsFile } = server;
  return testPlan({ port: server.port, user: server.user, ...config }, { knownHostsFile, ...options });
}

async function reach(plan: HostPlan, shared = testShared()): Promise<void> {
  const connection = await connect(plan, shared);
  assert.equal((await run(connection, "echo in")).stdout, "in\n");
  await connection.close();
}

const KEY_FILES: readonly (readonly [string, KeyOptions])[] = [
  ["ed25519 in OpenSSH's format", {}],
  ["ecdsa 256 in OpenSSH's format", { type: "ecdsa", bits: 256 }],
  ["ecdsa 521 in OpenSSH's format", { type: "ecdsa", bits: 521 }],
  ["rsa in OpenSSH's format", { type: "rsa", bits: 2048 }],
  ["rsa in PEM", { type: "rsa", bits: 2048, format: "PEM" }],
  ["ecdsa in PEM", { type: "ecdsa", bits: 384, format: "PEM" }],
  ["rsa in PKCS#8", { type: "rsa", bits: 3072, format: "PKCS8" }],
  ["ecdsa in PKCS#8", { type: "ecdsa", bits: 256, format: "PKCS8" }],
];

test("key files of every format and type are accepted", { skip }, async (t) => {
  const temp = makeTempDir("keys");
  t.after(() => temp.remove());
  const keys = KEY_FILES.map(([name, options], i) => ({
    name,
    key: makeKey(join(temp.path, `key${i}`), options),
  }));
  const server = await serve(t, { authorizedKeys: keys.map(({ key }) => key.publicLine) });
  const shared = testShared();
  for (const { name, key } of keys) {
    await t.test(name, async () => {
      await reach(planFor(server, {}, { keyFiles: [key.file] }), shared);
      await waitFor("sshd logs the key", () => server.log().includes(key.fingerprint));
    });
  }
});

test(
  "RSA signatures are SHA-2: 512 first, 256 where only that is allowed, never SHA-1",
  { skip },
  async (t) => {
    const temp = makeTempDir("keys");
    t.after(() => temp.remove());
    const key = makeKey(join(temp.path, "rsa"), { type: "rsa", bits: 2048 });
    const server = await serve(t, { authorizedKeys: [key.publicLine], config: ["LogLevel DEBUG2"] });
    const options = { keyFiles: [key.file] };
    await reach(planFor(server, {}, options));
    await reach(planFor(server, { pubkeyAcceptedAlgorithms: "rsa-sha2-256" }, options));
    const failure = await failureOf(
      planFor(server, { pubkeyAcceptedAlgorithms: "ssh-rsa" }, options),
      testShared(),
    );
    assert.equal(failure.code, "auth-failed");
    await reach(planFor(server, { pubkeyAcceptedAlgorithms: "-rsa-sha2-512" }, options));
    const none = await failureOf(
      planFor(server, { pubkeyAcceptedAlgorithms: "ssh-ed25519" }, options),
      testShared(),
    );
    assert.equal(none.code, "no-usable-key");
    assert.match(none.tried?.join("\n") ?? "", /skipped: no signature algorithm that both sides take/);
    const named = (): string[] =>
      [...server.log().matchAll(/(?:authenticated 1 pkalg|signature algorithm) (\S+)/g)].map(
        (found) => found[1] ?? "",
      );
    await waitFor("sshd logs the algorithms", () => named().length >= 4);
    assert.deepEqual(named(), ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa", "rsa-sha2-256"]);
  },
);

test("keys that cannot be offered are reported, with a fix", { skip }, async (t) => {
  const temp = makeTempDir("keys");
  t.after(() => temp.remove());
  const server = await serve(t);
  const wrong = makeKey(join(temp.path, "wrong"));
  const encrypted = makeKey(join(temp.path, "encrypted"), { passphrase: "secret" });
  const encryptedPem = makeKey(join(temp.path, "encrypted-pem"), {
    type: "rsa",
    bits: 2048,
    format: "PEM",
    passphrase: "secret",
  });
  const open = makeKey(join(temp.path, "open"));
  chmodSync(open.file, 0o644);
  const garbage = join(temp.path, "garbage");
  writeFileSync(garbage, "no key\n", { mode: 0o600 });
  const keyFiles = (...files: string[]): HostPlan => planFor(server, {}, { keyFiles: files });

  const refused = await failureOf(keyFiles(wrong.file), testShared());
  assert.deepEqual([refused.code, refused.phase], ["auth-failed", "auth"]);
  assert.deepEqual(refused.tried, [`--ssh-key ${wrong.file} ${wrong.fingerprint} refused`]);
  const line = wrong.publicLine.split(" ").slice(0, 2).join(" ");
  assert.match(refused.fix ?? "", /^the server takes nothing but keys: .*authorized_keys of /);
  assert.ok(refused.fix?.endsWith(line), refused.fix);

  const locked = await failureOf(keyFiles(encrypted.file), testShared());
  assert.equal(locked.code, "no-usable-key");
  assert.deepEqual(locked.tried, [`--ssh-key ${encrypted.file} skipped: encrypted: use ssh-agent (ssh-add)`]);
  assert.equal(locked.fix, `eval "$(ssh-agent -s)" && ssh-add ${encrypted.file}`);

  const all = await failureOf(
    keyFiles(encryptedPem.file, open.file, garbage, join(temp.path, "none")),
    testShared(),
  );
  assert.equal(all.code, "no-usable-key");
  assert.deepEqual(all.tried, [
    `--ssh-key ${encryptedPem.file} skipped: encrypted: use ssh-agent (ssh-add)`,
    `--ssh-key ${open.file} skipped: unprotected private key file (mode 0644): chmod 600`,
    `--ssh-key ${garbage} skipped: not a private key`,
    `--ssh-key ${join(temp.path, "none")} skipped: no such file`,
  ]);
});

test(
  "a named key comes first among ten in the agent, so that MaxAuthTries 6 locks nobody out",
  { skip },
  async (t) => {
    const temp = makeTempDir("keys");
    t.after(() => temp.remove());
    const agent = await startAgent();
    t.after(() => agent.stop());
    const keys = Array.from({ length: 10 }, (_, i) => makeKey(join(temp.path, `key${i}`)));
    for (const key of keys) agent.add(key);
    const last = keys.at(-1);
    assert.ok(last);
    const server = await serve(t, { authorizedKeys: [last.publicLine], config: ["MaxAuthTries 6"] });

    const unnamed = await failureOf(planFor(server, { identityAgent: agent.socket }), testShared());
    assert.equal(unnamed.code, "auth-failed");
    assert.match(unnamed.message, /Too many authentication failures/);
    assert.equal(unnamed.tried?.length, 6);
    assert.match(unnamed.fix ?? "", /IdentitiesOnly/);

    await reach(
      planFor(server, {
        identityAgent: agent.socket,
        identityFiles: [`${last.file}.pub`],
        identityFilesNamed: true,
      }),
    );
    const only = {
      identityAgent: agent.socket,
      identityFiles: [last.file],
      identityFilesNamed: true,
      identitiesOnly: true,
    };
    await reach(planFor(server, only));
  },
);

test("an encrypted key that the agent holds is used through it", { skip }, async (t) => {
  const agent = await startAgent();
  t.after(() => agent.stop());
  const server = await serve(t);
  agent.add(server.userKey);
  chmodSync(server.userKey.file, 0o644);
  await reach(planFor(server, { identityAgent: agent.socket }, { keyFiles: [server.userKey.file] }));
});

test("the key that was accepted is the first one the next time", { skip }, async (t) => {
  const temp = makeTempDir("keys");
  t.after(() => temp.remove());
  const wrong = [0, 1, 2].map((i) => makeKey(join(temp.path, `key${i}`)).file);
  const server = await serve(t);
  const shared = testShared();
  const plan = planFor(server, {}, { keyFiles: [...wrong, server.userKey.file] });
  const failures = (): number => server.log().split("Failed publickey").length - 1;
  await reach(plan, shared);
  await waitFor("the refusals", () => failures() === 3);
  await reach(plan, shared);
  await waitFor("the second login", () => server.log().split("Accepted publickey").length === 3);
  assert.equal(failures(), 3);
});

test(
  "an agent that hangs, is dead or talks nonsense costs its deadline and no login",
  { skip },
  async (t) => {
    const server = await serve(t);
    const agent = await startAgent();
    t.after(() => agent.stop());
    signalPid(agent.pid, "SIGSTOP");
    const nonsense = createServer((socket) => socket.on("error", () => undefined).write("nonsense"));
    t.after(() => nonsense.close());
    const nonsensePath = join(server.dir, "nonsense.sock");
    await new Promise<void>((resolve) => nonsense.listen(nonsensePath, resolve));
    const shared = testShared();
    const options = { keyFiles: [server.userKey.file] };
    await reach(planFor(server, { identityAgent: agent.socket }, options), shared);
    await reach(planFor(server, { identityAgent: join(server.dir, "none.sock") }, options), shared);

    const hung = await failureOf(planFor(server, { identityAgent: agent.socket }), shared);
    assert.deepEqual(hung.tried, [`agent ${agent.socket} skipped: no answer within 1000 ms`]);
    const odd = await failureOf(planFor(server, { identityAgent: nonsensePath }), shared);
    assert.deepEqual(odd.tried, [`agent ${nonsensePath} skipped: does not speak the agent protocol`]);
    const dead = await failureOf(planFor(server, { identityAgent: join(server.dir, "none.sock") }), shared);
    assert.match(dead.tried?.[0] ?? "", /skipped: cannot be reached \(ENOENT\)/);
  },
);

for (const type of ["ed25519", "ecdsa", "rsa"] as const) {
  test(`a user certificate for ${type} from a file and from the agent`, { skip }, async (t) => {
    const temp = makeTempDir("keys");
    t.after(() => temp.remove());
    const agent = await startAgent();
    t.after(() => agent.stop());
    const ca = makeKey(join(temp.path, "ca"));
    const key = makeKey(join(temp.path, "user"), { type, ...(type === "rsa" ? { bits: 2048 } : {}) });
    const certificate = signKey(key, { ca, principals: ["watcher", "root"] });
    assert.ok(existsSync(certificate));
    const server = await serve(t, { authorizedKeys: [], config: [`TrustedUserCAKeys ${ca.file}.pub`] });
    const certificates = (): number => [...server.log().matchAll(/Accepted publickey .*-CERT/g)].length;

    await reach(planFor(server, {}, { keyFiles: [key.file] }));
    await waitFor("a login by certificate", () => certificates() === 1);
    agent.add(key);
    await reach(planFor(server, { identityAgent: agent.socket }));
    await waitFor("a second", () => certificates() === 2);
    // The private half only in the agent, the certificate in a file that the config names.
    const named = { identityAgent: agent.socket, certificateFiles: [certificate] };
    await reach(planFor(server, named));
    await waitFor("a third", () => certificates() === 3);
  });
}

test("a server that asks for two keys gets two", { skip }, async (t) => {
  const temp = makeTempDir("keys");
  t.after(() => temp.remove());
  const keys = [0, 1].map((i) => makeKey(join(temp.path, `key${i}`)));
  const server = await serve(t, {
    authorizedKeys: keys.map((key) => key.publicLine),
    config: ["AuthenticationMethods publickey,publickey"],
  });
  await reach(planFor(server, {}, { keyFiles: keys.map((key) => key.file) }));
});

test("for a server that takes no keys the methods are reported", { skip }, async (t) => {
  const server = await serve(t, { config: ["PubkeyAuthentication no", "PasswordAuthentication yes"] });
  const failure = await failureOf(planFor(server, {}, { keyFiles: [server.userKey.file] }), testShared());
  assert.equal(failure.code, "auth-failed");
  assert.match(failure.message, /takes no keys.*password/);
});

test("a key file is read once for many hosts", { skip }, async (t) => {
  const server = await serve(t);
  const shared = testShared();
  const plan = planFor(server, {}, { keyFiles: [server.userKey.file] });
  await reach(plan, shared);
  const first = await shared.keys.load(server.userKey.file);
  await Promise.all([reach(plan, shared), reach(plan, shared)]);
  assert.equal(await shared.keys.load(server.userKey.file), first);
  assert.equal(first.kind, "usable");
});
