/** What resolving a host asks of the machine it runs on. Types only; local-environment.ts is the real one. */
import type { ConfigSource, LoadContext } from "./load.js";

/** A name that the system's resolver knows; the canonical name is asked for only where CNAMEs may be followed. */
export interface NameFound {
  readonly canonicalName: string | null;
}

export type AddressFamily = "any" | "inet" | "inet6";

/** What `ssh -G` makes of the files for a host. */
export type SshVerdict =
  | { readonly kind: "accepted"; readonly hostname: string; readonly user: string; readonly port: number }
  /** Its lines on standard error. */
  | { readonly kind: "refused"; readonly complaints: readonly string[] };

export interface ConfigEnvironment extends LoadContext {
  readonly localUser: string;
  readonly localHostname: string;
  readonly uid: number;
  /** What `Match version` compares with, as `OpenSSH_9.2p1 Debian-2`. */
  readonly release: string;
  /** The home directory of a user (null: of the one who runs us) in the password database; null: no such user. */
  homeOf(user: string | null): string | null;
  /** Runs a `Match exec` command by the user's shell. True: it exited with 0. Throws when it could not be run. */
  runMatchExec(command: string): Promise<boolean>;
  /**
   * Looks a name up as ssh would before it connects; null when there is no such name. `connectTimeoutSecs` is the
   * config's, null where it has none: what takes longer has "no-answer".
   */
  lookup(
    name: string,
    family: AddressFamily,
    wantCanonicalName: boolean,
    connectTimeoutSecs: number | null,
  ): Promise<NameFound | "no-answer" | null>;
  /** Asks the installed ssh for its opinion of the files. Null: there is none, or it does not answer. */
  askSsh(
    source: ConfigSource,
    target: { readonly user?: string; readonly host: string; readonly port?: number },
  ): Promise<SshVerdict | null>;
  /** Addresses of the network interfaces that are up, for `Match localnetwork`. */
  localAddresses(): readonly string[];
}
