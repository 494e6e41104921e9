/** Binary revocation lists made by ssh-keygen -k, with ssh-keygen -Q as the oracle. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { readPublicKey } from "../../../src/ssh/keys/public-key.js";
import { readRevocationFile } from "../../../src/ssh/known-hosts/revoked.js";
import { makeKey } from "../../support/ssh-key.js";
import { makeTempDir } from "../../support/temp-dir.js";

const temp = makeTempDir("krl");
after(() => temp.remove());
const skip = spawnSync("ssh-keygen", ["-?"]).error === undefined ? false : "ssh-keygen is not installed";

test("a KRL revokes the keys that it revokes for ssh-keygen", { skip }, (t) => {
  const keys = (["ed25519", "ecdsa", "rsa"] as const).flatMap((type) =>
    [1, 2].map((i) => makeKey(join(temp.path, `${type}${i}`), { type })),
  );
  const [first, second, third, fourth, ...rest] = keys.map(({ publicLine }) => publicLine);
  const specs = {
    empty: "",
    explicit: `key: ${String(first)}\nkey: ${String(third)}\n`,
    hashes: `sha1: ${String(second)}\nsha256: ${String(fourth)}\n`,
    "all forms": `key: ${String(first)}\nsha1: ${String(second)}\nsha256: ${rest.join("\nkey: ")}\n`,
    certificates: `serial: 1-100\nid: host-a\nkey: ${String(first)}\n`,
  };
  let agreed = 0;
  for (const [name, spec] of Object.entries(specs)) {
    const [specFile, krl] = [join(temp.path, "spec"), join(temp.path, `${name}.krl`)];
    writeFileSync(specFile, spec);
    const authority = join(temp.path, "ed255191.pub");
    execFileSync("ssh-keygen", ["-q", "-k", "-f", krl, "-s", authority, specFile]);
    const file = readRevocationFile(krl);
    for (const key of keys) {
      const blob = Buffer.from(key.publicLine.split(" ")[1] ?? "", "base64");
      const revoked = spawnSync("ssh-keygen", ["-Q", "-f", krl, `${key.file}.pub`]).status !== 0;
      assert.equal(file(readPublicKey(blob)).kind, revoked ? "revoked" : "clear", `${name}: ${key.file}`);
      agreed++;
    }
  }
  t.diagnostic(`KRL: ${agreed} agree with ssh-keygen -Q`);
});

test("a broken or missing list lets no key through", { skip }, () => {
  const key = makeKey(join(temp.path, "one"));
  const blob = Buffer.from(key.publicLine.split(" ")[1] ?? "", "base64");
  const broken = join(temp.path, "broken.krl");
  writeFileSync(broken, "SSHKRL\n\0\0\0\0\x02");
  for (const [file, reason] of [
    [broken, /broken KRL/],
    [join(temp.path, "absent"), /ENOENT/],
    [temp.path, /EISDIR/],
  ] as const) {
    const check = readRevocationFile(file)(readPublicKey(blob));
    assert.equal(check.kind, "revocation-unreadable");
    assert.match("reason" in check ? check.reason : "", reason);
  }
});
