import assert from "node:assert/strict";
import test from "node:test";
import type { Connection } from "../../src/contract/connection.js";
import { HostError } from "../../src/contract/errors.js";
import type { LastError } from "../../src/contract/record.js";
import {
  ClientChooser,
  opensshMayHelp,
  opensshNeeded,
  type ClientNeeds,
  type Clients,
} from "../../src/ssh/choose-client.js";
import { jumpFailure } from "../../src/ssh/jump/failure.js";
import { OpensshMissing } from "../../src/ssh/openssh/process.js";
import type { AlgorithmOffer } from "../../src/ssh/ssh2/algorithms.js";

const offer: AlgorithmOffer = {
  kind: "offer",
  algorithms: { kex: ["k"], serverHostKey: ["h"], cipher: ["c"], hmac: ["m"], compress: ["none"] },
};
const plain: ClientNeeds = {
  config: {
    knownHostsCommand: null,
    pkcs11Provider: null,
    verifyHostKeyDns: "no",
    preferredAuthentications: null,
  },
  offer,
  authority: null,
};
const authConfig = { gssapiAuthentication: true, hostbasedAuthentication: true };
const never = new AbortController().signal;

const needs: readonly (readonly [string, ClientNeeds, string | null])[] = [
  ["nothing special", plain, null],
  [
    "a host certificate",
    { ...plain, authority: { file: "/kh", line: 3 } },
    "host certificates (@cert-authority, /kh:3)",
  ],
  [
    "algorithms that ssh2 lacks",
    { ...plain, offer: { kind: "cannot", keyword: "MACs", list: "umac-64@openssh.com" } },
    "MACs umac-64@openssh.com",
  ],
  [
    "KnownHostsCommand",
    { ...plain, config: { ...plain.config, knownHostsCommand: "/bin/x" } },
    "KnownHostsCommand",
  ],
  [
    "PKCS11Provider",
    { ...plain, config: { ...plain.config, pkcs11Provider: "/lib/x.so" } },
    "PKCS11Provider",
  ],
  [
    "VerifyHostKeyDNS",
    { ...plain, config: { ...plain.config, verifyHostKeyDns: "ask" } },
    "VerifyHostKeyDNS",
  ],
  ["ProxyUseFdpass", { ...plain, config: { ...plain.config, proxyUseFdpass: true } }, "ProxyUseFdpass"],
  [
    "a setting that is newer than this program",
    { ...plain, config: { ...plain.config, beyondUs: "/c:3" } },
    "a setting that only the installed ssh knows, /c:3",
  ],
  ["ssh -G's spelling of no", { ...plain, config: { ...plain.config, verifyHostKeyDns: "false" } }, null],
  [
    "only other authentication",
    { ...plain, config: { ...plain.config, preferredAuthentications: "gssapi-with-mic,hostbased" } },
    "PreferredAuthentications gssapi-with-mic,hostbased",
  ],
  [
    "public keys among others",
    { ...plain, config: { ...plain.config, preferredAuthentications: "publickey,password" } },
    null,
  ],
];
for (const [name, config, expected] of needs) {
  test(`before connecting: ${name}`, () => assert.equal(opensshNeeded(config), expected));
}

const auth = (message: string, more: Partial<LastError> = {}): HostError =>
  new HostError("auth-failed", "auth", message, more);
const remedies: readonly (readonly [string, HostError, RegExp | null])[] = [
  [
    "no common kex",
    new HostError("protocol-error", "handshake", "no matching key exchange: none in common"),
    /in common/,
  ],
  [
    "no common host key type",
    new HostError("host-key-algorithm", "handshake", "no matching host key: none in common"),
    /in common/,
  ],
  [
    "a host key too short",
    new HostError("host-key-algorithm", "handshake", "the host key has 1024 bits"),
    null,
  ],
  [
    "a jump host without common kex",
    jumpFailure("b", new HostError("protocol-error", "handshake", "none in common")),
    /jump host/,
  ],
  [
    "a jump host that is down",
    jumpFailure("b", new HostError("connection-refused", "dial", "refused")),
    null,
  ],
  ["garbage", new HostError("protocol-error", "handshake", "bad packet length"), null],
  [
    "an agent that refuses",
    auth("denied", { tried: ["agent SHA256:x skipped: the agent refused to sign"] }),
    /constrained/,
  ],
  ["GSSAPI", auth("denied; the server takes publickey, gssapi-with-mic"), /GSSAPI/],
  ["hostbased", auth("denied; the server takes hostbased"), /Hostbased/],
  ["a wrong key", auth("denied; the server takes publickey", { tried: ["agent SHA256:x refused"] }), null],
  ["refused connections", new HostError("connection-refused", "dial", "no algorithm"), null],
];
for (const [name, error, expected] of remedies) {
  test(`after ssh2 has failed: ${name}`, () => {
    const remedy = opensshMayHelp(authConfig, error, () => true);
    if (expected === null) assert.equal(remedy, null);
    else assert.match(remedy ?? "", expected);
  });
}

test("without a ticket or without the option ssh would fail too", () => {
  const error = auth("the server takes gssapi-with-mic, hostbased");
  const none = { gssapiAuthentication: false, hostbasedAuthentication: false };
  assert.equal(
    opensshMayHelp(none, error, () => true),
    null,
  );
  assert.equal(
    opensshMayHelp({ ...none, gssapiAuthentication: true }, error, () => false),
    null,
  );
});

function connection(client: Connection["client"]): Connection {
  return {
    client,
    open: () => assert.fail("not opened"),
    lost: new Promise(() => undefined),
    close: () => Promise.resolve(),
  };
}

function clients(calls: string[], ssh2Error: HostError | null): Clients {
  return {
    ssh2: () => {
      calls.push("ssh2");
      return ssh2Error === null ? Promise.resolve(connection("ssh2")) : Promise.reject(ssh2Error);
    },
    openssh: (why) => {
      calls.push(`openssh: ${why}`);
      return Promise.resolve(connection("openssh"));
    },
  };
}

test("auto goes on with ssh in the same attempt, and begins with it from then on", async () => {
  const calls: string[] = [];
  const chooser = new ClientChooser("auto", authConfig);
  const ways = clients(
    calls,
    new HostError("protocol-error", "handshake", "no matching kex: none in common"),
  );
  assert.equal((await chooser.connect(null, ways, never)).client, "openssh");
  assert.equal((await chooser.connect(null, ways, never)).client, "openssh");
  const why = "openssh: the server has no algorithm in common with ssh2";
  assert.deepEqual(calls, ["ssh2", why, why]);
});

test("auto stays with ssh2 where that is enough, and with its failure where ssh would fail too", async () => {
  const calls: string[] = [];
  const chooser = new ClientChooser("auto", authConfig);
  assert.equal((await chooser.connect(null, clients(calls, null), never)).client, "ssh2");
  const denied = auth("denied");
  await assert.rejects(chooser.connect(null, clients(calls, denied), never), denied);
  await chooser.connect("KnownHostsCommand", clients(calls, denied), never);
  assert.deepEqual(calls, ["ssh2", "ssh2", "openssh: KnownHostsCommand"]);
});

test("the flag overrides everything else", async () => {
  const calls: string[] = [];
  const failing = clients(
    calls,
    new HostError("protocol-error", "handshake", "no matching kex: none in common"),
  );
  await assert.rejects(new ClientChooser("ssh2", authConfig).connect("PKCS11Provider", failing, never));
  await new ClientChooser("openssh", authConfig).connect(null, failing, never);
  assert.deepEqual(calls, ["ssh2", "openssh: --ssh-client openssh"]);
});

test("where there is no ssh, ssh2's own reason stays", async () => {
  const refused = auth("denied", { tried: ["agent SHA256:x skipped: the agent refused to sign"] });
  const ways: Clients = {
    ssh2: () => Promise.reject(refused),
    openssh: () => Promise.reject(new OpensshMissing("protocol-error", "dial", "no ssh")),
  };
  await assert.rejects(new ClientChooser("auto", authConfig).connect(null, ways, never), (error: unknown) => {
    assert.ok(error instanceof HostError);
    assert.equal(error.failure.code, "auth-failed");
    assert.deepEqual(error.failure.tried, refused.failure.tried);
    assert.match(error.failure.fix ?? "", /openssh-client.*constrained/);
    return true;
  });
});
