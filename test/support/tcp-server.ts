/** TCP servers that are no SSH servers, or bad ones. */
import { createServer } from "node:net";
import type { Socket } from "node:net";

export interface TcpServer {
  readonly port: number;
  /** Connections that are open now. */
  open(): number;
  /** Connections that were ever made. */
  accepted(): number;
  stop(): Promise<void>;
}

/** Listens on 127.0.0.1 and hands every connection to `behave`. */
export function startTcpServer(behave: (socket: Socket) => void): Promise<TcpServer> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("end", () => socket.end());
    behave(socket);
    socket.resume();
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        open: () => sockets.size,
        accepted: () => accepted,
        stop: () => {
          for (const socket of sockets) socket.destroy();
          return new Promise((done) => server.close(() => done()));
        },
      });
    });
  });
}
