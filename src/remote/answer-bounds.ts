/** How much of a tick and of one answer is read: no host may keep the thread from its other hosts. */
import { NEWLINE } from "../lib/bytes.js";
import type { PartEnd } from "../shims/kit/shim.js";

// The longest known answers (`nvidia-smi -q -x` of 16 GPUs with MIG, `ps` of a busy host) have some MiB, and a line a process.
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const MAX_ANSWER_LINES = 100_000;
/** A remote side that sends more than this for one tick is broken or hostile. */
export const MAX_FRAME_BYTES = 32 * 1024 * 1024;
export const MORE_THAN_A_FRAME = moreThan(MAX_FRAME_BYTES);

/** The end that an answer between two offsets gets if it is too long to be read; null if it is not. */
export function floodEnd(bytes: Buffer, from: number, to: number): PartEnd | null {
  const length = to - from;
  if (length > MAX_ANSWER_BYTES) return { kind: "flooded", what: moreThan(MAX_ANSWER_BYTES) };
  if (length <= MAX_ANSWER_LINES) return null;
  let lines = 0;
  for (let offset = bytes.indexOf(NEWLINE, from); offset >= 0 && offset < to;) {
    if (++lines > MAX_ANSWER_LINES) return { kind: "flooded", what: `more than ${MAX_ANSWER_LINES} lines` };
    offset = bytes.indexOf(NEWLINE, offset + 1);
  }
  return null;
}

function moreThan(bytes: number): string {
  return `more than ${bytes / 1024 ** 2} MiB`;
}
