/** The cache returns what a fresh read returns, before and after a file changes. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { KeyCache } from "../../../src/ssh/auth/fast/key-cache.js";
import { readKeyFile, type KeyFile } from "../../../src/ssh/auth/key-file.js";
import { FakeClock } from "../../support/fake-clock.js";
import { makeTempDir } from "../../support/temp-dir.js";

const temp = makeTempDir("key-cache");
after(() => temp.remove());

const FRESH_MS = 5_000;

test("the cache and a fresh read agree, whatever happens to the file", async () => {
  const clock = new FakeClock();
  const cache = new KeyCache(clock);
  const path = join(temp.path, "id");
  const writeKey = (): void => {
    const { privateKey } = generateKeyPairSync("ed25519");
    writeFileSync(path, privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  };
  const changes: readonly (readonly [KeyFile["kind"], () => void])[] = [
    ["missing", () => undefined],
    ["usable", writeKey],
    ["unusable", () => chmodSync(path, 0o644)],
    ["usable", () => chmodSync(path, 0o600)],
    ["usable", writeKey],
    ["unusable", () => writeFileSync(path, "no key\n")],
    ["missing", () => rmSync(path)],
  ];
  for (const [kind, change] of changes) {
    change();
    await clock.advance(FRESH_MS);
    const plain = await readKeyFile(path);
    assert.equal(plain.kind, kind);
    assert.deepEqual(summary(await cache.load(path)), summary(plain));
    assert.equal(cache.load(path), cache.load(path), "no second read while fresh");
  }
});

function summary(file: KeyFile): unknown {
  return file.kind === "usable" ? { ...file, key: file.key.export({ format: "jwk" }) } : file;
}
