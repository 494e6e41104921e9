/** Files that nobody but this user can have written: others are not read, and no folder of others is written into. */
import { constants } from "node:fs";
import { lstat, mkdir, open, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

/** A file of another kind or owner, or one that others may write. */
class Untrusted extends Error {
  override readonly name = "Untrusted";
}

interface Owned {
  readonly uid: number;
  readonly mode: number;
}

const WRITABLE_BY_OTHERS = 0o022;
/** A pipe would wait for its writer otherwise (open(2)). */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Undefined on Windows, whose modes mean nothing. */
function ownUser(): number | undefined {
  return process.geteuid?.();
}

function isOurs({ uid, mode }: Owned): boolean {
  const own = ownUser();
  return own === undefined || (uid === own && (mode & WRITABLE_BY_OTHERS) === 0);
}

/** A whole file of at most `maxBytes`, never through a symbolic link. Rejects with Untrusted or the system's error. */
export async function readTrusted(path: string, maxBytes: number): Promise<string> {
  const handle = await open(path, READ_FLAGS);
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.nlink !== 1 || !isOurs(stats)) throw new Untrusted(path);
    if (stats.size > maxBytes) throw new Untrusted(path);
    return await readWhole(handle, path, stats.size);
  } finally {
    await handle.close();
  }
}

async function readWhole(handle: FileHandle, path: string, size: number): Promise<string> {
  // Our files are replaced and never grow.
  const buffer = Buffer.alloc(size + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    length += bytesRead;
    if (length > size) throw new Untrusted(path);
    if (bytesRead === 0) return buffer.toString("utf8", 0, length);
  }
}

/** Whether the folder is there and is ours; never rejects. A link to a folder is none. */
export async function isTrustedFolder(path: string): Promise<boolean> {
  try {
    const stats = await lstat(path);
    return stats.isDirectory() && isOurs(stats);
  } catch {
    return false;
  }
}

/**
 * Makes the folder, and the one that it is in, with mode 0700. Not below a folder of another user: root would leave a folder
 * in a user's home that the user cannot write. No home is made either. Rejects with Untrusted or the system's error.
 */
export async function makeTrustedFolder(path: string): Promise<void> {
  const above = dirname(path);
  const nearest = await stat(above).catch(() => stat(dirname(above)));
  const own = ownUser();
  if (own !== undefined && nearest.uid !== own) throw new Untrusted(path);
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (!(await isTrustedFolder(path))) throw new Untrusted(path);
}
