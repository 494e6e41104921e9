/** Our side of one resolver process: starts it, sends questions, takes answers, kills it. */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FromResolver, NameAnswer, NameQuestion, ToResolver } from "./messages.js";

export interface ResolverEvents {
  readonly answered: (id: number, answer: NameAnswer) => void;
  /** Once, when it could not be started or has ended by itself. What it was asked is not answered then. */
  readonly failed: () => void;
}

export interface Resolver {
  /** How many questions it works on at once. */
  readonly room: number;
  ask(id: number, question: NameQuestion): void;
  /** At once, whatever hangs in it. Nothing is called back after this. */
  kill(): void;
}

/** Starts a resolver that works on `room` questions at once. Throws nothing: see `failed`. */
export type StartResolver = (room: number, events: ResolverEvents) => Resolver;

/** `program` is resolver.ts as built, or as it is where a loader for it is in `process.execArgv`. */
export function resolverStarter(program: URL): StartResolver {
  return (room, { answered, failed }) => {
    let isOver = false;
    const fail = (): void => {
      if (isOver) return;
      isOver = true;
      failed();
    };
    const child = forkOrNull(program, room);
    if (child === null) queueMicrotask(fail);
    child?.on("error", fail);
    child?.on("exit", fail);
    child?.on("message", (message) => {
      const { id, ...answer } = message as FromResolver;
      if (!isOver) answered(id, answer);
    });
    // It keeps no run from ending.
    child?.unref();
    child?.channel?.unref();
    return {
      room,
      ask: (id, question) => {
        // One that could not be started has no channel; its `error` is on the way.
        if (child?.connected !== true) return;
        const message: ToResolver = { id, ...question };
        child.send(message, (error) => {
          if (error !== null) fail();
        });
      },
      kill: () => {
        isOver = true;
        child?.kill("SIGKILL");
      },
    };
  };
}

/** Null: there are no descriptors for its channel. */
function forkOrNull(program: URL, room: number): ChildProcess | null {
  try {
    return fork(fileURLToPath(program), [], {
      // libuv lets look-ups have half of its threads (uv__work_submit, UV__WORK_SLOW_IO).
      env: { ...process.env, NODE_OPTIONS: "", UV_THREADPOOL_SIZE: String(room * 2) },
      execArgv: program.pathname.endsWith(".ts") ? process.execArgv : [],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
  } catch {
    return null;
  }
}
