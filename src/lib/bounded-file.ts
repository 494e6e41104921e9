/** Whole files that may be no files: a device never ends, and a pipe may have no writer. Both are errors, in bounded time. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { realClock } from "./clock.js";
import { errorCode } from "./error-code.js";

/** How long a caller that blocks this thread waits for a pipe. */
const MAX_BLOCKED_MS = 2_000;
/** How long others wait: a shell's `<(command)` may look something up first. */
const MAX_WAITED_MS = 60_000;
const PAUSE_MS = 10;
const CHUNK_BYTES = 64 * 1024;
/** Opening a pipe would wait for its writer otherwise, and no signal would be handled (open(2)). */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

export interface WholeFile {
  readonly bytes: Buffer;
  readonly stats: Stats;
}

/** Blocks this thread: at most two seconds for a pipe. Throws the system's error, EFBIG or ETIMEDOUT. */
export function readFileBoundedSync(path: string, maxBytes: number): WholeFile {
  const descriptor = openSync(path, FLAGS);
  try {
    const stats = fstatSync(descriptor);
    const parts = new Parts(path, maxBytes, stats, MAX_BLOCKED_MS);
    for (;;) {
      const chunk = Buffer.allocUnsafe(parts.nextBytes);
      const step = parts.take(
        chunk,
        attempt(() => readSync(descriptor, chunk)),
      );
      if (step === "end") return { bytes: parts.whole(), stats };
      if (step === "wait") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The same without blocking; a pipe has a minute. Rejects. */
export async function readFileBounded(path: string, maxBytes: number): Promise<WholeFile> {
  const file = await open(path, FLAGS);
  try {
    const stats = await file.stat();
    const parts = new Parts(path, maxBytes, stats, MAX_WAITED_MS);
    for (;;) {
      const chunk = Buffer.allocUnsafe(parts.nextBytes);
      const reading = file.read(chunk).then(({ bytesRead }) => bytesRead, notYet);
      const step = parts.take(chunk, await reading);
      if (step === "end") return { bytes: parts.whole(), stats };
      if (step === "wait") await new Promise<void>((resolve) => realClock.after(PAUSE_MS, resolve));
    }
  } finally {
    await file.close();
  }
}

class Parts {
  readonly #parts: Buffer[] = [];
  readonly #untilMs: number;
  #length = 0;

  constructor(
    private readonly path: string,
    private readonly maxBytes: number,
    private readonly stats: Stats,
    waitMs: number,
  ) {
    this.#untilMs = realClock.nowMs() + waitMs;
    if (stats.size > maxBytes) throw this.#failure("EFBIG", `more than ${maxBytes} bytes`);
  }

  /** A regular file is read at once. */
  get nextBytes(): number {
    return Math.max(CHUNK_BYTES, Math.min(this.stats.size - this.#length, this.maxBytes) + 1);
  }

  /** `bytesRead` null: nothing is there yet. */
  take(chunk: Buffer, bytesRead: number | null): "more" | "wait" | "end" {
    // A pipe that nobody has written to reads as if it had ended: its writer may come.
    const isUnwritten = bytesRead === null || (bytesRead === 0 && this.#length === 0 && this.stats.isFIFO());
    if (isUnwritten) {
      if (realClock.nowMs() > this.#untilMs) throw this.#failure("ETIMEDOUT", "nothing to read in time");
      return "wait";
    }
    if (bytesRead === 0) return "end";
    this.#parts.push(chunk.subarray(0, bytesRead));
    this.#length += bytesRead;
    if (this.#length > this.maxBytes) throw this.#failure("EFBIG", `more than ${this.maxBytes} bytes`);
    return "more";
  }

  whole(): Buffer {
    return this.#parts.length === 1 ? (this.#parts[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#parts);
  }

  #failure(code: string, why: string): Error {
    return Object.assign(new Error(`${code}: ${why}, read '${this.path}'`), { code });
  }
}

function attempt(read: () => number): number | null {
  try {
    return read();
  } catch (error) {
    return notYet(error);
  }
}

function notYet(error: unknown): null {
  if (errorCode(error) === "EAGAIN") return null;
  throw error;
}
