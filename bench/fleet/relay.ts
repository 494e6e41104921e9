/** A TCP relay that holds every byte back, in order, and counts what both sides send. The TCP handshake passes undelayed. */
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

export interface DelayRelay {
  readonly port: number;
  /** When the first connection was accepted, or NaN. */
  openedAtMs(): number;
  /** Chunks and bytes that came from clients: without a pause between them two writes may arrive as one chunk. */
  sent(): { readonly writes: number; readonly bytes: number };
  /** Chunks that came from the server, in the same way. */
  answered(): number;
  stop(): Promise<void>;
}

/** Relays to `address`:`port` with `delayMs` each way. */
export function startDelayRelay(address: string, port: number, delayMs: number): Promise<DelayRelay> {
  const sockets = new Set<Socket>();
  let openedAtMs = NaN;
  let writes = 0;
  let bytes = 0;
  let answers = 0;
  const carry = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on("data", (chunk: Buffer) => {
      if (delayMs === 0) to.write(chunk);
      else setTimeout(() => to.write(chunk), delayMs);
    });
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      setTimeout(() => to.destroy(), delayMs);
    });
  };
  const server = createServer({ noDelay: true }, (client) => {
    if (Number.isNaN(openedAtMs)) openedAtMs = performance.timeOrigin + performance.now();
    client.on("data", (chunk: Buffer) => {
      writes += 1;
      bytes += chunk.length;
    });
    const upstream = connect({ host: address, port, noDelay: true });
    upstream.on("data", () => (answers += 1));
    carry(client, upstream);
    carry(upstream, client);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const bound = server.address();
      resolve({
        port: typeof bound === "object" && bound !== null ? bound.port : 0,
        openedAtMs: () => openedAtMs,
        sent: () => ({ writes, bytes }),
        answered: () => answers,
        stop: () => {
          for (const socket of sockets) socket.destroy();
          return new Promise((done) => server.close(() => done()));
        },
      });
    });
  });
}

/** The round trip through a relay of this delay as it comes out, timers included. */
export async function roundTripMs(delayMs: number): Promise<number> {
  const echo = createServer(
    { noDelay: true },
    (socket) => void socket.pipe(socket).on("error", () => undefined),
  );
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  const bound = echo.address();
  const relay = await startDelayRelay(
    "127.0.0.1",
    typeof bound === "object" && bound !== null ? bound.port : 0,
    delayMs,
  );
  const socket = connect({ host: "127.0.0.1", port: relay.port, noDelay: true });
  const times: number[] = [];
  for (let round = 0; round < 10; round++) {
    const begun = performance.now();
    const back = new Promise((resolve) => socket.once("data", resolve));
    socket.write("x");
    await back;
    times.push(performance.now() - begun);
  }
  socket.destroy();
  await relay.stop();
  await new Promise((resolve) => echo.close(resolve));
  return times.sort((a, b) => a - b)[5] ?? NaN;
}
