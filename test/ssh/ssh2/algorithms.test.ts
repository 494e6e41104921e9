import assert from "node:assert/strict";
import test from "node:test";
import ssh2 from "ssh2";
import type { HostConfig } from "../../../src/ssh/config/host-config.js";
import type { KnownTypes } from "../../../src/ssh/known-hosts/key-types.js";
import { offerAlgorithms, type OfferedAlgorithms } from "../../../src/ssh/ssh2/algorithms.js";
import { testConfig } from "../../support/host-plan.js";

const UNKNOWN: KnownTypes = { keyTypes: [], hasAuthority: false };

function offered(config: Partial<HostConfig>, known = UNKNOWN): OfferedAlgorithms {
  const offer = offerAlgorithms(testConfig(config), known);
  assert.ok(offer.kind === "offer");
  return offer.algorithms;
}

test("the defaults leave out SHA-1 host keys and put cheap ones first", () => {
  const { kex, cipher, serverHostKey, compress } = offered({});
  assert.equal(kex[0], "curve25519-sha256");
  assert.equal(cipher[0], "aes128-gcm@openssh.com");
  assert.ok(!serverHostKey.includes("ssh-rsa"));
  assert.deepEqual(serverHostKey.slice(-2), ["rsa-sha2-512", "rsa-sha2-256"]);
  assert.equal(compress[0], "none");
  assert.equal(offered({ compression: true }).compress[0], "zlib@openssh.com");
});

test("the types of known keys come first, unless the config has a full list", () => {
  const known = { keyTypes: ["ssh-rsa"], hasAuthority: false };
  assert.deepEqual(offered({}, known).serverHostKey.slice(0, 3), [
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-ed25519",
  ]);
  assert.equal(offered({ hostKeyAlgorithms: "+ssh-rsa" }, known).serverHostKey[0], "rsa-sha2-512");
  const written = "ssh-ed25519,rsa-sha2-256";
  assert.deepEqual(offered({ hostKeyAlgorithms: written }, known).serverHostKey, written.split(","));
});

test("plus, minus and caret lists", () => {
  assert.ok(
    offered({ kexAlgorithms: "+diffie-hellman-group14-sha1" }).kex.includes("diffie-hellman-group14-sha1"),
  );
  assert.ok(!offered({ kexAlgorithms: "-curve25519*" }).kex.some((name) => name.startsWith("curve25519")));
  assert.equal(offered({ ciphers: "^aes256-ctr" }).cipher[0], "aes256-ctr");
  assert.deepEqual(offered({ macs: "hmac-sha2-512,umac-64@openssh.com" }).hmac, ["hmac-sha2-512"]);
});

const CANNOT = [
  [{ kexAlgorithms: "sntrup761x25519-sha512@openssh.com" }, "KexAlgorithms"],
  [{ macs: "umac-64@openssh.com,umac-128@openssh.com" }, "MACs"],
  [{ hostKeyAlgorithms: "ssh-ed25519-cert-v01@openssh.com" }, "HostKeyAlgorithms"],
] as const;

for (const [config, keyword] of CANNOT) {
  test(`${keyword} with nothing that ssh2 supports`, () => {
    const offer = offerAlgorithms(testConfig(config), UNKNOWN);
    assert.deepEqual([offer.kind, offer.kind === "cannot" && offer.keyword], ["cannot", keyword]);
  });
}

test("every name that we may offer is one that ssh2 knows", () => {
  const all = offered({
    kexAlgorithms: "*",
    ciphers: "*",
    macs: "*",
    hostKeyAlgorithms: "*",
  });
  const client = new ssh2.Client();
  client.on("error", () => undefined);
  assert.doesNotThrow(() => {
    client.connect({
      host: "127.0.0.1",
      port: 1,
      username: "nobody",
      algorithms: {
        kex: [...all.kex] as ssh2.KexAlgorithm[],
        cipher: [...all.cipher] as ssh2.CipherAlgorithm[],
        hmac: [...all.hmac] as ssh2.MacAlgorithm[],
        serverHostKey: [...all.serverHostKey] as ssh2.ServerHostKeyAlgorithm[],
        compress: [...all.compress] as ssh2.CompressionAlgorithm[],
      },
    });
  });
  client.destroy();
  assert.ok(
    all.kex.length > 10 && all.cipher.length > 8 && all.hmac.length > 6 && all.serverHostKey.length === 8,
  );
});
