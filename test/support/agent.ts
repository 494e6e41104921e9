/** A real ssh-agent for tests. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
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
