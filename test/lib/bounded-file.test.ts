/** Files that never end or never begin are errors in bounded time and memory; pipes and large files are read whole. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { readFileBounded, readFileBoundedSync } from "../../src/lib/bounded-file.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("bounded");
after(() => temp.remove());

function fifo(name: string): string {
  const path = join(temp.path, name);
  execFileSync("mkfifo", [path]);
  return path;
}

test("a regular file is read whole, and one above the bound is EFBIG", async () => {
  const path = join(temp.path, "file");
  writeFileSync(path, "x".repeat(200_000));
  assert.equal(readFileBoundedSync(path, 200_000).bytes.length, 200_000);
  assert.equal((await readFileBounded(path, 200_000)).bytes.length, 200_000);
  assert.throws(() => readFileBoundedSync(path, 199_999), { code: "EFBIG" });
  await assert.rejects(readFileBounded(path, 199_999), { code: "EFBIG" });
  writeFileSync(path, "");
  assert.equal(readFileBoundedSync(path, 10).bytes.length, 0);
});

test("a device that never ends is EFBIG, and /dev/null is empty", async () => {
  for (const device of ["/dev/zero", "/dev/full"]) {
    assert.throws(() => readFileBoundedSync(device, 1_000_000), { code: "EFBIG" });
    await assert.rejects(readFileBounded(device, 1_000_000), { code: "EFBIG" });
  }
  assert.equal(readFileBoundedSync("/dev/null", 10).bytes.length, 0);
});

test("missing files and folders are the system's errors", async () => {
  mkdirSync(join(temp.path, "folder"));
  assert.throws(() => readFileBoundedSync(join(temp.path, "none"), 10), { code: "ENOENT" });
  assert.throws(() => readFileBoundedSync(join(temp.path, "folder"), 10_000), { code: "EISDIR" });
  await assert.rejects(readFileBounded(join(temp.path, "folder"), 10_000), { code: "EISDIR" });
});

test("a pipe is read to the end of its writer, however late that is; one without a writer times out", async () => {
  const slow = fifo("slow");
  const script = `sleep 0.3; { printf one; sleep 0.2; printf two; } > ${slow}`;
  const children = [spawn("sh", ["-c", script]), spawn("sh", ["-c", `sleep 1.2; ${script}`])];
  const ended = Promise.all(children.map((child) => new Promise((resolve) => child.once("exit", resolve))));
  assert.equal(readFileBoundedSync(slow, 100).bytes.toString(), "onetwo");
  assert.equal((await readFileBounded(slow, 100)).bytes.toString(), "onetwo");
  await ended;
  assert.throws(() => readFileBoundedSync(fifo("unwritten"), 100), { code: "ETIMEDOUT" });
});
