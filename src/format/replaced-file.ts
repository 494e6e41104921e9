/** A file that always holds one whole text: each text is written beside it and takes its name (node exporter's textfiles). */
import { open, realpath, rename, stat, unlink, type FileHandle } from "node:fs/promises";
import { UsageError } from "../contract/errors.js";
import { errorCode } from "../lib/error-code.js";
import { isOutOfSpace, OutputError, OutputFull, type Output } from "./output.js";

/** An exposition begins with one of these; a file that does not is somebody else's. */
const EXPOSITION = /^# (HELP|TYPE|UNIT|EOF)\b/;
const HEAD_BYTES = 16;

/**
 * The file itself is not touched before the first text is whole. Throws UsageError where it could not be replaced: it is
 * no regular file, holds something else, or its folder is not writable.
 */
export async function replacedFile(path: string): Promise<Output> {
  const file = await refuseOthers(path);
  // The collector reads files that end in .prom.
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await (await openNew(temporary)).close();
    await unlink(temporary);
  } catch (error) {
    throw new UsageError([`--output: cannot write beside ${path}: ${messageOf(error)}`]);
  }
  return {
    firstLine: null,
    isOnDisk: true,
    async write(text) {
      if (text.length === 0) return;
      try {
        const handle = await openNew(temporary);
        try {
          await handle.writeFile(text);
        } finally {
          await handle.close();
        }
        await rename(temporary, file);
      } catch (error) {
        await unlink(temporary).catch(() => undefined);
        const message = `cannot write to --output ${path}: ${messageOf(error)}`;
        // The file keeps the text before.
        if (isOutOfSpace(error)) throw new OutputFull(message, 0);
        throw new OutputError(message);
      }
    },
    close: () => Promise.resolve(),
  };
}

/** The file that the path leads to: a symbolic link stays one. */
async function refuseOthers(path: string): Promise<string> {
  const refuse = (why: string): never => {
    throw new UsageError([`--output: ${path} ${why}; with --format prometheus the file is replaced`]);
  };
  try {
    const file = await realpath(path);
    if (!(await stat(file)).isFile()) refuse("is no regular file");
    const handle = await open(file, "r");
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      if (bytesRead > 0 && !EXPOSITION.test(buffer.toString("latin1", 0, bytesRead)))
        refuse("holds something other than metrics");
    } finally {
      await handle.close();
    }
    return file;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return path;
    if (error instanceof UsageError) throw error;
    throw new UsageError([`--output: cannot read ${path}: ${messageOf(error)}`]);
  }
}

/** Never a file, or a link to one, that is there: a killed process may have left it, or another user in a shared folder. */
async function openNew(path: string): Promise<FileHandle> {
  await unlink(path).catch(() => undefined);
  return open(path, "wx", 0o644);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
