/** A TCP relay on loopback that holds bytes back, counts what passes, and can cut a connection. */
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

export interface Relay {
  readonly port: number;
  /** Chunks that came from the client: with no delay in between, one a socket write. */
  clientWrites(): number;
  clientBytes(): number;
  /** Resets every connection on both sides. */
  reset(): void;
  stop(): Promise<void>;
}

/** Relays to 127.0.0.1:`port`; each byte, and the opening of a connection, takes `delayMs` each way. */
export function startRelay(port: number, delayMs = 0): Promise<Relay> {
  const sockets = new Set<Socket>();
  let clientWrites = 0;
  let clientBytes = 0;
  const later = (act: () => void): void => {
    if (delayMs === 0) act();
    else setTimeout(act, delayMs);
  };
  const carry = (from: Socket, to: Socket): void => {
    from.on("data", (chunk: Buffer) =>
      later(() => {
        if (to.writable) to.write(chunk);
      }),
    );
    from.on("end", () =>
      later(() => {
        to.end();
      }),
    );
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      later(() => {
        to.destroy();
      });
    });
    sockets.add(from);
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
    client.on("data", (chunk: Buffer) => {
      clientWrites += 1;
      clientBytes += chunk.length;
    });
    client.pause();
    const upstream = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    carry(client, upstream);
    carry(upstream, client);
    client.resume();
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        clientWrites: () => clientWrites,
        clientBytes: () => clientBytes,
        reset: () => {
          for (const socket of sockets) socket.resetAndDestroy();
        },
        stop: () => {
          for (const socket of sockets) socket.destroy();
          return new Promise((done) => server.close(() => done()));
        },
      });
    });
  });
}
