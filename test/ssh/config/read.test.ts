import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isSecure, localFiles } from "../../../src/ssh/config/read.js";

const uid = process.getuid?.() ?? 0;
const files = localFiles(uid);
let root = "";

before(async () => {
  root = await mkdtemp(join(tmpdir(), "allsmi-ssh-read-"));
  for (const directory of ["d", "d/sub"]) await mkdir(join(root, directory));
  for (const name of ["d/b.conf", "d/a.conf", "d/B.conf", "d/.hidden.conf", "d/star*.txt", "d/sub/x.conf"]) {
    await writeFile(join(root, name), name, { mode: 0o600 });
  }
  await symlink("nowhere", join(root, "d/dangling.conf"));
});
after(async () => {
  await rm(root, { recursive: true, force: true });
});

describe("glob", () => {
  for (const [pattern, expected] of [
    ["d/*.conf", ["d/B.conf", "d/a.conf", "d/b.conf", "d/dangling.conf"]],
    ["d/.*.conf", ["d/.hidden.conf"]],
    ["d/[ab].conf", ["d/a.conf", "d/b.conf"]],
    ["d/[!a].conf", ["d/B.conf", "d/b.conf"]],
    ["d/[a-b].c?nf", ["d/a.conf", "d/b.conf"]],
    ["d/star\\*.txt", ["d/star*.txt"]],
    ["d/[", []],
    ["*/*/x.conf", ["d/sub/x.conf"]],
    ["d/a.conf", ["d/a.conf"]],
    ["nope/*.conf", []],
    ["d/a.conf/*", []],
  ] as const) {
    test(pattern, async () => {
      const found = await files.glob(join(root, pattern));
      assert.deepEqual(
        found,
        expected.map((path) => join(root, path)),
      );
    });
  }
});

describe("reading", () => {
  test("a file, a directory, and what is not there", async () => {
    assert.deepEqual(await files.read(join(root, "d/a.conf"), true), { kind: "text", text: "d/a.conf" });
    assert.deepEqual(await files.read(join(root, "d"), false), { kind: "text", text: "" });
    assert.deepEqual(await files.read(join(root, "d/dangling.conf"), false), { kind: "missing" });
    assert.equal((await files.read(join(root, "d/a.conf/x"), false)).kind, "unreadable");
  });

  test("permissions are looked at only when asked", async () => {
    const path = join(root, "d/b.conf");
    await chmod(path, 0o602);
    assert.deepEqual(await files.read(path, true), { kind: "insecure" });
    assert.equal((await files.read(path, false)).kind, "text");
  });
});

describe("a secure file", () => {
  for (const [owner, mode, expected] of [
    [1000, 0o600, true],
    [1000, 0o644, true],
    [0, 0o644, true],
    [1001, 0o600, false],
    [1000, 0o602, false],
    [1000, 0o646, false],
    [0, 0o777, false],
  ] as const) {
    test(`owner ${owner}, mode ${mode.toString(8)}, read by 1000`, () => {
      assert.equal(isSecure({ uid: owner, gid: 987_654, mode }, 1000), expected);
    });
  }

  test("writable by a group that nobody knows", () => {
    assert.equal(isSecure({ uid: 1000, gid: 987_654, mode: 0o660 }, 1000), false);
  });
});
