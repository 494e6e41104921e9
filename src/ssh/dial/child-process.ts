/** Programs that carry a connection (a ProxyCommand, the system's `ssh`): how they are started and ended. */
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams, SpawnOptions } from "node:child_process";
import type { Clock } from "../../lib/clock.js";

/** Process groups that have not ended yet: none of them outlives this thread. */
const running = new Set<number>();
/** Groups that were asked to end. */
const ending = new Set<Promise<void>>();

function killRunning(): void {
  for (const group of running) signal(group, "SIGKILL");
}

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
    const { pid } = child;
    if (pid !== undefined) {
      if (running.size === 0 && !process.listeners("exit").includes(killRunning))
        process.on("exit", killRunning);
      running.add(pid);
      child.once("exit", () => running.delete(pid));
    }
    // Without descriptors for its pipes Node makes none of the streams; the error follows as an event.
    return (child as Partial<ChildProcessWithoutNullStreams>).stdin === undefined ? null : child;
  } catch (error) {
    // E2BIG, ENOMEM, an argument with a NUL: Node throws these at once.
    queueMicrotask(() => failed(error instanceof Error ? error : new Error(String(error))));
    return null;
  }
}

/**
 * Ends the child and its children: SIGTERM, and SIGKILL after `graceMs` for what is left of its group. Settles when
 * none of it runs; nothing is done for one that has ended already.
 */
export function endGroup(
  child: ChildProcessWithoutNullStreams | null,
  clock: Clock,
  graceMs: number,
): Promise<void> {
  const pid = child?.pid;
  if (child === null || pid === undefined || child.exitCode !== null || child.signalCode !== null)
    return Promise.resolve();
  const ended = new Promise<void>((resolve) => {
    const gone = (): void => {
      running.delete(pid);
      timer.cancel();
      resolve();
    };
    let hasExited = false;
    const timer = clock.after(graceMs, () => {
      signal(pid, "SIGKILL");
      if (hasExited) gone();
      else child.once("exit", gone);
    });
    child.once("exit", () => {
      hasExited = true;
      // Its own children may ignore the signal that has ended it.
      if (signal(pid, 0)) running.add(pid);
      else gone();
    });
  });
  signal(pid, "SIGTERM");
  ending.add(ended);
  return ended.finally(() => ending.delete(ended));
}

/** Settles when no group that was asked to end runs any more. */
export async function groupsEnded(): Promise<void> {
  await Promise.all(ending);
}

/** False: the group has gone. Signal 0 only asks. */
function signal(group: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, name);
  } catch {
    return false;
  }
}

/** Drops our ends of the pipes. */
export function destroyPipes(child: ChildProcessWithoutNullStreams | null): void {
  child?.stdin.destroy();
  child?.stdout.destroy();
  child?.stderr.destroy();
}
