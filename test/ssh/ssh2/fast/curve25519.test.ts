/** Raw keys give the results of ssh2's DER and PEM: the same secrets, the same verdicts, and errors for the same input. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { diffieHellman, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { test } from "node:test";
import ssh2 from "ssh2";
import { exchangeRawKeys, verifyByRawKeys } from "../../../../src/ssh/ssh2/fast/curve25519.js";
import { makeEmbeddedKey } from "../../../../src/ssh/ssh2/embedded-server.js";

/** The part of ssh2's exchange that is used. */
class Exchange {
  readonly type = "25519";
  _keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } | null = null;

  generateKeys(): void {
    this._keys ??= generateKeyPairSync("x25519");
  }

  getPublicKey(): Buffer {
    throw new Error("ssh2's own was called");
  }

  computeSecret(other: Buffer): Buffer | Error {
    return new Error(`ssh2's own was called of ${other.length} bytes`);
  }
}

/** The content of an mpint by arithmetic: the shortest two's complement of a number that is not negative. */
function canonical(secret: Buffer): Buffer {
  const hex = BigInt(`0x${secret.toString("hex")}`).toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, "hex");
}

test("an exchange: the raw public key, the secret as OpenSSL computes it, and an error for an invalid key", () => {
  const protocol = {};
  exchangeRawKeys(protocol);
  Reflect.set(protocol, "_kex", { type: "ecdh" });
  assert.deepEqual(Reflect.get(protocol, "_kex"), { type: "ecdh" }, "another exchange stays as it is");
  let signed = 0;
  let short = 0;
  // One secret in 512 begins with zeros: goes on until there was one.
  for (let round = 0; round < 20_000 && (round < 300 || short === 0); round++) {
    const [ours, theirs] = [new Exchange(), new Exchange()];
    Reflect.set(protocol, "_kex", ours);
    const sent = theirs.getPublicKey();
    assert.equal(sent.length, 32);
    const secret = ours.computeSecret(sent);
    assert.ok(Buffer.isBuffer(secret));
    assert.ok(theirs._keys !== null && ours._keys !== null);
    const expected = diffieHellman({
      privateKey: ours._keys.privateKey,
      publicKey: theirs._keys.publicKey,
    });
    assert.deepEqual(secret, canonical(expected));
    assert.deepEqual(theirs.computeSecret(ours.getPublicKey()), secret);
    if (secret.length === 33) signed += 1;
    if (secret.length < 32) short += 1;
  }
  assert.ok(signed > 50 && short > 0, `${signed} with a sign bit, ${short} with leading zeros`);
  const exchange = new Exchange();
  for (const bad of [Buffer.alloc(32), Buffer.alloc(31, 9), Buffer.alloc(0)])
    assert.ok(exchange.computeSecret(bad) instanceof Error);
});

test("a signature: what the key signed, nothing else, and keys of other kinds as before", async () => {
  const ed = await makeEmbeddedKey();
  const rsa = ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 });
  const publicOf = (text: string): ssh2.ParsedKey => {
    const key = ssh2.utils.parseKey(text);
    assert.ok(!(key instanceof Error));
    return key;
  };
  const key = publicOf(ed.public);
  verifyByRawKeys(key);
  const data = Buffer.from("exchange hash");
  const signature = publicOf(ed.private).sign(data);
  assert.ok(Buffer.isBuffer(signature));
  assert.equal(key.verify(data, signature), true);
  assert.equal(key.verify(Buffer.from("another hash"), signature), false);
  assert.equal(key.verify(data, Buffer.alloc(64)), false);
  assert.equal(publicOf((await makeEmbeddedKey()).public).verify(data, signature), false);
  const rsaKey = publicOf(rsa.public);
  const rsaPem = publicOf(rsa.private).getPrivatePEM();
  assert.equal(rsaKey.verify(data, sign("sha512", data, rsaPem), "sha512"), true);
  assert.equal(rsaKey.verify(data, sign("sha256", data, rsaPem), "sha512"), false);
});

test("garbage collections during an exchange do not block it", () => {
  // Each exchange's keys are made and exported while garbage is collected every few allocations.
  const script = `
    import { createRequire } from "node:module";
    import { exchangeRawKeys } from ${JSON.stringify(new URL("../../../../src/ssh/ssh2/fast/curve25519.ts", import.meta.url).href)};
    const { generateKeyPairSync } = createRequire(import.meta.url)("node:crypto");
    class Exchange {
      type = "25519";
      _keys = null;
      generateKeys() { this._keys ??= generateKeyPairSync("x25519"); }
      getPublicKey() { return this._keys.publicKey.export({ format: "jwk" }); }
      computeSecret() { return null; }
    }
    const protocol = {};
    exchangeRawKeys(protocol);
    for (let count = 0; count < 3000; count++) {
      protocol._kex = new Exchange();
      if (protocol._kex.getPublicKey().length !== 32) throw new Error("no key");
    }
    process.stdout.write("done");`;
  const flags = [
    "--max-semi-space-size=1",
    "--gc-interval=13",
    "--import",
    "tsx",
    "--input-type=module",
    "-e",
  ];
  const out = execFileSync(process.execPath, [...flags, script], { encoding: "utf8", timeout: 60_000 });
  assert.equal(out, "done");
});
