/**
 * Facts of hosts in files between runs (docs/cache.md): a small file a host, replaced as a whole, so that runs side by side
 * never read half of one. Whatever is wrong with a file or the folder costs the cache and nothing else.
 */
import { createHash, randomBytes } from "node:crypto";
import { readdir, rename, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FactsStore } from "../contract/facts-store.js";
import { unlessLater } from "./unless-later.js";
import type { Clock } from "../lib/clock.js";
import { isTrustedFolder, makeTrustedFolder, opens, readTrusted } from "./trusted-files.js";

/** Changes with the meaning of what is in the files. */
const FORMAT = 1;
export const MAX_FACTS_FILE_BYTES = 131_072;
/** As many hosts are kept; others are read without. */
const MAX_FACTS_FILES = 20_000;
/** Facts are of no use much earlier (remote/kept-facts.ts). */
const MAX_FILE_AGE_MS = 86_400_000;
/** Of how many files a run looks at the age: all of them, run by run. */
const AGED_PER_RUN = 200;
/** A home on a network file system may hang; a host does not wait for it. */
const MAX_READ_MS = 500;
/** So long after the folder has answered its files are read at once, as known_hosts is. */
const MAX_ANSWER_AGE_MS = 1_000;
/**
 * Other hosts wait while a file is read: 0.05 ms on a disk, 10 ms and more on a slow network file system. Past this
 * time, and this much more for each file read, no more are read in this run.
 */
const MAX_READING_MS = 100;
const MAX_FILE_MS = 1;
const MAX_CLOSE_MS = 1_000;
const FILE_NAME = /^[\da-f]{64}\.json(?:\.[\da-f]{12}\.tmp)?$/;

export class FactsFiles implements FactsStore {
  readonly #folder: string;
  readonly #program: string;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #maxFiles: number;
  /** Whether the folder may be read, as it answered last, and when; null: it has not answered. */
  #readable: { readonly is: boolean; readonly atMs: number } | null = null;
  #asking: Promise<boolean> | null = null;
  /** How long the files read so far have taken. */
  #readingMs = 0;
  #filesRead = 0;
  /** The files in the folder when this run first wrote; null: it may not be written. */
  #files: Promise<Set<string> | null> | null = null;
  readonly #writing = new Set<Promise<void>>();

  /** `program`: its version; files of others are not read. */
  constructor(
    folder: string,
    program: string,
    clock: Clock,
    { random = Math.random, maxFiles = MAX_FACTS_FILES } = {},
  ) {
    this.#folder = folder;
    this.#program = program;
    this.#clock = clock;
    this.#random = random;
    this.#maxFiles = maxFiles;
  }

  async read(key: string): Promise<unknown> {
    const known = this.#readable;
    if (known !== null && (!known.is || this.#clock.nowMs() - known.atMs < MAX_ANSWER_AGE_MS))
      return known.is ? this.#readTimed(key) : null;
    this.#asking ??= this.#askFolder();
    const isReadable = await unlessLater(this.#asking, false, MAX_READ_MS, this.#clock);
    return isReadable ? this.#readTimed(key) : null;
  }

  /** One that may not be read stays so for this run. */
  async #askFolder(): Promise<boolean> {
    const is = (await isTrustedFolder(this.#folder)) && (await opens(this.#folder));
    this.#readable = { is, atMs: this.#clock.nowMs() };
    this.#asking = null;
    return is;
  }

  #readTimed(key: string): unknown {
    if (this.#readable?.is !== true) return null;
    const begunAtMs = this.#clock.nowMs();
    const facts = this.#read(key);
    const nowMs = this.#clock.nowMs();
    this.#readingMs += nowMs - begunAtMs;
    this.#filesRead += 1;
    if (this.#readingMs > MAX_READING_MS + MAX_FILE_MS * this.#filesRead)
      this.#readable = { is: false, atMs: nowMs };
    return facts;
  }

  #read(key: string): unknown {
    try {
      const value: unknown = JSON.parse(readTrusted(this.#path(key), MAX_FACTS_FILE_BYTES));
      return this.#isOfThisProgram(value) ? value.facts : null;
    } catch {
      return null;
    }
  }

  #isOfThisProgram(value: unknown): value is { readonly facts: unknown } {
    if (typeof value !== "object" || value === null || !("facts" in value)) return false;
    const { format, program } = value as { readonly format?: unknown; readonly program?: unknown };
    return format === FORMAT && program === this.#program;
  }

  write(key: string, facts: unknown): void {
    const writing = this.#write(key, facts).catch(() => undefined);
    this.#writing.add(writing);
    void writing.then(() => this.#writing.delete(writing));
  }

  async #write(key: string, facts: unknown): Promise<void> {
    const files = await (this.#files ??= this.#prepare());
    if (files === null) return;
    const text = `${JSON.stringify({ format: FORMAT, program: this.#program, facts })}\n`;
    if (Buffer.byteLength(text) > MAX_FACTS_FILE_BYTES) return;
    const name = fileName(key);
    const path = join(this.#folder, name);
    if (files.size >= this.#maxFiles && !files.has(name)) return;
    files.add(name);
    const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      // Never through a file that is there. It is new with each run, so a lost one after a power cut costs nothing.
      await writeFile(temporary, text, { flag: "wx", mode: 0o600 });
      await rename(temporary, path);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    const all = Promise.all(this.#writing).then(() => undefined);
    await unlessLater(all, undefined, MAX_CLOSE_MS, this.#clock);
  }

  /** Makes the folder and removes old files. */
  async #prepare(): Promise<Set<string> | null> {
    try {
      await makeTrustedFolder(this.#folder);
      const names = (await readdir(this.#folder)).filter((name) => FILE_NAME.test(name));
      const files = new Set(names);
      const start = Math.floor(this.#random() * Math.max(1, names.length - AGED_PER_RUN + 1));
      const oldestMs = this.#clock.wallMs() - MAX_FILE_AGE_MS;
      for (const name of names.slice(start, start + AGED_PER_RUN)) {
        const { mtimeMs } = await stat(join(this.#folder, name));
        if (mtimeMs >= oldestMs) continue;
        await unlink(join(this.#folder, name));
        files.delete(name);
      }
      return files;
    } catch {
      return null;
    }
  }

  #path(key: string): string {
    return join(this.#folder, fileName(key));
  }
}

/** No text of a host or an operator is in a path. */
function fileName(key: string): string {
  return `${createHash("sha256").update(key).digest("hex")}.json`;
}
