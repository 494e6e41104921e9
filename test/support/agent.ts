/** A real ssh-agent for tests, and one in front of it that is slow to sign. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { signalPid, waitFor } from "./processes.js";
import type { KeyPair } from "./ssh-key.js";
import { makeTempDir } from "./temp-dir.js";

export interface Agent {
  readonly socket: string;
  readonly pid: number;
  /** Adds keys in this order; `args` go to ssh-add before the file. */
  add(key: KeyPair | string, args?: readonly string[]): void;
  stop(): Promise<void>;
}

/** Starts an agent without keys and waits for its socket. */
export async function startAgent(): Promise<Agent> {
  const temp = makeTempDir("agent");
  const socket = join(temp.path, "agent.sock");
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "ssh-agent", "-D", "-a", socket], {
    stdio: "ignore",
  });
  const life = { exited: false };
  child.on("error", () => (life.exited = true));
  child.on("exit", () => (life.exited = true));
  const pid = child.pid;
  if (pid === undefined) throw new Error("ssh-agent did not start");
  const stop = async (): Promise<void> => {
    if (!life.exited) {
      signalPid(pid, "SIGCONT");
      signalPid(pid, "SIGKILL");
    }
    await waitFor("the end of ssh-agent", () => life.exited);
    temp.remove();
  };
  try {
    // Its socket is there a moment before it listens.
    await waitFor("ssh-agent listens", () => life.exited || (existsSync(socket) && answers(socket)));
    if (life.exited) throw new Error("ssh-agent ended at once");
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    socket,
    pid,
    add: (key, args = []) => {
      const file = typeof key === "string" ? key : key.file;
      const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: "never" };
      execFileSync("ssh-add", ["-q", ...args, file], { env, stdio: ["ignore", "ignore", "pipe"] });
    },
    stop,
  };
}

/** ssh-add exits with 2 where it reaches no agent (ssh-add(1)). */
function answers(socket: string): boolean {
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  return spawnSync("ssh-add", ["-l"], { env, stdio: "ignore" }).status !== 2;
}

/** An agent in front of a real one that is slow: it waits for a touch or a confirmation, or sits on a slow connection. */
export interface SlowAgent {
  readonly socket: string;
  /** Requests to sign so far. */
  readonly signatures: () => number;
  stop(): Promise<void>;
}

const SIGN_REQUEST = 13;
const FAILURE = Buffer.from([0, 0, 0, 1, 5]);

/**
 * Answers signatures after `signMs`; null: declines them. As ssh-agent does, it serves no other client meanwhile. The client is
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
