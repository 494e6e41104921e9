/** How much of one part's answer is read: a thread reads for hundreds of hosts, and no host may keep it from the others. */
import type { PartEnd } from "../shims/shim.js";

// The longest that are known (`nvidia-smi -q -x` of 16 GPUs with MIG, `ps` of a busy host) have some MiB, and a line a process.
export const MOST_ANSWER_BYTES = 8 * 1024 * 1024;
const MOST_ANSWER_LINES = 100_000;

const NEWLINE = 0x0a;

/** What stands for the end of the answer between two offsets if it is too long to be read; null if it is not. */
export function floodEnd(bytes: Buffer, from: number, to: number): PartEnd | null {
  const length = to - from;
  if (length > MOST_ANSWER_BYTES)
    return { kind: "flooded", what: `more than ${MOST_ANSWER_BYTES / 1024 ** 2} MiB` };
  if (length <= MOST_ANSWER_LINES) return null;
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE, from); at >= 0 && at < to; at = bytes.indexOf(NEWLINE, at + 1))
    if (++lines > MOST_ANSWER_LINES) return { kind: "flooded", what: `more than ${MOST_ANSWER_LINES} lines` };
  return null;
}
