/** A machine that exists only in memory: files by path, names that resolve, and a log of what `Match exec` ran. */
import { matchPattern } from "../../../src/lib/wildcard.js";
import { NEWEST_DIALECT, NEWEST_RELEASE, type DialectVersion } from "../../../src/ssh/config/dialect.js";
import type { ConfigEnvironment, NameFound, SshVerdict } from "../../../src/ssh/config/environment.js";
import type { FileText } from "../../../src/ssh/config/load.js";

export interface FakeMachine {
  readonly files?: Readonly<Record<string, string | FileText>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Names that resolve, with their canonical names. */
  readonly names?: Readonly<Record<string, string>>;
  /** Names whose look-up gets no answer. */
  readonly hanging?: readonly string[];
  readonly addresses?: readonly string[];
  readonly dialect?: DialectVersion;
  readonly release?: string;
  /** The verdict of the installed ssh on the files; null, or absent: none is installed. */
  readonly verdict?: SshVerdict | null;
  /** Commands that exit with 0. */
  readonly succeeding?: readonly string[];
}

export interface FakeEnvironment extends ConfigEnvironment {
  readonly executed: string[];
  readonly read: string[];
  readonly lookedUp: string[];
}

export function fakeEnvironment(machine: FakeMachine = {}): FakeEnvironment {
  const { files = {}, env = {}, names = {}, succeeding = [] } = machine;
  const executed: string[] = [];
  const read: string[] = [];
  const lookedUp: string[] = [];
  const homeOf = (user: string | null): string | null =>
    user === null ? "/home/me" : user === "other" ? "/home/other" : null;
  return {
    executed,
    read,
    lookedUp,
    env,
    dialect: machine.dialect ?? NEWEST_DIALECT,
    release: machine.release ?? NEWEST_RELEASE,
    uid: 1000,
    localUser: "me",
    home: "/home/me",
    localHostname: "laptop.lan",
    homeOf,
    includeHome: homeOf,
    servicePort: (name) => (name === "ssh" ? 22 : null),
    files: {
      read: (path) => {
        read.push(path);
        const found = Object.hasOwn(files, path) ? files[path] : undefined;
        if (found === undefined) return Promise.resolve({ kind: "missing" });
        return Promise.resolve(typeof found === "string" ? { kind: "text", text: found } : found);
      },
      glob: (pattern) => Promise.resolve(Object.keys(files).filter((path) => matchPattern(path, pattern))),
    },
    runMatchExec: (command) => {
      executed.push(command);
      return Promise.resolve(succeeding.includes(command));
    },
    lookup: (name) => {
      lookedUp.push(name);
      if (machine.hanging?.includes(name) === true) return Promise.resolve("no-answer");
      const canonicalName = Object.hasOwn(names, name) ? names[name] : undefined;
      const found: NameFound | null = canonicalName === undefined ? null : { canonicalName };
      return Promise.resolve(found);
    },
    askSsh: () => Promise.resolve(machine.verdict ?? null),
    localAddresses: () => machine.addresses ?? [],
  };
}
