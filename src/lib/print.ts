/** Words on standard output, all of them before it settles. `| head -1` of a help text is no error. */
import { writeSync } from "node:fs";

/** `process.stdout` is made when first asked for, and for a pipe that costs a tenth of node's whole start. */
export function print(words: string): Promise<void> {
  let rest: Uint8Array = Buffer.from(words);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
    return Promise.resolve();
  } catch {
    // A pipe that does not block and is full, or one that is closed: the stream waits, or ends.
    return new Promise((resolve) => {
      process.stdout.on("error", () => resolve());
      process.stdout.write(rest, () => resolve());
    });
  }
}
