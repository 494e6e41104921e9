/** Where text goes: standard output, or a file that is appended to. */
import { constants } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import type { Writable } from "node:stream";
import { errorCode } from "../lib/error-code.js";
import { UnwrittenLines, writeWholeLines } from "./whole-lines.js";

export interface Output {
  /** The first line that is already there, without its end: a header that need not be repeated. Null: nothing is. */
  readonly firstLine: string | null;
  /** True: a disk holds it, which may be full now and have space later. */
  readonly isOnDisk?: boolean;
  /** Settles when the text is out. Rejects with OutputClosed or OutputError. One call at a time. */
  write(text: string | Uint8Array): Promise<void>;
  /**
   * Goes on in the file that has the path now, after the write under way; an empty one gets the header first. Rejects
   * where that cannot be, and goes on in the old file. Absent where there is no path.
   */
  reopen?(header: string): Promise<void>;
  close(): Promise<void>;
}

/** Whether the header is to be written before the first record. */
export function lacksHeader(firstLine: string | null, header: string): boolean {
  return header !== "" && header !== `${firstLine ?? ""}\n`;
}

/** The reader has gone (`| head`): a quiet end, exit 0. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** The text cannot be written: no space, no permission. The message is for the operator; exit 1. */
export class OutputError extends Error {
  override readonly name = "OutputError";
}

/** There is no space: a later text may be written. What is in the file ends with a whole line. */
export class OutputFull extends OutputError {
  constructor(
    message: string,
    /** Lines of the text that are not in the file. */
    readonly droppedLines: number,
  ) {
    super(message);
  }
}

/** Of the disk, or of the user's share of it. */
export function isOutOfSpace(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOSPC" || code === "EDQUOT";
}

// EIO: the terminal has hung up.
const READER_GONE = new Set([
  "EPIPE",
  "ECONNRESET",
  "EIO",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_WRITE_AFTER_END",
]);

/** Owns the stream's errors from now on; `close` leaves the stream open, for it is the process's. */
export function streamOutput(stream: Writable, name = "standard output"): Output {
  let broken: Error | undefined;
  // A write that fails raises this event besides calling back; without a listener it would end the process.
  stream.on("error", (error) => {
    broken ??= error;
  });
  return {
    firstLine: null,
    write: (text) =>
      new Promise((resolve, reject) => {
        if (broken !== undefined) {
          reject(writeFailure(broken, name));
          return;
        }
        stream.write(text, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(writeFailure(error, name));
        });
      }),
    close: () => Promise.resolve(),
  };
}

/**
 * Opens for appending, created with mode 0644 under the umask. A last line without an end (a full disk) gets one, so
 * that what is appended starts on a line of its own. Throws OutputError.
 */
export async function fileOutput(path: string): Promise<Output> {
  const name = `--output ${path}`;
  let { handle, firstLine } = await openForAppending(path);
  // A file is changed between two writes, never within one: no record is split or lost.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = last.then(work, work);
    last = turn;
    return turn;
  };
  const named = (error: unknown): never => {
    throw writeFailure(error, name);
  };
  return {
    get firstLine() {
      return firstLine;
    },
    isOnDisk: true,
    write: (text) => inTurn(() => writeWholeLines(handle, text).catch(named)),
    reopen: (header) =>
      inTurn(async () => {
        await refuseSpecial(handle, path);
        const next = await openForAppending(path);
        try {
          if (lacksHeader(next.firstLine, header)) await writeWholeLines(next.handle, header);
          firstLine = next.firstLine ?? header.trimEnd();
        } catch (error) {
          await next.handle.close();
          throw error;
        }
        const old = handle;
        handle = next.handle;
        await old.close();
      }),
    close: () => inTurn(() => handle.close().catch(named)),
  };
}

/** Opening a pipe waits for its reader, and nothing was rotated. */
async function refuseSpecial(handle: FileHandle, path: string): Promise<void> {
  const there = await stat(path).catch(() => null);
  if ((await handle.stat()).isFile() && there?.isFile() !== false) return;
  throw new Error("only a regular file can be reopened");
}

const FIRST_LINE_BYTES = 65_536;

async function openForAppending(path: string): Promise<{ handle: FileHandle; firstLine: string | null }> {
  const handle = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o644);
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size === 0) return { handle, firstLine: null };
    const reader = await open(path, "r");
    try {
      const head = Buffer.alloc(Math.min(stat.size, FIRST_LINE_BYTES));
      await reader.read(head, 0, head.length, 0);
      const tail = Buffer.alloc(1);
      await reader.read(tail, 0, 1, stat.size - 1);
      if (tail.toString() !== "\n") await writeWholeLines(handle, "\n");
      return { handle, firstLine: head.toString().split("\n", 1)[0] ?? null };
    } finally {
      await reader.close();
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** What a failed write means to the run: the reader has gone, there is no space, or an error. `name`: of the output. */
export function writeFailure(failure: unknown, name: string): Error {
  const error = failure instanceof UnwrittenLines ? failure.cause : failure;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (READER_GONE.has(code)) return new OutputClosed(`${name} was closed by its reader`);
  const message = `cannot write to ${name}: ${error instanceof Error ? error.message : String(error)}`;
  if (!isOutOfSpace(error)) return new OutputError(message);
  return new OutputFull(message, failure instanceof UnwrittenLines ? failure.lines : 0);
}
