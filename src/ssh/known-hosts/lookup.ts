/** Which lines of a file name a host: exact names from a map, patterns and hashes one by one. */
import { isAscii } from "../../lib/bytes.js";
import { lowerAscii } from "../../lib/text.js";
import { readKeyText, ShortKeyError, type PublicKey } from "../keys/public-key.js";
import { WireError } from "../keys/wire-reader.js";
import { nameHasher, type HashedName } from "./hashed-name.js";
import type { KnownLine } from "./host-key.js";
import { matchesList, splitList } from "./match.js";
import type { KnownHostsEntry, Marker } from "./parse.js";

/** A line that names the host asked for, with a key that ssh can read. */
export interface KnownKey {
  readonly at: KnownLine;
  readonly marker: Marker;
  readonly key: PublicKey;
}

/** The lines that name a host, in the order of the files. `name` in lower case, `[host]:port` off port 22. */
export type Lookup = (name: string) => readonly KnownKey[];

/** The lines of one file by the names they name. Answers are kept until lines are added. */
export class KnownIndex {
  readonly #exact = new Map<string, KnownHostsEntry[]>();
  /** Hashed lines whose name has been asked for. */
  readonly #unhashed = new Map<string, KnownHostsEntry[]>();
  readonly #patterns: { readonly entry: KnownHostsEntry; readonly list: string }[] = [];
  /** Hashed lines whose name nobody has asked for yet. */
  readonly #hashed = new Set<{ readonly entry: KnownHostsEntry; readonly hash: HashedName }>();
  readonly #answers = new Map<string, readonly KnownKey[]>();

  add(entries: readonly KnownHostsEntry[]): void {
    this.#answers.clear();
    for (const entry of entries) {
      const { names } = entry;
      if (names.kind === "hashed") this.#hashed.add({ entry, hash: names.hash });
      else if (names.kind === "patterns") this.#patterns.push({ entry, list: names.list });
      else for (const name of new Set(splitList(lowerAscii(names.list)))) addTo(this.#exact, name, entry);
    }
  }

  lookup(name: string): readonly KnownKey[] {
    const bytes = isAscii(name) ? name : Buffer.from(name, "utf8").toString("latin1");
    const answer = this.#answers.get(bytes) ?? this.#find(bytes);
    this.#answers.set(bytes, answer);
    return answer;
  }

  #find(name: string): readonly KnownKey[] {
    this.#nameHashed(name);
    // A hash tells capitals apart, a pattern does not; ssh asks in lower case, ssh-keygen -F as typed.
    const lower = lowerAscii(name);
    const named = [...(this.#exact.get(lower) ?? []), ...(this.#unhashed.get(name) ?? [])];
    const patterned = this.#patterns.filter(({ list }) => matchesList(lower, list)).map(({ entry }) => entry);
    return [...named, ...patterned].sort((a, b) => a.at.line - b.at.line).flatMap(withKey);
  }

  /** A hash is of one name: once that is known, the line need not be hashed for any other. */
  #nameHashed(name: string): void {
    if (this.#hashed.size === 0) return;
    const isHashOf = nameHasher(name);
    for (const item of this.#hashed) {
      if (!isHashOf(item.hash)) continue;
      this.#hashed.delete(item);
      addTo(this.#unhashed, name, item.entry);
    }
  }
}

function withKey({ at, marker, keyText }: KnownHostsEntry): KnownKey[] {
  try {
    return [{ at, marker, key: readKeyText(keyText) }];
  } catch (error) {
    if (error instanceof WireError || error instanceof ShortKeyError) return [];
    throw error;
  }
}

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
