/** Which lines of a known_hosts file are for a host. */
import { isAscii } from "../../lib/bytes.js";
import { readKeyText, ShortKeyError, type PublicKey } from "../keys/public-key.js";
import { WireError } from "../keys/wire.js";
import { isNamed } from "./entry-names.js";
import type { KnownLine } from "./host-key.js";
import type { KnownHostsEntry, Marker } from "./parse.js";

/** A line for the host asked for, with a key that ssh can read. */
export interface KnownKey {
  readonly at: KnownLine;
  readonly marker: Marker;
  readonly key: PublicKey;
}

/** The lines for a host, in the order of the files. `name` in lower case, `[host]:port` off port 22. */
export type Lookup = (name: string) => readonly KnownKey[];

/** The lines of one file. */
export interface KnownLines {
  /** In the order of their line numbers. */
  add(entries: readonly KnownHostsEntry[]): void;
  readonly lookup: Lookup;
}

/** Every line in turn, as ssh reads the file. fast/known-index.ts answers the same from an index. */
export class KnownList implements KnownLines {
  readonly #entries: KnownHostsEntry[] = [];

  add(entries: readonly KnownHostsEntry[]): void {
    for (const entry of entries) this.#entries.push(entry);
  }

  lookup(name: string): readonly KnownKey[] {
    const bytes = bytesOf(name);
    return this.#entries.filter(({ names }) => isNamed(names, bytes)).flatMap(keysOf);
  }
}

/** A name as the files hold it: one byte a character. */
export function bytesOf(name: string): string {
  return isAscii(name) ? name : Buffer.from(name, "utf8").toString("latin1");
}

/** The line with its key decoded; none where ssh cannot read the key. */
export function keysOf({ at, marker, keyText }: KnownHostsEntry): KnownKey[] {
  try {
    return [{ at, marker, key: readKeyText(keyText) }];
  } catch (error) {
    if (error instanceof WireError || error instanceof ShortKeyError) return [];
    throw error;
  }
}
