/** What is needed of the machine to resolve a host. Types only; local-environment.ts is the real one. */
import type { ConfigSource, LoadContext } from "./load.js";

/** A name that the system's resolver knows. The canonical name is looked up only where CNAMEs may be followed. */
export interface NameFound {
  readonly canonicalName: string | null;
}

export type AddressFamily = "any" | "inet" | "inet6";

/** The result of `ssh -G` for a host. */
export type SshVerdict =
  | { readonly kind: "accepted"; readonly hostname: string; readonly user: string; readonly port: number }
  /** Its lines on standard error. */
  | { readonly kind: "refused"; readonly complaints: readonly string[] };

export interface ConfigEnvironment extends LoadContext {
  readonly localUser: string;
  readonly localHostname: string;
  readonly uid: number;
  /** The release for `Match version`, such as `OpenSSH_9.2p1 Debian-2`. */
  readonly release: string;
  /** The home directory of a user (null: of our own user) in the password database; null: no such user. */
  homeOf(user: string | null): string | null;
  /** Runs a `Match exec` command in the user's shell. True: it exited with 0. Throws when it could not be run. */
  runMatchExec(command: string): Promise<boolean>;
  /**
   * Looks a name up as ssh would before it connects; null when there is no such name. `connectTimeoutSecs` is from the
   * config, null where it has none: a look-up that takes longer returns "no-answer".
   */
  lookup(
    name: string,
    family: AddressFamily,
    wantCanonicalName: boolean,
    connectTimeoutSecs: number | null,
  ): Promise<NameFound | "no-answer" | null>;
  /** Has the installed ssh read the files. Null: none is installed, or it does not answer. */
  askSsh(
    source: ConfigSource,
    target: { readonly user?: string; readonly host: string; readonly port?: number },
  ): Promise<SshVerdict | null>;
  /** Addresses of the network interfaces that are up, for `Match localnetwork`. */
  localAddresses(): readonly string[];
}
