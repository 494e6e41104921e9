/**
 * `KnownList` with an index: exact names from a map, each hashed line hashed until its name is found, and answers kept
 * until lines are added. For 1,000 hosts that each ask for several names among 1,000 lines.
 */
import { lowerAscii } from "../../../lib/text.js";
import { splitPatternList } from "../../../lib/wildcard.js";
import { isNamed } from "../entry-names.js";
import { bytesOf, keysOf, type KnownKey, type KnownLines } from "../lookup.js";
import type { KnownHostsEntry } from "../parse.js";
import { nameHasher, prepareHash, type PreparedHash } from "./hashed-search.js";

/** Answers that are kept of a file: the names of a large fleet, each asked for a few times in a row. */
const MAX_ANSWERS = 20_000;
const NO_KEYS: readonly KnownKey[] = [];

export class KnownIndex implements KnownLines {
  readonly #exact = new Map<string, KnownHostsEntry[]>();
  readonly #patterns: KnownHostsEntry[] = [];
  /** Hashed lines whose name is known by now. */
  readonly #unhashed = new Map<string, KnownHostsEntry[]>();
  /** Hashed lines whose name nobody has asked for yet. */
  readonly #hashed = new Set<{ readonly entry: KnownHostsEntry; readonly hash: PreparedHash }>();
  readonly #answers = new Map<string, readonly KnownKey[]>();

  add(entries: readonly KnownHostsEntry[]): void {
    this.#answers.clear();
    for (const entry of entries) {
      const { names } = entry;
      if (names.kind === "hashed") this.#hashed.add({ entry, hash: prepareHash(names.hash) });
      else if (names.kind === "patterns") this.#patterns.push(entry);
      else {
        const exact = new Set(splitPatternList(lowerAscii(names.list)));
        for (const name of exact) addTo(this.#exact, name, entry);
      }
    }
  }

  lookup(name: string): readonly KnownKey[] {
    if (this.#isEmpty) return NO_KEYS;
    const bytes = bytesOf(name);
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    const answer = this.#answers.get(bytes) ?? this.#find(bytes);
    this.#answers.set(bytes, answer);
    return answer;
  }

  get #isEmpty(): boolean {
    return this.#exact.size + this.#patterns.length + this.#unhashed.size + this.#hashed.size === 0;
  }

  #find(name: string): readonly KnownKey[] {
    this.#searchHashed(name);
    const named = [...(this.#exact.get(lowerAscii(name)) ?? []), ...(this.#unhashed.get(name) ?? [])];
    const patterned = this.#patterns.filter(({ names }) => isNamed(names, name));
    return [...named, ...patterned].sort((a, b) => a.at.line - b.at.line).flatMap(keysOf);
  }

  /** A hash is of one name: once that is known, the line need not be hashed for any other. */
  #searchHashed(name: string): void {
    if (this.#hashed.size === 0) return;
    const isHashOf = nameHasher(name);
    for (const item of this.#hashed) {
      if (!isHashOf(item.hash)) continue;
      this.#hashed.delete(item);
      addTo(this.#unhashed, name, item.entry);
    }
  }
}

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
