/** Prints a text on standard output and waits until all of it is written. `| head -1` of a help text is no error. */
// Without `node:`: the old versions of Node that start.ts refuses do not know that prefix.
import { writeSync } from "fs";
import { errorCode } from "./error-code.js";

/**
 * Rejects with a message for the operator where the text cannot be written; a reader that has gone is no error. Writes to
 * the descriptor: `process.stdout` is made at its first use, and for a pipe that costs a tenth of Node's whole start.
 */
export function print(text: string): Promise<void> {
  let rest: Uint8Array = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
    return Promise.resolve();
  } catch (error) {
    if (errorCode(error) !== "EAGAIN") return ended(error);
    // A full pipe in non-blocking mode: the stream waits.
    return new Promise((resolve, reject) => {
      process.stdout.on("error", () => undefined);
      process.stdout.write(rest, (failure) => void ended(failure).then(resolve, reject));
    });
  }
}

function ended(error: unknown): Promise<void> {
  const isFailure = error instanceof Error && !READER_GONE.has(errorCode(error));
  if (!isFailure) return Promise.resolve();
  return Promise.reject(new Error(`cannot write to standard output: ${error.message}`));
}

// EIO: the terminal has hung up.
const READER_GONE = new Set<unknown>(["EPIPE", "ECONNRESET", "EIO", "ERR_STREAM_DESTROYED"]);
