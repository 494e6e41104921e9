/** Files that nobody but this user can have written: others are not read, and no folder of others is written into. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { lstat, mkdir, opendir, stat } from "node:fs/promises";
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

/**
 * A whole file of at most `maxBytes`, never through a symbolic link. Throws Untrusted or the system's error. At once: four
 * turns of a thread for each of a fleet's files took more than the facts in them save.
 */
export function readTrusted(path: string, maxBytes: number): string {
  const file = openSync(path, READ_FLAGS);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.nlink !== 1 || !isOurs(stats)) throw new Untrusted(path);
    if (stats.size > maxBytes) throw new Untrusted(path);
    return readWhole(file, path, stats.size);
  } finally {
    closeSync(file);
  }
}

function readWhole(file: number, path: string, size: number): string {
  // Our files are replaced and never grow.
  const buffer = Buffer.allocUnsafe(size + 1);
  let length = 0;
  for (;;) {
    const bytesRead = readSync(file, buffer, length, buffer.length - length, length);
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
 * Whether the folder can be opened; never rejects. An open asks the server of a network file system, while lstat may answer
 * from what the kernel keeps of one that is gone (nfs(5), Close-to-open cache consistency).
 */
export async function opens(folder: string): Promise<boolean> {
  try {
    await (await opendir(folder)).close();
    return true;
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
