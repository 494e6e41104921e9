import assert from "node:assert/strict";
import test from "node:test";
import { sameKeyAtRekey } from "../../../src/ssh/ssh2/host-key-check.js";

test("at a rekey the key must be the one that was accepted, and is not judged again", () => {
  const judged: string[] = [];
  const verify = sameKeyAtRekey((blob) => judged.push(blob.toString()) > 1);
  assert.equal(verify(Buffer.from("refused")), false);
  assert.equal(verify(Buffer.from("taken")), true);
  assert.equal(verify(Buffer.from("taken")), true);
  assert.equal(verify(Buffer.from("refused")), false);
  assert.deepEqual(judged, ["refused", "taken"]);
});
