/** Texts and their bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isAscii, viewOf } from "../../src/lib/bytes.js";

test("a text is ASCII when each character is one byte", () => {
  for (const text of ["", "H100, 80 GiB\n", "\u007f"]) assert.equal(isAscii(text), true, text);
  for (const text of ["\u0080", "é", "日本", "\ud800"]) assert.equal(isAscii(text), false, text);
});

test("a view is of the same memory, wherever in its buffer it begins", () => {
  const bytes = Buffer.from("abcdefgh").subarray(2, 6);
  const view = viewOf(bytes);
  assert.equal(view.byteLength, 4);
  assert.equal(view.getUint8(0), 0x63);
  view.setUint8(3, 0x21);
  assert.equal(bytes.toString(), "cde!");
});
