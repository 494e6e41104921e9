/** A shell that leads its session, as under sshd, and gets guarded ticks: the work of a session without SSH. */
import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { FrameReader, type Frame } from "../../src/remote/frame.js";
import { tickDefinitions, tickLine } from "../../src/remote/script.js";
import type { Part } from "../../src/shims/kit/shim.js";
import { makeTools } from "./fake-tools.js";
import { signalPid } from "./processes.js";
import { makeTempDir } from "./temp-dir.js";

const NONCE = "0123456789ab";

const temp = makeTempDir("guarded");
const started: ChildProcess[] = [];
after(() => {
  // Processes that a failed test left.
  for (const { pid = 0 } of started.filter((child) => child.exitCode === null && child.signalCode === null)) {
    for (const left of sessionOf(pid)) signalPid(left.pid, "SIGKILL");
  }
  temp.remove();
});

const PROGRAM: Part = { id: "tool", kind: "program", command: "{tool}" };

export interface Shell {
  /** Sends the line of a tick and waits for its frame. */
  tick(tick: number): Promise<Frame>;
  /** Sends the definition of a tick again, as after a part is paused. */
  define(): void;
  /** As `tick`, without waiting. */
  send(tick: number): void;
  /** Ends its input. */
  end(): void;
  readonly pid: number;
  /** Closes our end of its output, as a server does whose connection is gone. */
  hangUp(): void;
  /** Command lines of its session. */
  session(): readonly Process[];
  /** In how many chunks the last tick's frame arrived. */
  pieces(): number;
}

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** `tool` is what its one program does; it may take a second. */
export function startShell(
  [program, ...args]: readonly [string, ...string[]],
  tool: string,
  parts: readonly Part[] = [PROGRAM],
): Shell {
  const bin = join(temp.path, String(started.length));
  makeTools(bin, { tool });
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: bin };
  const child = spawn(program, [...args, "-s"], { detached: true, env, stdio: ["pipe", "pipe", "ignore"] });
  started.push(child);
  const reader = new FrameReader(NONCE);
  const pid = child.pid ?? 0;
  let pieces = 0;
  let received = (): void => undefined;
  child.stdin.on("error", () => undefined);
  child.stdout.on("data", (chunk: Buffer) => {
    pieces += 1;
    if (reader.push(chunk, Date.now())) received();
  });
  const define = (): void => {
    child.stdin.write(
      tickDefinitions({
        nonce: NONCE,
        toolTimeoutSecs: 1,
        limiter: "gnu",
        isGuarded: true,
        system: [],
        tools: [{ parts, executable: "tool" }],
      }),
    );
  };
  define();
  const send = (tick: number): void => {
    reader.begin(tick);
    pieces = 0;
    child.stdin.write(tickLine(tick));
  };
  return {
    pid,
    define,
    send,
    tick: (tick) =>
      new Promise((resolve) => {
        received = () => resolve(reader.frame(1));
        send(tick);
      }),
    end: () => child.stdin.end(),
    hangUp: () => {
      child.stdin.destroy();
      child.stdout.destroy();
    },
    session: () => sessionOf(pid),
    pieces: () => pieces,
  };
}

function sessionOf(leader: number): readonly Process[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(session) !== leader || state === "Z") return [];
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return [{ pid: Number(name), parent: Number(parent), command }];
    } catch {
      return [];
    }
  });
}
