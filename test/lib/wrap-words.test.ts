import assert from "node:assert/strict";
import { test } from "node:test";
import { wrapMessage } from "../../src/lib/wrap-words.js";

test("a message is wrapped between words, with less space on its first line", () => {
  assert.equal(wrapMessage("one two three four", 10, 4), "one\ntwo three\nfour");
  assert.equal(wrapMessage("one two", 80, 12), "one two");
  assert.equal(wrapMessage("", 80, 12), "");
});

test("no word is cut, and lines below stay whole", () => {
  const command = `  ssh-copy-id -i ${"x".repeat(30)}`;
  assert.equal(
    wrapMessage(`a ${"y".repeat(12)} b\n${command}`, 10, 0),
    `a\n${"y".repeat(12)}\nb\n${command}`,
  );
});
