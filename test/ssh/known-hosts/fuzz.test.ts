/** Contracts that hold for any text: nothing is thrown, nothing hangs, and the few rules that verdicts rest on. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { matchPattern } from "../../../src/lib/wildcard.js";
import { readPublicKey, ShortKeyError } from "../../../src/ssh/keys/public-key.js";
import { WireError } from "../../../src/ssh/keys/wire.js";
import { knownHostsLines } from "../../../src/ssh/known-hosts/append.js";
import { hashName, isHashOf, readHashedName } from "../../../src/ssh/known-hosts/entry-names.js";
import { nameHasher, prepareHash } from "../../../src/ssh/known-hosts/fast/hashed-search.js";
import { KnownIndex } from "../../../src/ssh/known-hosts/fast/known-index.js";
import type { HostKeyVerdict } from "../../../src/ssh/known-hosts/host-key.js";
import { knownTypes } from "../../../src/ssh/known-hosts/key-types.js";
import { KnownList } from "../../../src/ssh/known-hosts/lookup.js";
import { parseKnownHosts } from "../../../src/ssh/known-hosts/parse.js";
import { indexRevokedKeys, readKrl } from "../../../src/ssh/known-hosts/revoked.js";
import { judgeHostKey } from "../../../src/ssh/known-hosts/verdict.js";
import { makeTempDir } from "../../support/temp-dir.js";
import { namesOf, testKey } from "./test-keys.js";
import { propertyRuns } from "../../support/property-runs.js";

const temp = makeTempDir("known-hosts-fuzz");
after(() => temp.remove());
const keygen = spawnSync("ssh-keygen", ["-?"]).error === undefined;

const HOST = "gpu-1.example";
const names = namesOf(HOST);
const key = testKey(0);
const keyText = (seed: number): string => `ssh-ed25519 ${testKey(seed).blob.toString("base64")}`;

/** Pieces of which near misses of entries are made. */
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(" ", "\t", "\n", "\r\n", "#", ",", "!", "*", "?", "|", "|1|", "@", "\0", "="),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(HOST, "*.example", "[gpu-1.example]:22", "@revoked", "@cert-authority"),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "1024 35 12345", "AAAA"),
  },
  { weight: 3, arbitrary: fc.nat(3).map(keyText) },
  { weight: 2, arbitrary: fc.constantFrom(HOST, "x").map((name) => hashName(name, Buffer.alloc(20, name))) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 8 }) },
);
const pieces = fc.array(piece, { maxLength: 24 }).map((all) => all.join(""));
/** Some begin with an entry that is right, or has another key, so that each verdict is met in few runs. */
const anyText = fc.oneof(
  { weight: 18, arbitrary: pieces },
  { weight: 1, arbitrary: pieces.map((text) => `${HOST} ${keyText(0)}\n${text}`) },
  { weight: 1, arbitrary: pieces.map((text) => `${HOST} ${keyText(1)}\n${text}`) },
);

function judge(text: string): HostKeyVerdict {
  const index = new KnownIndex();
  index.add(parseKnownHosts(Buffer.from(text).toString("latin1"), "known_hosts"));
  knownTypes((name) => index.lookup(name), names);
  return judgeHostKey((name) => index.lookup(name), names, readPublicKey(key.blob), 0);
}

test("any text is parsed, looked up and judged without a throw (100,000 cases)", () => {
  const kinds = new Set<string>();
  fc.assert(
    fc.property(anyText, (text) => {
      kinds.add(judge(text).kind);
    }),
    { numRuns: propertyRuns(20_000) },
  );
  assert.ok(kinds.has("unknown") && kinds.has("match") && kinds.has("changed"), [...kinds].join(" "));
});

test("any revocation list answers without a throw (10,000 cases)", () => {
  const parsed = readPublicKey(key.blob);
  fc.assert(
    fc.property(anyText, (text) => {
      const { kind } = indexRevokedKeys(text, "revoked")(parsed);
      assert.ok(["clear", "revoked", "revocation-unreadable"].includes(kind));
    }),
    { numRuns: propertyRuns(2_000) },
  );
});

test("any blob or KRL is read or refused with our own errors (10,000 cases)", () => {
  const ours = (error: unknown): boolean => error instanceof WireError || error instanceof ShortKeyError;
  const header = Buffer.from("5353484b524c0a0000000001".padEnd(72, "0") + "0000000000000000", "hex");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(60), (noise, at) => {
      for (const read of [
        () => readPublicKey(Buffer.from(noise)),
        () => readPublicKey(Buffer.concat([key.blob.subarray(0, at), noise])),
        () => readKrl(Buffer.concat([header.subarray(0, at), noise])),
        () => readKrl(Buffer.concat([header, noise])),
      ]) {
        try {
          read();
        } catch (error) {
          assert.ok(ours(error), String(error));
        }
      }
    }),
    { numRuns: propertyRuns(2_000) },
  );
});

const line = fc.oneof(
  fc.nat(3).map((seed) => `${HOST} ${keyText(seed)}`),
  fc.nat(3).map((seed) => `*.example,!other.example ${keyText(seed)}`),
  fc.nat(3).map((seed) => `${hashName(HOST, Buffer.alloc(20, seed))} ${keyText(seed)}`),
  fc.nat(3).map((seed) => `other.example ${keyText(seed)}`),
  fc.nat(3).map((seed) => `@cert-authority * ${keyText(seed)}`),
  fc.constantFrom("# comment", "", "garbage", `${HOST} 1024 35 123`),
);
const file = fc.array(line, { maxLength: 8 });

test("revoked wins under any order of lines", () => {
  fc.assert(
    fc.property(file, fc.nat(8), fc.constantFrom(HOST, "*", hashName(HOST)), (lines, at, revoked) => {
      const text = lines.toSpliced(at, 0, `@revoked ${revoked} ${keyText(0)}`).join("\n");
      assert.equal(judge(text).kind, "revoked");
    }),
    { numRuns: propertyRuns(500) },
  );
});

test("comments, carriage returns and blanks never change a verdict", () => {
  const comment = fc.string({ unit: "grapheme-ascii" });
  fc.assert(
    fc.property(
      file,
      comment,
      fc.constantFrom("\n", "\r\n"),
      fc.constantFrom(" ", "\t", "  "),
      (lines, remark, end, blank) => {
        const bare = lines.map((text) => (text.includes(" ssh-") ? text : ""));
        const odd = bare.map((text) => (text === "" ? `#${remark}` : `${blank}${text}${blank}${remark}`));
        assert.deepEqual(judge(odd.join(end)), judge(bare.join("\n")));
      },
    ),
    { numRuns: propertyRuns(500) },
  );
});

test("the index finds the same lines as the list, whatever is asked and added in between", () => {
  const asked = fc.constantFrom(
    HOST,
    HOST.toUpperCase(),
    "other.example",
    "x",
    "",
    "a.example",
    "[gpu-1.example]:22",
  );
  const step = fc.record({
    text: fc.oneof(
      anyText,
      file.map((lines) => lines.join("\n")),
    ),
    names: fc.array(asked),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 4 }), (steps) => {
      const [index, list] = [new KnownIndex(), new KnownList()];
      let linesBefore = 0;
      for (const { text, names: wanted } of steps) {
        const entries = parseKnownHosts(Buffer.from(text).toString("latin1"), "known_hosts", linesBefore);
        linesBefore += text.split("\n").length;
        index.add(entries);
        list.add(entries);
        for (const name of wanted) assert.deepEqual(index.lookup(name), list.lookup(name));
      }
    }),
    { numRuns: propertyRuns(1_000) },
  );
});

test("a hashed name is the plain name", () => {
  fc.assert(
    fc.property(file, (lines) => {
      const hashed = lines.map((text) => text.replace(new RegExp(`^${HOST}`), () => hashName(HOST)));
      assert.deepEqual(judge(hashed.join("\n")), judge(lines.join("\n")));
    }),
    { numRuns: propertyRuns(300) },
  );
});

test("a hashed name matches its own name and no other, by the plain and by the fast code", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary-ascii", maxLength: 200 }),
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      (name, salt) => {
        const digest = createHmac("sha1", salt).update(name).digest("base64");
        const field = `|1|${Buffer.from(salt).toString("base64")}|${digest}`;
        const hashed = readHashedName(field);
        assert.ok(hashed !== null);
        assert.equal(hashName(name, Buffer.from(salt)), field);
        assert.ok(isHashOf(hashed, name));
        assert.ok(!isHashOf(hashed, `${name}x`));
        assert.ok(nameHasher(name)(prepareHash(hashed)));
        assert.ok(!nameHasher(`${name}x`)(prepareHash(hashed)));
      },
    ),
    { numRuns: propertyRuns(500) },
  );
});

test("globs match as the same regular expression does", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 12 });
  const glob = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "?"), maxLength: 8 });
  fc.assert(
    fc.property(text, glob, (host, pattern) => {
      const source = pattern.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");
      assert.equal(matchPattern(host, pattern), new RegExp(`^${source}$`, "s").test(host));
    }),
    { numRuns: propertyRuns(1_000) },
  );
});

test("a glob with many stars is matched quickly", () => {
  assert.equal(matchPattern("a".repeat(2_000), `${"*a".repeat(500)}*b`), false);
});

test(
  "a line that we write is found by us and by ssh-keygen",
  { skip: keygen ? false : "no ssh-keygen" },
  (t) => {
    const hostname = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/);
    const written = fc.sample(fc.tuple(hostname, fc.constantFrom(22, 2222), fc.boolean()), {
      numRuns: 60,
      seed: 1,
    });
    const added = written.map(([name, port, hash], i) => ({
      names: namesOf(name, port),
      hash,
      key: testKey(i),
    }));
    const path = join(temp.path, "written");
    const text = added
      .map((one) => knownHostsLines([one.names.name], "ssh-ed25519", one.key.blob, one.hash))
      .join("");
    writeFileSync(path, text);
    const index = new KnownIndex();
    index.add(parseKnownHosts(text, path));
    for (const [i, one] of added.entries()) {
      const lines = index.lookup(one.names.name).map(({ at }) => at.line);
      assert.ok(lines.includes(i + 1), one.names.name);
      const { stdout } = spawnSync("ssh-keygen", ["-l", "-F", one.names.name, "-f", path], {
        encoding: "utf8",
      });
      assert.deepEqual(
        [...stdout.matchAll(/found: line (\d+)/g)].map(([, n]) => Number(n)),
        lines,
      );
    }
    t.diagnostic(`${added.length} written lines found by both`);
  },
);
