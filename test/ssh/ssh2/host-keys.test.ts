import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { TestContext } from "node:test";
import type { HostKeyPolicy } from "../../../src/contract/ssh-options.js";
import type { HostConfig } from "../../../src/ssh/config/host-config.js";
import type { HostPlan } from "../../../src/ssh/plan/plan.js";
import { connect, failureOf, run } from "../../support/connected.js";
import { testPlan, testShared } from "../../support/host-plan.js";
import { makeKey } from "../../support/ssh-key.js";
import { knownHostsLines, missing, startSshd, type Sshd, type SshdOptions } from "../../support/sshd.js";

const skip = missing ?? false;

interface Bench {
  readonly server: Sshd;
  /** Writes known_hosts and gives its path. */
  readonly known: (text: string) => string;
  readonly plan: (policy: HostKeyPolicy | null, config?: Partial<HostConfig>) => HostPlan;
}

async function bench(t: TestContext, options: SshdOptions = {}): Promise<Bench> {
  const server = await startSshd(options);
  t.after(() => server.stop());
  const file = join(server.dir, "known_hosts");
  return {
    server,
    known: (text) => {
      writeFileSync(file, text);
      return file;
    },
    plan: (hostKeyPolicy, config = {}) =>
      testPlan(
        { port: server.port, user: server.user, userKnownHostsFiles: [file], ...config },
        { keyFiles: [server.userKey.file], hostKeyPolicy },
      ),
  };
}

test("an unknown host is refused, with the file that decided and the fix", { skip }, async (t) => {
  const { server, known, plan } = await bench(t);
  const file = known("");
  const failure = await failureOf(plan("yes"), testShared());
  assert.deepEqual([failure.code, failure.phase], ["host-key-unknown", "handshake"]);
  const host = `[127.0.0.1]:${server.port}`;
  const key = server.hostKeys[0]?.fingerprint ?? "";
  assert.equal(failure.message, `no ED25519 host key is known for ${host}; the server has ${key}`);
  assert.match(failure.fix ?? "", new RegExp(`ssh-keyscan -p ${server.port} 127\\.0\\.0\\.1 >> ${file}`));
});

test("a policy of the config is used, and the failure names its line", { skip }, async (t) => {
  const { known, plan } = await bench(t);
  known("");
  const origins = new Map([
    ["stricthostkeychecking", { kind: "file", file: "/etc/ssh/ssh_config", line: 7 }],
  ] as const);
  const failure = await failureOf(plan(null, { strictHostKeyChecking: "ask", origins }), testShared());
  assert.deepEqual([failure.code, failure.where], ["host-key-unknown", "/etc/ssh/ssh_config:7"]);
});

for (const policy of ["accept-new", "no"] as const) {
  test(`${policy}: a new host is remembered and a changed one refused`, { skip }, async (t) => {
    const { server, known, plan } = await bench(t);
    const file = known("# no final newline");
    const shared = testShared();
    await (await connect(plan(policy), shared)).close();
    assert.equal(readFileSync(file, "utf8"), `# no final newline\n${server.knownHostsLine()}`);
    await (await connect(plan("yes"), shared)).close();

    const other = makeKey(join(server.dir, "other"));
    known(`# first\n${knownHostsLines("127.0.0.1", server.port, [other])}`);
    const failure = await failureOf(plan(policy), testShared());
    assert.deepEqual([failure.code, failure.where], ["host-key-changed", `${file}:2`]);
    assert.match(
      failure.fix ?? "",
      new RegExp(`ssh-keygen -R '\\[127\\.0\\.0\\.1\\]:${server.port}' -f ${file}`),
    );
  });
}

test(
  "accept-new makes a file of mode 0600; without a file every new host is refused",
  { skip },
  async (t) => {
    const { server, plan } = await bench(t);
    const file = join(server.dir, "fresh");
    await (await connect(plan("accept-new", { userKnownHostsFiles: [file] }), testShared())).close();
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(readFileSync(file, "utf8"), server.knownHostsLine());
    const failure = await failureOf(plan("no", { userKnownHostsFiles: [] }), testShared());
    assert.equal(failure.code, "host-key-unknown");
  },
);

test("a host that cannot be added to known_hosts is reached, with a warning", { skip }, async (t) => {
  const { server, plan } = await bench(t);
  const shared = testShared();
  const file = join(server.dir, "no-such-folder", "known_hosts");
  await (await connect(plan("accept-new", { userKnownHostsFiles: [file] }), shared)).close();
  assert.match(shared.warnings.join("\n"), /Failed to add the host to the list of known hosts/);
});

test("a host key that does not prove itself is not remembered", { skip }, async (t) => {
  const { server, known, plan } = await bench(t);
  const file = known("");
  const failure = await failureOf(
    plan("accept-new", { kexAlgorithms: "diffie-hellman-group1-sha1" }),
    testShared(),
  );
  assert.deepEqual([failure.code, failure.phase], ["protocol-error", "handshake"]);
  assert.match(failure.message, /no matching key exchange algorithm/);
  assert.equal(readFileSync(file, "utf8"), "");
  assert.ok(server.port > 0);
});

test("a revoked host key is refused under every policy", { skip }, async (t) => {
  const { server, known, plan } = await bench(t);
  const file = known(`${server.knownHostsLine()}@revoked * ${server.hostKeys[0]?.publicLine ?? ""}\n`);
  for (const policy of ["yes", "accept-new", "no"] as const) {
    const failure = await failureOf(plan(policy), testShared());
    assert.deepEqual([failure.code, failure.where], ["host-key-revoked", `${file}:2`]);
  }
});

test("a host with a known key of one type is reached by that type", { skip }, async (t) => {
  const { server, known, plan } = await bench(t, { hostKeyTypes: ["ed25519", "rsa", "ecdsa"] });
  for (const key of server.hostKeys) {
    known(knownHostsLines("127.0.0.1", server.port, [key]));
    const connection = await connect(plan("yes"), testShared());
    assert.deepEqual((await run(connection, "exit 7")).end, { kind: "exit", code: 7 });
    await connection.close();
  }
});

test("a key of a type that HostKeyAlgorithms leaves out is not accepted", { skip }, async (t) => {
  const { server, known, plan } = await bench(t, { hostKeyTypes: ["rsa"] });
  known(server.knownHostsLine());
  const failure = await failureOf(plan("yes", { hostKeyAlgorithms: "ssh-ed25519" }), testShared());
  assert.deepEqual([failure.code, failure.phase], ["host-key-algorithm", "handshake"]);
  const short = await failureOf(plan("yes", { requiredRsaSize: 8192 }), testShared());
  assert.equal(short.code, "host-key-algorithm");
  assert.match(short.message, /RequiredRSASize asks for 8192/);
});

test("NoHostAuthenticationForLocalhost needs no known key", { skip }, async (t) => {
  const { known, plan } = await bench(t);
  const file = known("");
  await (await connect(plan("yes", { noHostAuthenticationForLocalhost: true }), testShared())).close();
  assert.equal(readFileSync(file, "utf8"), "");
});
