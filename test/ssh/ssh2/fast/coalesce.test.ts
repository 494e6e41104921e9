import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import test from "node:test";
import fc from "fast-check";
import { coalesceWrites } from "../../../../src/ssh/ssh2/fast/coalesce.js";

interface Recorded {
  readonly stream: Duplex;
  /** What each write of the underlying socket had. */
  readonly writes: Buffer[];
}

function record(): Recorded {
  const writes: Buffer[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      writes.push(chunk);
      done();
    },
    writev(chunks, done) {
      writes.push(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)));
      done();
    },
  });
  return { stream, writes };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("the same bytes are written, by one write a turn of the event loop", async () => {
  const turns = fc.array(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1 }), {
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(turns, async (all) => {
      const [plain, fast] = [record(), record()];
      coalesceWrites(fast.stream);
      for (const chunks of all) {
        for (const { stream } of [plain, fast]) for (const chunk of chunks) stream.write(Buffer.from(chunk));
        await turn();
      }
      assert.deepEqual(Buffer.concat(fast.writes), Buffer.concat(plain.writes));
      assert.equal(fast.writes.length, all.length);
    }),
    { numRuns: 50 },
  );
});
