/** An agent between a client and a real one that takes its time: for a touch, a confirmation, or a slow way. */
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Agent } from "./agent.js";
import { makeTempDir } from "./temp-dir.js";

export interface SlowAgent {
  readonly socket: string;
  /** Requests to sign that came so far. */
  readonly signatures: () => number;
  stop(): Promise<void>;
}

const SIGN_REQUEST = 13;
const FAILURE = Buffer.from([0, 0, 0, 1, 5]);

/**
 * Answers signatures after `signMs`; null: declines them. As ssh-agent does, it serves nobody else meanwhile. The client is
 * expected to send one request at a time on a connection.
 */
export async function startSlowAgent(real: Agent, signMs: number | null): Promise<SlowAgent> {
  const temp = makeTempDir("slow-agent");
  const socket = join(temp.path, "agent.sock");
  let signatures = 0;
  let turn: Promise<void> = Promise.resolve();
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    const upstream = connect(real.socket);
    client.on("error", () => undefined).on("close", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    upstream.on("data", (chunk: Buffer) => client.write(chunk));
    client.on("data", (request: Buffer) => {
      const isSignature = request[4] === SIGN_REQUEST;
      if (isSignature) signatures += 1;
      if (isSignature && signMs === null) {
        client.write(FAILURE);
        return;
      }
      turn = turn.then(async () => {
        if (isSignature) await new Promise((resolve) => setTimeout(resolve, signMs ?? 0).unref());
        if (!upstream.destroyed) upstream.write(request);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    signatures: () => signatures,
    stop: async () => {
      for (const client of clients) client.destroy();
      await new Promise((resolve) => server.close(resolve));
      temp.remove();
    },
  };
}
