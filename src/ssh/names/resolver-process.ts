/** Our side of one resolver process: starts it, sends questions, receives answers, kills it. */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../lib/clock.js";
import { deadlineAfter } from "../../lib/deadline.js";
import type { FromResolver, NameAnswer, NameQuestion, ToResolver } from "./look-up.js";

export interface ResolverEvents {
  readonly answered: (id: number, answer: NameAnswer) => void;
  /** Called once, when it could not be started or has ended by itself. Open questions are not answered then. */
  readonly failed: () => void;
}

export interface Resolver {
  /** How many questions it works on at once. */
  readonly capacity: number;
  ask(id: number, question: NameQuestion): void;
  /** Ends it at once, even if look-ups hang in it. Nothing is called back after this. */
  kill(): void;
}

/** Starts a resolver that works on `capacity` questions at once. Never throws: see `failed`. */
export type StartResolver = (capacity: number, events: ResolverEvents) => Resolver;

/** Where there are no more threads (RLIMIT_NPROC, pids.max), Node.js hangs at its start. */
const START_MS = 5_000;

/** `program` is resolver.ts as built, or the source where `process.execArgv` has a loader for it. */
export function resolverStarter(program: URL, clock: Clock): StartResolver {
  return (capacity, { answered, failed }) => {
    let hasEnded = false;
    const fail = (): void => {
      if (hasEnded) return;
      hasEnded = true;
      starting.cancel();
      failed();
    };
    const child = forkOrNull(program, capacity);
    const starting = deadlineAfter(clock, START_MS, () => {
      child?.kill("SIGKILL");
      fail();
    });
    if (child === null) queueMicrotask(fail);
    child?.on("error", fail);
    child?.on("exit", fail);
    child?.on("message", (message) => {
      starting.cancel();
      const received = message as FromResolver;
      if (hasEnded || "isReady" in received) return;
      const { id, ...answer } = received;
      answered(id, answer);
    });
    // The process must not keep a run from ending.
    child?.unref();
    child?.channel?.unref();
    return {
      capacity,
      ask: (id, question) => {
        // A process that could not be started has no channel; its `error` event comes soon.
        if (child?.connected !== true) return;
        const message: ToResolver = { id, ...question };
        child.send(message, (error) => {
          if (error !== null) fail();
        });
      },
      kill: () => {
        hasEnded = true;
        starting.cancel();
        child?.kill("SIGKILL");
      },
    };
  };
}

/** Null where there are no descriptors for its channel. */
function forkOrNull(program: URL, capacity: number): ChildProcess | null {
  try {
    return fork(fileURLToPath(program), [], {
      // libuv lets look-ups have half of its threads (uv__work_submit, UV__WORK_SLOW_IO).
      env: { ...process.env, NODE_OPTIONS: "", UV_THREADPOOL_SIZE: String(capacity * 2) },
      execArgv: program.pathname.endsWith(".ts") ? process.execArgv : [],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
  } catch {
    return null;
  }
}
