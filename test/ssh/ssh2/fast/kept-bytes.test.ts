import assert from "node:assert/strict";
import test from "node:test";
import { leavePool, sharedCopy } from "../../../../src/ssh/ssh2/fast/kept-bytes.js";

const small = (text: string): Buffer => Buffer.from(text);

test("equal bytes are one buffer, with memory of its own", () => {
  const first = sharedCopy(small("SSH-2.0-OpenSSH_9.2"));
  assert.equal(sharedCopy(small("SSH-2.0-OpenSSH_9.2")), first);
  assert.notEqual(sharedCopy(small("SSH-2.0-dropbear")), first);
  assert.equal(first.toString(), "SSH-2.0-OpenSSH_9.2");
  assert.equal(first.buffer.byteLength, first.length);
});

test("a server that sends a new text each time does not fill the memory", () => {
  const first = sharedCopy(small("SSH-2.0-one"));
  for (let nth = 0; nth < 200; nth++) sharedCopy(small(`SSH-2.0-${nth}`));
  assert.notEqual(sharedCopy(small("SSH-2.0-one")), first);
});

test("an object's buffers leave the pool with what is in them", () => {
  const large = Buffer.alloc(3, 1);
  const decipher = { tag: Buffer.allocUnsafe(16).fill(7), large, length: 16, packet: null };
  assert.equal(decipher.tag.buffer.byteLength, Buffer.poolSize);
  leavePool(decipher);
  assert.deepEqual(decipher.tag, Buffer.alloc(16, 7));
  assert.equal(decipher.tag.buffer.byteLength, 16);
  assert.equal(decipher.large, large);
  leavePool(undefined);
});
