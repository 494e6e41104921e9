/** Servers that are not SSH, or stop being it: each shows one fault. */
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { closedPort } from "../../support/free-port.js";

const BEHAVIOURS = {
  silent: () => undefined,
  http: (socket: Socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
  },
  "closes at once": (socket: Socket) => socket.end(),
  "resets at once": (socket: Socket) => socket.resetAndDestroy(),
  "banner then close": (socket: Socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"),
  "banner then silence": (socket: Socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"),
  "banner then garbage": (socket: Socket) => {
    socket.write("SSH-2.0-OpenSSH_9.2\r\n");
    socket.write(Buffer.alloc(4096, 0xff));
  },
  "ssh 1": (socket: Socket) => socket.end("SSH-1.5-Old\r\n"),
  "a greeting first, then close": (socket: Socket) => socket.end("Welcome to a mail server\r\n"),
} as const;

export type FakeName = keyof typeof BEHAVIOURS | "closed port";

export interface Fakes {
  readonly ports: Readonly<Record<FakeName, number>>;
  stop(): Promise<void>;
}

/** Listens on 127.0.0.1, a port a fault. */
export async function startFakes(): Promise<Fakes> {
  const closers: (() => Promise<void>)[] = [];
  const ports: Partial<Record<FakeName, number>> = { "closed port": await closedPort() };
  for (const [name, behave] of Object.entries(BEHAVIOURS)) {
    const { server, close } = listening(behave);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no port");
    ports[name as FakeName] = address.port;
    closers.push(close);
  }
  return {
    ports: ports as Record<FakeName, number>,
    stop: async () => {
      await Promise.all(closers.map((close) => close()));
    },
  };
}

/** An agent that takes connections and never answers. */
export async function startHungAgent(
  socket: string,
): Promise<{ readonly socket: string; stop(): Promise<void> }> {
  const { server, close } = listening(() => undefined);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return { socket, stop: close };
}

function listening(behave: (socket: Socket) => unknown): { server: Server; close: () => Promise<void> } {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.resume();
    behave(socket);
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  return { server, close };
}
