/** One known_hosts file on disk: read once, and again only where it has changed. */
import { statSync, type Stats } from "node:fs";
import { localLimit } from "../../contract/local-limit.js";
import { readFileBoundedSync } from "../../lib/bounded-file.js";
import { errorCode } from "../../lib/error-code.js";
import { appendLines } from "./append.js";
import type { KnownKey, KnownLines } from "./lookup.js";
import { parseKnownHosts } from "./parse.js";

/** 300,000 hosts with three keys each have less. */
const MAX_KNOWN_HOSTS_BYTES = 256 * 1024 * 1024;

interface Contents {
  readonly known: KnownLines;
  /** As the file was when it was read; null: missing or unreadable. */
  readonly stats: Stats | null;
  /** Newlines in it. */
  readonly lines: number;
  /** Why it could not be read; null also when it is missing. */
  readonly problem: string | null;
}

export class KnownFile {
  #contents: Contents | null = null;
  /** The file was checked in this turn of the event loop: a handshake asks for several names at once. */
  #isFresh = false;

  constructor(
    private readonly file: string,
    private readonly makeLines: () => KnownLines,
  ) {}

  /** The lines for `name`. Reads the file again when others have changed it: operators fix it while we run. */
  lookup(name: string): readonly KnownKey[] {
    return this.#current().known.lookup(name);
  }

  /** The code of the system's error (`EACCES`, ...) when the file exists and cannot be read. */
  problem(): string | null {
    return this.#current().problem;
  }

  /** Another process may have just written to the file: the next call checks it again. */
  expire(): void {
    this.#isFresh = false;
  }

  /** As `appendLines`. Does not read the file again, unless another program wrote to it in between. */
  append(lines: string, sshDir: string): void {
    const before = this.#current();
    const { text, stats } = appendLines(this.file, lines, sshDir);
    const isOnlyWriter = (before.stats?.size ?? 0) + text.length === stats.size && before.problem === null;
    this.#contents = isOnlyWriter ? this.#add(before, stats, text) : null;
  }

  #current(): Contents {
    const last = this.#contents;
    if (last !== null && this.#isFresh) return last;
    this.#isFresh = true;
    setImmediate(() => (this.#isFresh = false));
    const current = last === null || !isSame(last.stats, statsOf(this.file)) ? this.#read() : last;
    this.#contents = current;
    return current;
  }

  #read(): Contents {
    const empty = { known: this.makeLines(), stats: null, lines: 0, problem: null };
    try {
      const { bytes, stats } = readFileBoundedSync(this.file, MAX_KNOWN_HOSTS_BYTES);
      return this.#add(empty, stats, bytes.toString("latin1"));
    } catch (error) {
      const code = errorCode(error);
      if (code === null) throw error;
      // If the file were skipped, a changed key would look like a new one.
      const limit = localLimit(error, "handshake", this.file);
      if (limit !== null) throw limit;
      const problem = code === "ENOENT" || code === "ENOTDIR" ? null : code;
      const there = problem === null ? null : statsOf(this.file);
      // A pipe or device that cannot be read is not tried again: each attempt may take two seconds.
      return { ...empty, stats: there?.isFile() === false ? there : null, problem };
    }
  }

  #add({ known, lines }: Contents, stats: Stats, text: string): Contents {
    known.add(parseKnownHosts(text, this.file, lines));
    return { known, stats, lines: lines + text.split("\n").length - 1, problem: null };
  }
}

function statsOf(file: string): Stats | null {
  try {
    return statSync(file, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    const limit = localLimit(error, "handshake", file);
    if (limit !== null) throw limit;
    return null;
  }
}

function isSame(a: Stats | null, b: Stats | null): boolean {
  if (a === null || b === null) return a === b;
  // A pipe, such as a shell's <(...), can be read only once.
  if (!a.isFile()) return true;
  return a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeMs === b.mtimeMs;
}
