/** Host key checks to make with ssh and with our own code. In texts, `{ed25519}` is the server's key of that type,
 * `{other-ed25519}` another one, `{name}` 127.0.0.1 and `{ported}` the same with the port. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import type { HostKeyPolicy } from "../../../src/contract/ssh-options.js";

/** Which host keys the server has. */
export type ServerName = "all" | "ed25519" | "rsa";

export interface Scenario {
  readonly name: string;
  readonly server?: ServerName;
  /** User files; null: not there. Empty: `none`. */
  readonly user: readonly (string | null)[];
  readonly global?: readonly (string | null)[];
  /** RevokedHostKeys; null: not there. */
  readonly revoked?: string | null;
  /** The first user file's name below the case's folder. */
  readonly userFile?: string;
  /** Called with the first user file's path once all are written. */
  readonly arrange?: (file: string) => void;
  readonly alias?: string;
  readonly hash?: boolean;
  /** `yes` and `accept-new` by default. */
  readonly policies?: readonly HostKeyPolicy[];
  /** Under which policies we differ from ssh, and why that stays. */
  readonly differs?: Partial<Record<HostKeyPolicy, string>>;
}

const REVOKED_WINS = "a revoked key is refused wherever a line names the host, with its port or without";
const NO_IS_NOT_BLIND = "a changed or revoked key is refused under every policy";
const NO_GLUE = "ssh 9.2 glues its line to a last line without newline; later versions do not";

function linkToFile(file: string): void {
  writeFileSync(`${file}.real`, "# here\n");
  symlinkSync(`${file}.real`, file);
}

export const scenarios: readonly Scenario[] = [
  // Known.
  { name: "known by ed25519", user: ["{ported} {ed25519}\n"] },
  { name: "known only by ecdsa", user: ["{ported} {ecdsa}\n"] },
  { name: "known only by rsa", user: ["{ported} {rsa}\n"] },
  { name: "known by rsa and ecdsa", user: ["{ported} {rsa}\n{ported} {ecdsa}\n"] },
  { name: "known by all", user: ["{ported} {rsa}\n{ported} {ecdsa}\n{ported} {ed25519}\n"] },
  { name: "known in a later line", user: ["# a comment\n\nx {other-rsa}\n{ported} {ed25519} comment\n"] },
  { name: "known in the second file", user: [null, "{ported} {ed25519}\n"] },
  { name: "known in the global file", user: [null], global: ["{ported} {ed25519}\n"] },
  { name: "known in the global file, user files none", user: [], global: ["{ported} {ed25519}\n"] },
  {
    name: "known twice",
    user: ["{ported} {ed25519}\n{ported} {ed25519}\n"],
    global: ["{ported} {ed25519}\n"],
  },
  { name: "hashed", user: ["{hash {ported}} {ed25519}\n"] },
  { name: "hashed, only rsa", user: ["{hash {ported}} {rsa}\n"] },
  { name: "hashed without the port", user: ["{hash {name}} {ed25519}\n"] },
  { name: "wildcard", user: ["[127.0.0.?]:* {ed25519}\n"] },
  { name: "wildcard for all", user: ["* {ed25519}\n"] },
  { name: "in a list", user: ["a,b,{ported},c {ed25519}\n"] },
  { name: "negated", user: ["*,!{ported} {ed25519}\n"] },
  { name: "negated without the port only", user: ["*,!{name} {ed25519}\n"] },
  { name: "carriage returns", user: ["x {other-rsa}\r\n{ported} {ed25519}\r\n"] },
  { name: "tabs", user: ["\t{ported}\t{ed25519}\n"] },
  { name: "no final newline", user: ["{ported} {ed25519}"] },
  { name: "comment on the key", user: ["{ported} {ed25519} root@somewhere else\n"] },

  // The name without its port.
  { name: "known without the port", user: ["{name} {ed25519}\n"] },
  { name: "without the port another key", user: ["{name} {other-ed25519}\n"] },
  { name: "without the port another type", user: ["{name} {rsa}\n"] },
  {
    name: "with the port another, without it this key",
    user: ["{ported} {other-ed25519}\n{name} {ed25519}\n"],
  },
  {
    name: "revoked without the port",
    user: ["@revoked {name} {ed25519}\n"],
    policies: ["yes", "accept-new", "no"],
    differs: { "accept-new": REVOKED_WINS, no: REVOKED_WINS },
  },
  {
    name: "revoked without the port, known without it",
    user: ["@revoked {name} {ed25519}\n{name} {ed25519}\n"],
    differs: { "accept-new": REVOKED_WINS },
  },
  {
    name: "revoked without the port, known with it",
    user: ["@revoked {name} {ed25519}\n{ported} {ed25519}\n"],
  },

  // Unknown.
  { name: "an empty file", user: [""] },
  { name: "no file", user: [null] },
  { name: "no file in the second place", user: ["", null] },
  { name: "another host", user: ["other.example {ed25519}\n[127.0.0.1]:1 {ed25519}\n"] },
  { name: "files none", user: [], policies: ["yes", "accept-new", "no"] },
  { name: "files none, known without the port", user: [], global: ["{name} {ed25519}\n"] },
  { name: "garbage", user: ["garbage\n{ported}\n{ported} ssh-ed25519\n{ported} ssh-ed25519 AAAA\n"] },
  { name: "SSH1 line", user: ["{ported} 1024 35 123456789\n"] },
  { name: "unknown, hashing", user: [""], hash: true },
  { name: "unknown, hashing, no file", user: [null], hash: true },
  {
    name: "unknown, file without final newline",
    user: ["other.example {rsa}"],
    differs: { "accept-new": NO_GLUE },
  },
  { name: "unknown, policy no", user: [null], policies: ["no"] },
  { name: "unknown, rsa server", user: [null], server: "rsa" },

  // Odd files.
  { name: "a folder that is not there", user: [null], userFile: "missing/known_hosts" },
  { name: "a symlink to nothing", user: [null], arrange: (file) => symlinkSync(`${file}.real`, file) },
  {
    name: "a symlink into a missing folder",
    user: [null],
    arrange: (file) => symlinkSync("missing/x", file),
  },
  {
    name: "a symlink to a file",
    user: [null],
    arrange: linkToFile,
  },
  { name: "a symlink to itself", user: [null], arrange: (file) => symlinkSync(file, file) },
  { name: "a folder in the file's place", user: [null], arrange: (file) => mkdirSync(file) },
  {
    name: "a file that nobody may write",
    user: ["other {rsa}\n"],
    arrange: (file) => chmodSync(file, 0o400),
  },
  {
    name: "a file that nobody may read",
    user: ["{ported} {ed25519}\n"],
    arrange: (file) => chmodSync(file, 0),
  },
  { name: "/dev/null", user: [null], arrange: (file) => symlinkSync("/dev/null", file) },

  // Changed.
  { name: "changed", user: ["{ported} {other-ed25519}\n"] },
  { name: "changed, in the global file", user: [null], global: ["{ported} {other-ed25519}\n"] },
  { name: "changed, hashed", user: ["# c\n{hash {ported}} {other-ed25519}\n"] },
  { name: "changed, the last line is named", user: ["{ported} {other-ed25519}\n{ported} {other-rsa}\n"] },
  {
    name: "changed in one file, known in the other",
    user: ["{ported} {other-ed25519}\n"],
    global: ["{ported} {ed25519}\n"],
  },
  {
    name: "two keys of one type, one is it",
    user: ["{ported} {other-ed25519}\n{ported} {ed25519}\n{ported} {other-rsa}\n"],
  },
  { name: "ed25519 changed, rsa right", user: ["{ported} {other-ed25519}\n{ported} {rsa}\n"] },
  { name: "ecdsa changed, rsa right", user: ["{ported} {other-ecdsa}\n{ported} {rsa}\n"] },
  { name: "known by rsa, server has only ed25519", server: "ed25519", user: ["{ported} {rsa}\n"] },
  { name: "known by ed25519, server has only rsa", server: "rsa", user: ["{ported} {ed25519}\n"] },
  {
    name: "changed without strictness",
    user: ["{ported} {other-ed25519}\n"],
    policies: ["no"],
    differs: { no: NO_IS_NOT_BLIND },
  },

  // Revoked.
  { name: "revoked", user: ["@revoked {ported} {ed25519}\n"] },
  { name: "revoked after known", user: ["{ported} {ed25519}\n@revoked {ported} {ed25519}\n"] },
  { name: "revoked before known", user: ["@revoked {ported} {ed25519}\n{ported} {ed25519}\n"] },
  { name: "revoked for all hosts", user: ["{ported} {ed25519}\n"], global: ["@revoked * {ed25519}\n"] },
  { name: "revoked hashed", user: ["{ported} {ed25519}\n@revoked {hash {ported}} {ed25519}\n"] },
  { name: "revoked, another type known", user: ["@revoked * {ed25519}\n{ported} {rsa}\n"] },
  { name: "revoked for another host", user: ["@revoked other.example {ed25519}\n{ported} {ed25519}\n"] },
  { name: "another key revoked", user: ["@revoked * {other-ed25519}\n{ported} {ed25519}\n"] },
  {
    name: "revoked without strictness",
    user: ["@revoked * {ed25519}\n"],
    policies: ["no"],
    differs: { no: NO_IS_NOT_BLIND },
  },
  {
    name: "RevokedHostKeys names it",
    user: ["{ported} {ed25519}\n"],
    revoked: "# c\n{other-rsa}\n{ed25519} comment\n",
    policies: ["yes", "accept-new", "no"],
  },
  { name: "RevokedHostKeys names another", user: ["{ported} {ed25519}\n"], revoked: "{other-ed25519}\n" },
  { name: "RevokedHostKeys is missing", user: ["{ported} {ed25519}\n"], revoked: null },
  { name: "RevokedHostKeys is empty", user: ["{ported} {ed25519}\n"], revoked: "" },
  { name: "RevokedHostKeys has garbage", user: ["{ported} {ed25519}\n"], revoked: "garbage\n" },
  {
    name: "RevokedHostKeys has garbage after the key",
    user: ["{ported} {ed25519}\n"],
    revoked: "{ed25519}\ngarbage\n",
  },
  {
    name: "RevokedHostKeys has garbage before the key",
    user: ["{ported} {ed25519}\n"],
    revoked: "garbage\n{ed25519}\n",
  },
  { name: "RevokedHostKeys has a carriage return", user: ["{ported} {ed25519}\n"], revoked: "{ed25519}\r\n" },
  { name: "RevokedHostKeys, host unknown", user: [null], revoked: "{ed25519}\n" },

  // Authorities: the servers have plain keys, so a CA line by itself confirms nothing.
  { name: "only an authority", user: ["@cert-authority * {other-ed25519}\n"] },
  { name: "the server's own key as authority", user: ["@cert-authority * {ed25519}\n"] },
  { name: "an authority and the key", user: ["@cert-authority * {other-ed25519}\n{ported} {ed25519}\n"] },

  // HostKeyAlias.
  { name: "alias known", alias: "Gpu-1", user: ["gpu-1 {ed25519}\n"] },
  { name: "alias unknown, address known", alias: "gpu-1", user: ["{ported} {ed25519}\n{name} {ed25519}\n"] },
  { name: "alias changed", alias: "gpu-1", user: ["gpu-1 {other-ed25519}\n"] },
  { name: "alias revoked", alias: "gpu-1", user: ["@revoked gpu-1 {ed25519}\n"] },
  { name: "alias hashed", alias: "gpu-1", user: ["{hash gpu-1} {rsa}\n"] },
  { name: "alias hashing", alias: "GPU-1", user: [null], hash: true },
];
