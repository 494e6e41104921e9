/** Standard output that is a file which the shell has opened (`> file`, `>> file`). */
import { fstat, ftruncate, write, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { writeFailure, type Output } from "./output.js";
import { writeWholeLines, type OpenFile } from "./whole-lines.js";

const stat = promisify(fstat) as (fd: number) => Promise<Stats>;
const truncate = promisify(ftruncate);
const writeAt = promisify(write) as (
  fd: number,
  bytes: Uint8Array,
  from: number,
  length: number,
  position: number | null,
) => Promise<{ bytesWritten: number }>;

/** Null where the descriptor is no regular file: a pipe, a terminal, a device. `close` leaves it open. */
export async function standardFile(fd: number): Promise<Output | null> {
  const isFile = await stat(fd).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (!isFile) return null;
  const file = new InheritedFile(fd);
  return {
    firstLine: null,
    isOnDisk: true,
    write: (text) =>
      writeWholeLines(file, text).catch((error: unknown) => {
        throw writeFailure(error, "standard output");
      }),
    close: () => Promise.resolve(),
  };
}

/**
 * A descriptor whose offset other processes share (`(a; b) > file`, `2>&1`), and which nothing in Node can move back. When
 * half a line was cut off the end, the offset is behind the end: the next bytes are first put at the end, by their position
 * (pwrite(2)), and the others are written as usual where the offset is. Where the file was opened for appending, both are
 * the end.
 */
class InheritedFile implements OpenFile {
  /** Where the file ended when it was cut. */
  #end = 0;
  /** Bytes from there to the offset. */
  #gap = 0;

  constructor(readonly fd: number) {}

  stat(): Promise<Stats> {
    return stat(this.fd);
  }

  async truncate(length: number): Promise<void> {
    const { size } = await this.stat();
    await truncate(this.fd, length);
    this.#end = length;
    this.#gap += size - length;
  }

  async write(bytes: Uint8Array, from: number): Promise<{ readonly bytesWritten: number }> {
    const length = bytes.length - from;
    if (this.#gap > 0 && (await this.stat()).size !== this.#end) await this.#fillHole();
    if (this.#gap === 0) return writeAt(this.fd, bytes, from, length, null);
    const written = await writeAt(this.fd, bytes, from, Math.min(length, this.#gap), this.#end);
    this.#end += written.bytesWritten;
    this.#gap -= written.bytesWritten;
    return written;
  }

  /** Another program has written at the shared offset: what lies before that are NULs, and becomes empty lines. */
  async #fillHole(): Promise<void> {
    const hole = Buffer.alloc(this.#gap);
    const at = this.#end;
    this.#gap = 0;
    const reader = await open(`/dev/fd/${this.fd}`, "r").catch(() => null);
    if (reader === null) return;
    try {
      const { bytesRead } = await reader.read(hole, 0, hole.length, at);
      if (bytesRead === hole.length && hole.every((byte) => byte === 0))
        await writeAt(this.fd, hole.fill("\n"), 0, hole.length, at);
    } finally {
      await reader.close();
    }
  }
}
