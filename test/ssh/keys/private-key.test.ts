import assert from "node:assert/strict";
import { verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { parsePrivateKey, publicBlob, signWithKey } from "../../../src/ssh/keys/private-key.js";
import { WireReader } from "../../../src/ssh/keys/wire.js";
import { makeKey, type KeyOptions } from "../../support/ssh-key.js";
import { makeTempDir } from "../../support/temp-dir.js";

const temp = makeTempDir("keys");
test.after(() => temp.remove());

const FORMS: readonly KeyOptions[] = [
  { type: "ed25519" },
  { type: "ecdsa", bits: 256 },
  { type: "ecdsa", bits: 384 },
  { type: "ecdsa", bits: 521 },
  { type: "rsa", bits: 2048 },
  { type: "rsa", bits: 1024, format: "PEM" },
  { type: "ecdsa", bits: 256, format: "PEM" },
  { type: "ecdsa", bits: 521, format: "PKCS8" },
  { type: "rsa", bits: 2048, format: "PKCS8" },
];

for (const [i, options] of FORMS.entries()) {
  const name = `${options.type ?? ""} ${options.bits ?? ""} ${options.format ?? "OpenSSH"}`;
  test(`${name}: the public half is ssh-keygen's, and signatures verify`, () => {
    const key = makeKey(join(temp.path, `key${i}`), options);
    const parsed = parsePrivateKey(readFileSync(key.file, "utf8"));
    assert.ok(parsed.kind === "private");
    assert.equal(parsed.blob.toString("base64"), key.publicLine.split(" ")[1]);
    assert.deepEqual(publicBlob(parsed.key), parsed.blob);
    const type = new WireReader(parsed.blob).text();
    const algorithm = type === "ssh-rsa" ? "rsa-sha2-512" : type;
    const signature = new WireReader(signWithKey(parsed.key, algorithm, Buffer.from("data")));
    assert.equal(signature.text(), algorithm);
    const body = signature.string();
    if (type === "ssh-rsa") assert.ok(verify("sha512", Buffer.from("data"), parsed.key, body));
    if (type === "ssh-ed25519") assert.ok(verify(null, Buffer.from("data"), parsed.key, body));
    if (type.startsWith("ecdsa")) {
      const pair = new WireReader(body);
      const size = options.bits === 521 ? 66 : (options.bits ?? 0) / 8;
      const padded = [pair.mpint(), pair.mpint()].map((half) =>
        Buffer.concat([Buffer.alloc(size - half.length), half]),
      );
      const hash = { 256: "sha256", 384: "sha384", 521: "sha512" }[options.bits ?? 0] ?? "";
      const how = { key: parsed.key, dsaEncoding: "ieee-p1363" } as const;
      assert.ok(verify(hash, Buffer.from("data"), how, Buffer.concat(padded)));
    }
  });
}

for (const format of ["OpenSSH", "PEM", "PKCS8"] as const) {
  test(`an encrypted key in ${format} is recognised, and OpenSSH's shows its public half`, () => {
    const options: KeyOptions = { type: "rsa", bits: 1024, passphrase: "secret" };
    const key = makeKey(
      join(temp.path, `encrypted-${format}`),
      format === "OpenSSH" ? options : { ...options, format },
    );
    const parsed = parsePrivateKey(readFileSync(key.file, "utf8"));
    assert.ok(parsed.kind === "encrypted");
    const expected = format === "OpenSSH" ? key.publicLine.split(" ")[1] : undefined;
    assert.equal(parsed.blob?.toString("base64"), expected);
  });
}

test("anything else is invalid or unsupported, and nothing throws", () => {
  const whole = readFileSync(makeKey(join(temp.path, "whole")).file, "utf8");
  assert.equal(parsePrivateKey("").kind, "invalid");
  assert.equal(parsePrivateKey("ssh-ed25519 AAAA").kind, "invalid");
  fc.assert(fc.property(fc.string(), (text) => parsePrivateKey(text).kind === "invalid"));
  const lines = whole.split("\n");
  const body = Buffer.from(lines.slice(1, -2).join(""), "base64");
  const damaged = fc.tuple(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(damaged, ([at, flip]) => {
      const bytes = Buffer.from(body);
      bytes.writeUInt8(bytes.readUInt8(at) ^ flip, at);
      const text = [lines[0], bytes.toString("base64"), "-----END OPENSSH PRIVATE KEY-----"].join("\n");
      assert.ok(["private", "invalid", "unsupported", "encrypted"].includes(parsePrivateKey(text).kind));
    }),
    { numRuns: 500 },
  );
});
