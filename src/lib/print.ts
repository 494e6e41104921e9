/** Text on standard output, all of it before it settles. `| head -1` of a help text is no error. */
// Without `node:`, which the old versions do not know that start.ts has to turn away.
import { writeSync } from "fs";

/**
 * Rejects where the text cannot be written, with a message for the operator; a reader that has gone is no such case.
 * `process.stdout` is made when first asked for, and for a pipe that costs a tenth of node's whole start.
 */
export function print(text: string): Promise<void> {
  let rest: Uint8Array = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
    return Promise.resolve();
  } catch (error) {
    if (codeOf(error) !== "EAGAIN") return ended(error);
    // A pipe that does not block and is full: the stream waits.
    return new Promise((resolve, reject) => {
      process.stdout.on("error", () => undefined);
      process.stdout.write(rest, (failure) => void ended(failure).then(resolve, reject));
    });
  }
}

function ended(error: unknown): Promise<void> {
  const isFailure = error instanceof Error && !READER_GONE.has(codeOf(error));
  if (!isFailure) return Promise.resolve();
  return Promise.reject(new Error(`cannot write to standard output: ${error.message}`));
}

// EIO: the terminal has hung up.
const READER_GONE = new Set<unknown>(["EPIPE", "ECONNRESET", "EIO", "ERR_STREAM_DESTROYED"]);

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
