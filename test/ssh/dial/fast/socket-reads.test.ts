import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import test from "node:test";
import type { TestContext } from "node:test";
import fc from "fast-check";
import { readsOf } from "../../../../src/ssh/dial/fast/socket-reads.js";
import { waitFor } from "../../../support/processes.js";

/** A socket, with the fast reads or Node's own, and its peer. */
async function pair(
  t: TestContext,
  isFast = true,
): Promise<{ readonly socket: Socket; readonly peer: Socket }> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket: Socket = connect({
    host: "127.0.0.1",
    port,
    ...(isFast ? { onread: readsOf(() => socket) } : {}),
  });
  const [peer] = (await once(server, "connection")) as [Socket];
  t.after(() => {
    socket.destroy();
    peer.destroy();
    server.close();
  });
  return { socket, peer };
}

/** Bytes that show their position. */
function numbered(length: number, first: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (first + index) % 251));
}

test("a socket emits the bytes that it would emit without, whatever other sockets read", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 40_000 })), { minLength: 1, maxLength: 12 }),
      async (writes) => {
        const pairs = await Promise.all([pair(t), pair(t, false), pair(t)]);
        const kept = pairs.map(({ socket }) => {
          const chunks: Buffer[] = [];
          socket.on("data", (chunk: Buffer) => chunks.push(chunk));
          return chunks;
        });
        const sent = pairs.map(() => 0);
        for (const [which, length] of writes) {
          pairs[which]?.peer.write(numbered(length, sent[which] ?? 0));
          sent[which] = (sent[which] ?? 0) + length;
        }
        for (const [which, chunks] of kept.entries()) {
          const all = (): Buffer => Buffer.concat(chunks);
          await waitFor("all that was sent", () => all().length === sent[which]);
          assert.ok(all().equals(numbered(sent[which] ?? 0, 0)));
        }
        for (const { socket, peer } of pairs) {
          socket.destroy();
          peer.destroy();
        }
      },
    ),
    { numRuns: 20 },
  );
});

test("a paused socket reads on where it stopped, what was put back first", async (t) => {
  const { socket, peer } = await pair(t);
  peer.write("first");
  const [first] = (await once(socket, "data")) as [Buffer];
  socket.pause();
  peer.write(", second");
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.unshift(first);
  let received = "";
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(received, "");
  socket.resume();
  await waitFor("all of it", () => received === "first, second");
});

test("what comes before there is a listener waits in the stream", async (t) => {
  const { socket, peer } = await pair(t);
  peer.write("the first ");
  await waitFor("the bytes", () => socket.bytesRead === 10);
  peer.write("bytes");
  await waitFor("all bytes", () => socket.bytesRead === 15);
  let received = "";
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  await waitFor("all of it", () => received === "the first bytes");
});

test("the peer's end comes after its last bytes", async (t) => {
  const { socket, peer } = await pair(t);
  let received = "";
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  peer.end("the last bytes");
  await once(socket, "end");
  assert.equal(received, "the last bytes");
});

test("after the handshake a small read needs no memory of its own", async (t) => {
  const { socket, peer } = await pair(t);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  peer.write(numbered(20_000, 0));
  await waitFor("the beginning", () => Buffer.concat(chunks).length === 20_000);
  const answer = async (): Promise<void> => {
    const before = chunks.length;
    peer.write(numbered(1000, 0));
    await waitFor("an answer", () => chunks.length === before + 1);
  };
  // Up to the first of a new piece of memory: of an older one earlier reads may have left too little.
  chunks.length = 0;
  do await answer();
  while (chunks.at(-1)?.buffer === chunks[0]?.buffer && chunks.length < 100);
  assert.ok(chunks.length < 100, "a piece has an end");
  chunks.splice(0, chunks.length - 1);
  for (let count = 1; count <= 5; count++) await answer();
  assert.equal(new Set(chunks.map(({ buffer }) => buffer)).size, 1);
});
