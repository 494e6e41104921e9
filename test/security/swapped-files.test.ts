/**
 * Whoever may write to the folder of --output or known_hosts swaps the file for a link while we run. What was opened is
 * what is written: the file behind the link is never touched, and no line is torn.
 */
import assert from "node:assert/strict";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { fileOutput } from "../../src/format/output.js";
import { replacedFile } from "../../src/format/replaced-file.js";
import { KnownIndex } from "../../src/ssh/known-hosts/fast/known-index.js";
import { KnownHostsStore } from "../../src/ssh/known-hosts/known-hosts.js";
import { namesOf, testKey } from "../ssh/known-hosts/test-keys.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("swapped");
after(() => temp.remove());

let made = 0;
let path = "";
let victim = "";

beforeEach(() => {
  const dir = join(temp.path, String(++made));
  mkdirSync(dir);
  path = join(dir, "file");
  victim = join(dir, "victim");
});

const METRICS = "# TYPE allsmi_up gauge\nallsmi_up 1\n";

/** Takes the file's place in one step, as an attacker does. */
function swapForLink(make: (from: string, to: string) => void): void {
  make(victim, `${path}.new`);
  renameSync(`${path}.new`, path);
}

for (const [kind, make] of [
  ["a symbolic link", symlinkSync],
  ["a hard link", linkSync],
] as const) {
  describe(`swapped for ${kind}`, () => {
    test("a file that is appended to: lines go on in the file that was opened", async () => {
      writeFileSync(victim, "secret\n");
      const output = await fileOutput(path);
      await output.write("one\n");
      renameSync(path, `${path}.old`);
      make(victim, path);
      await output.write("two\n");
      await output.close();
      assert.equal(readFileSync(victim, "utf8"), "secret\n");
      assert.equal(readFileSync(`${path}.old`, "utf8"), "one\ntwo\n");
    });

    test("a file that is replaced: the link is replaced, and the file behind it stays", async () => {
      writeFileSync(victim, METRICS);
      const output = await replacedFile(path);
      await output.write("# TYPE a gauge\na 1\n");
      swapForLink(make);
      await output.write("# TYPE a gauge\na 2\n");
      await output.close();
      assert.equal(readFileSync(victim, "utf8"), METRICS);
      assert.equal(readFileSync(path, "utf8"), "# TYPE a gauge\na 2\n");
      assert.ok(!lstatSync(path).isSymbolicLink());
    });

    test("the name that a text is written under first: never written through", async () => {
      writeFileSync(victim, "secret\n");
      const output = await replacedFile(path);
      make(victim, `${path}.${process.pid}.tmp`);
      await output.write(METRICS);
      await output.close();
      assert.equal(readFileSync(victim, "utf8"), "secret\n");
      assert.equal(readFileSync(path, "utf8"), METRICS);
    });

    test("known_hosts, between and during its writes: whole lines, in the one file or the other", async () => {
      const known = new KnownHostsStore(() => new KnownIndex(), "/nowhere/.ssh").open({
        userFiles: [path],
        globalFiles: [],
        revokedFiles: [],
      });
      writeFileSync(path, "");
      writeFileSync(victim, "");
      const first = `${path}.first`;
      renameSync(path, first);
      make(first, path);
      const writes: Promise<unknown>[] = [];
      for (let host = 0; host < 40; host++) {
        writes.push(known.remember(namesOf(`gpu-${host}.example`), testKey(host), { hash: false }));
        unlinkSync(path);
        make(host % 2 === 0 ? victim : first, path);
      }
      await Promise.all(writes);
      const lines = [first, victim].flatMap((file) => readFileSync(file, "utf8").split("\n").slice(0, -1));
      assert.equal(lines.length, 40);
      for (const line of lines) assert.match(line, /^gpu-\d+\.example ssh-ed25519 [A-Za-z0-9+/=]+$/);
      assert.equal(new Set(lines).size, 40);
    });
  });
}

test("a link that leads nowhere is no way to make a file for somebody: --output makes it as a shell would", async () => {
  symlinkSync(victim, path);
  const output = await fileOutput(path);
  await output.write("one\n");
  await output.close();
  // The kernel refuses it in shared folders (proc(5), protected_symlinks); elsewhere the operator made the link.
  assert.ok(existsSync(victim));
  assert.ok(lstatSync(path).isSymbolicLink());
});
