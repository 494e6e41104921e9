/** Starting a program whose every failure is told in one way: one host's failure, never the end of all. */
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams, SpawnOptions } from "node:child_process";

/**
 * Starts `program` with a pipe for each of its streams, in a process group of its own. `failed` is called, later and
 * perhaps again, when it cannot be started; null where there is no child to speak of then.
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
