/** `readKeyFile` with a cache: each file is read and parsed once in a process, and again only when it has changed. */
import { stat } from "node:fs/promises";
import type { Clock } from "../../../lib/clock.js";
import { readKeyFile, type KeyFile, type KeyFiles } from "../key-file.js";

interface Entry {
  /** Inode, size, time and mode of the file and of those beside it. */
  readonly stamp: string;
  readonly file: Promise<KeyFile>;
}

const FRESH_MS = 5_000;

export class KeyCache implements KeyFiles {
  readonly #entries = new Map<string, Entry>();
  readonly #checked = new Map<string, { readonly atMs: number; readonly file: Promise<KeyFile> }>();

  constructor(private readonly clock: Clock) {}

  /** Never rejects. Checks the file's times at most every few seconds, and parses it again when they have changed. */
  load(path: string): Promise<KeyFile> {
    const last = this.#checked.get(path);
    const nowMs = this.clock.nowMs();
    if (last !== undefined && nowMs - last.atMs < FRESH_MS) return last.file;
    const file = this.#check(path);
    this.#checked.set(path, { atMs: nowMs, file });
    return file;
  }

  async #check(path: string): Promise<KeyFile> {
    const stamps = await Promise.all([stampOf(path), stampOf(`${path}.pub`), stampOf(`${path}-cert.pub`)]);
    const stamp = stamps.join(" ");
    const known = this.#entries.get(path);
    if (known?.stamp === stamp) return known.file;
    const file = readKeyFile(path);
    this.#entries.set(path, { stamp, file });
    const found = await file;
    if (found.kind === "unusable" && found.localLimit !== undefined) {
      this.#entries.delete(path);
      this.#checked.delete(path);
    }
    return found;
  }
}

async function stampOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, mode } = await stat(path);
    return `${ino}:${size}:${mtimeMs}:${mode}`;
  } catch {
    return "-";
  }
}
