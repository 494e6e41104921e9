/** One known_hosts file on disk: read once, and again only where it has changed. */
import { closeSync, fstatSync, openSync, readFileSync, statSync, type Stats } from "node:fs";
import { localLimit } from "../../contract/local-limit.js";
import { errorCode } from "../../lib/error-code.js";
import { appendLines } from "./append.js";
import { KnownIndex, type KnownKey } from "./lookup.js";
import { parseKnownHosts } from "./parse.js";

interface Contents {
  readonly index: KnownIndex;
  /** As the file was when it was read; null: missing or unreadable. */
  readonly stats: Stats | null;
  /** Newlines in it. */
  readonly lines: number;
  /** Why it could not be read; null too when it is not there. */
  readonly problem: string | null;
}

export class KnownFile {
  #contents: Contents | null = null;
  /** The file was looked at in this turn of the event loop: a handshake asks for several names at once. */
  #isFresh = false;

  constructor(private readonly file: string) {}

  /** The lines that name `name`. Sees what others wrote to the file since: operators mend it while we run. */
  lookup(name: string): readonly KnownKey[] {
    return this.#current().index.lookup(name);
  }

  /** The code of the system's error (`EACCES`, ...) when the file is there and cannot be read. */
  problem(): string | null {
    return this.#current().problem;
  }

  /** Another process may have written to it this moment: the next question looks again. */
  expire(): void {
    this.#isFresh = false;
  }

  /** As `appendLines`. Does not read the file again, unless another program wrote to it in between. */
  append(lines: string, sshDir: string): void {
    const before = this.#current();
    const { text, stats } = appendLines(this.file, lines, sshDir);
    const alone = (before.stats?.size ?? 0) + text.length === stats.size && before.problem === null;
    this.#contents = alone ? this.#add(before, stats, text) : null;
  }

  #current(): Contents {
    const known = this.#contents;
    if (known !== null && this.#isFresh) return known;
    this.#isFresh = true;
    setImmediate(() => (this.#isFresh = false));
    const now = known === null || !isSame(known.stats, statsOf(this.file)) ? this.#read() : known;
    this.#contents = now;
    return now;
  }

  #read(): Contents {
    const empty = { index: new KnownIndex(), stats: null, lines: 0, problem: null };
    let descriptor: number | null = null;
    try {
      descriptor = openSync(this.file, "r");
      const stats = fstatSync(descriptor);
      return this.#add(empty, stats, readFileSync(descriptor, "latin1"));
    } catch (error) {
      const code = errorCode(error);
      if (code === null) throw error;
      // Passed over, the file could not tell a changed key from a new one.
      const limit = localLimit(error, "handshake", this.file);
      if (limit !== null) throw limit;
      return { ...empty, problem: code === "ENOENT" || code === "ENOTDIR" ? null : code };
    } finally {
      if (descriptor !== null) closeSync(descriptor);
    }
  }

  #add({ index, lines }: Contents, stats: Stats, text: string): Contents {
    index.add(parseKnownHosts(text, this.file, lines));
    return { index, stats, lines: lines + text.split("\n").length - 1, problem: null };
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
  // A pipe, as a shell's <(...) gives, can be read once.
  if (!a.isFile()) return true;
  return a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeMs === b.mtimeMs;
}
