/** known_hosts for the configuration of one host: which files, in which order, and where new keys are added. */
import { userInfo } from "node:os";
import { join } from "node:path";
import { HostError } from "../../contract/errors.js";
import { errorCode } from "../../lib/error-code.js";
import type { HostKey } from "../keys/fingerprint.js";
import { readPublicKey } from "../keys/public-key.js";
import { knownHostsLines } from "./append.js";
import type { HostKeyVerdict, HostKeyNames, KnownLine } from "./host-key.js";
import { knownTypes, type KnownTypes } from "./key-types.js";
import { KnownFile } from "./known-file.js";
import { KnownList, type KnownLines, type Lookup } from "./lookup.js";
import { readRevocationFile, type RevocationFile } from "./revoked.js";
import { judgeHostKey } from "./verdict.js";

export interface KnownHostsFiles {
  /** UserKnownHostsFile, expanded; empty for `none`. New keys are added to the first. */
  readonly userFiles: readonly string[];
  /** GlobalKnownHostsFile. */
  readonly globalFiles: readonly string[];
  /** RevokedHostKeys; empty for `none`. */
  readonly revokedFiles: readonly string[];
}

/** A file that exists but cannot be read. ssh skips it silently. */
export interface UnreadableFile {
  readonly file: string;
  /** `EACCES`, ... */
  readonly code: string;
}

export interface Remembering {
  readonly hash: boolean;
  readonly onAdded?: (file: string) => void;
}

export interface KnownHosts {
  /** Throws WireError or ShortKeyError for a key that no server may have, HostError for a file that cannot be opened now. */
  verdict(names: HostKeyNames, key: HostKey): HostKeyVerdict;
  /** For `preferKnown`. */
  knownTypes(names: HostKeyNames): KnownTypes;
  /** The types of the host's known keys, `ssh-rsa` standing for all RSA signature algorithms. */
  knownKeyTypes(names: HostKeyNames): readonly string[];
  /** The first @cert-authority line for the host; null when there is none. */
  authorityAt(names: HostKeyNames): KnownLine | null;
  /** False without a user file: ssh then refuses unknown hosts under every policy. */
  readonly canRemember: boolean;
  /** The files that are searched, in order. */
  readonly files: readonly string[];
  /** Those of `files` that exist but cannot be read. */
  unreadable(): readonly UnreadableFile[];
  /**
   * Adds the key for each of the names that has no such key yet, as accept-new does. Returns a warning when it cannot
   * be written; the connection continues, as in ssh. `onAdded` is called with the file where a line was added.
   */
  remember(names: HostKeyNames, key: HostKey, how: Remembering): Promise<string | null>;
}

const NO_KEYS: ReturnType<Lookup> = [];

/** Shared by all hosts of a process, so that each file is read once. */
export class KnownHostsStore {
  readonly #known = new Map<string, KnownFile>();
  readonly #revoked = new Map<string, RevocationFile>();

  /**
   * `makeLines`: how the lines of a file are held, `KnownList` or the faster `KnownIndex`. `sshDir`: the one folder that
   * `remember` may create, ~/.ssh by default, with the home directory of the password database.
   */
  constructor(
    private readonly makeLines: () => KnownLines = () => new KnownList(),
    private readonly sshDir = join(userInfo().homedir, ".ssh"),
  ) {}

  open(files: KnownHostsFiles): KnownHosts {
    const searched = [...files.userFiles, ...files.globalFiles];
    const lookup: Lookup = (name) => {
      const found = searched.map((file) => this.#file(file).lookup(name)).filter((keys) => keys.length > 0);
      return found.length < 2 ? (found[0] ?? NO_KEYS) : found.flat();
    };
    return {
      verdict: (names, key) => {
        const parsed = readPublicKey(key.blob);
        for (const file of files.revokedFiles) {
          const check = this.#revocations(file)(parsed);
          if (check.kind !== "clear") return check;
        }
        return judgeHostKey(lookup, names, parsed, Date.now() / 1000);
      },
      knownTypes: (names) => knownTypes(lookup, names),
      knownKeyTypes: (names) => knownTypes(lookup, names).keyTypes,
      authorityAt: (names) => lookup(names.name).find((line) => line.marker === "cert-authority")?.at ?? null,
      canRemember: files.userFiles.length > 0,
      files: searched,
      unreadable: () =>
        searched.flatMap((file) => {
          const code = this.#file(file).problem();
          return code === null ? [] : [{ file, code }];
        }),
      remember: (names, key, how) =>
        new Promise((resolve) => resolve(this.#remember(files.userFiles[0], lookup, names, key, how))),
    };
  }

  #file(path: string): KnownFile {
    const file = this.#known.get(path) ?? new KnownFile(path, this.makeLines);
    this.#known.set(path, file);
    return file;
  }

  #revocations(file: string): RevocationFile {
    const known = this.#revoked.get(file) ?? readRevocationFile(file);
    this.#revoked.set(file, known);
    return known;
  }

  // Synchronous from the check to the write: two hosts of one process can never add the same line.
  #remember(
    file: string | undefined,
    lookup: Lookup,
    names: HostKeyNames,
    key: HostKey,
    { hash, onAdded }: Remembering,
  ): string | null {
    if (file === undefined) return null;
    this.#file(file).expire();
    const { identity, plainType, plainBlob } = readPublicKey(key.blob);
    const isNew = (name: string): boolean =>
      !lookup(name).some((line) => line.marker === "none" && line.key.identity === identity);
    try {
      const unknown = [names.name, ...(names.address === null ? [] : [names.address])].filter(isNew);
      if (unknown.length === 0) return null;
      this.#file(file).append(knownHostsLines(unknown, plainType, plainBlob, hash), this.sshDir);
      onAdded?.(file);
      return null;
    } catch (error) {
      const code = error instanceof HostError ? error.message : errorCode(error);
      if (code === null) throw error;
      return `Failed to add the host to the list of known hosts (${file}): ${code}`;
    }
  }
}
