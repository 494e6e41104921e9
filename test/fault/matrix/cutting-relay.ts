/** A TCP relay that changes what passes: holds it back, loses, doubles, swaps or spoils pieces, or delays them. */
import { connect, createServer, type Socket } from "node:net";

export type Way = "to server" | "to client";
/** What becomes of a piece: the pieces that are sent in its place. */
export type Change = (piece: Buffer, way: Way) => readonly Buffer[];

export interface CuttingRelay {
  readonly port: number;
  /** Changes each piece from now on; null: none. */
  change(change: Change | null): void;
  /** Holds back every piece of these ways; what was held is sent by `release`. */
  hold(...ways: readonly Way[]): void;
  release(): void;
  /** Every piece takes so long. */
  delay(ms: () => number): void;
  reset(): void;
  /** The server's end of every connection, as if it had hung up. */
  finish(): void;
  stop(): Promise<void>;
}

export function startCuttingRelay(port: number): Promise<CuttingRelay> {
  const sockets = new Set<Socket>();
  const clients = new Set<Socket>();
  let change: Change | null = null;
  let held = new Set<Way>();
  let delayMs: () => number = () => 0;
  let waiting: (() => void)[] = [];
  const carry = (from: Socket, to: Socket, way: Way): void => {
    let lastMs = 0;
    const send = (piece: Buffer): void => {
      if (to.writable) to.write(piece);
    };
    from.on("data", (chunk: Buffer) => {
      const pieces = change === null ? [chunk] : change(chunk, way);
      const pass = (): void => pieces.forEach(send);
      if (held.has(way)) {
        waiting.push(pass);
        return;
      }
      const wait = delayMs();
      if (wait === 0) {
        pass();
        return;
      }
      // In their order: TCP delivers late pieces so.
      lastMs = Math.max(lastMs, performance.now() + wait);
      setTimeout(pass, lastMs - performance.now());
    });
    from.on("end", () => to.end());
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      clients.delete(from);
      to.destroy();
    });
    sockets.add(from);
  };
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port, host: "127.0.0.1", noDelay: true });
    clients.add(client);
    carry(client, upstream, "to server");
    carry(upstream, client, "to client");
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        change: (next) => (change = next),
        hold: (...ways) => (held = new Set(ways)),
        release: () => {
          held = new Set();
          for (const pass of waiting) pass();
          waiting = [];
        },
        delay: (ms) => (delayMs = ms),
        reset: () => sockets.forEach((socket) => socket.resetAndDestroy()),
        finish: () => clients.forEach((client) => client.end()),
        stop: () => {
          sockets.forEach((socket) => socket.destroy());
          return new Promise((done) => server.close(() => done()));
        },
      });
    });
  });
}
