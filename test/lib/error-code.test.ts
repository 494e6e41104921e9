/** What is printed of a failed system call. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { failureReason } from "../../src/lib/error-code.js";

test("a file that cannot be read: the system's reason and code, without the path again", () => {
  const reasonFor = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      return failureReason(error);
    }
  };
  assert.equal(reasonFor("/dev/null/it's, open 'x'"), "not a directory (ENOTDIR)");
  assert.equal(reasonFor("no-such-file"), "no such file or directory (ENOENT)");
  assert.match(reasonFor("/"), /^illegal operation on a directory \(EISDIR\)$/);
});

test("another error keeps its message", () => {
  assert.equal(failureReason(new Error("the file is longer than 1 MiB")), "the file is longer than 1 MiB");
  assert.equal(failureReason("a text"), "a text");
});
