/** Programs that carry a connection (a ProxyCommand, the system's `ssh`): how they are started and ended. */
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams, SpawnOptions } from "node:child_process";

/**
 * Starts `program` with a pipe for each of its streams, in a process group of its own, so that its children can be ended
 * with it. Every failure to start comes by `failed`, later and perhaps more than once, and never as an exception: it is
 * one host's failure. Null where there is no child to use.
 */
export function startChild(
  program: string,
  args: readonly string[],
  options: Pick<SpawnOptions, "env">,
  failed: (error: Error) => void,
): ChildProcessWithoutNullStreams | null {
  try {
    const child = spawn(program, args, { ...options, stdio: "pipe", detached: true });
    child.on("error", failed);
    // Without descriptors for its pipes Node makes none of the streams; the error follows as an event.
    return (child as Partial<ChildProcessWithoutNullStreams>).stdin === undefined ? null : child;
  } catch (error) {
    // E2BIG, ENOMEM, an argument with a NUL: Node throws these at once.
    queueMicrotask(() => failed(error instanceof Error ? error : new Error(String(error))));
    return null;
  }
}

/** Signals the child and its children. Does nothing where it was never started or the group has gone. */
export function signalGroup(child: ChildProcessWithoutNullStreams | null, signal: NodeJS.Signals): void {
  const pid = child?.pid;
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has gone.
  }
}

/** Drops our ends of the pipes. */
export function destroyPipes(child: ChildProcessWithoutNullStreams | null): void {
  child?.stdin.destroy();
  child?.stdout.destroy();
  child?.stderr.destroy();
}
