/** What a program that uses the library gives: hosts, and options named as the flags. */
import type { Section } from "../contract/record.js";
import type { HostKeyPolicy, SshClientChoice } from "../contract/ssh-options.js";

/** A host: `[user@]host[:port]`, or the same with labels that travel in each of its records. */
export type HostToWatch =
  string | { readonly host: string; readonly labels?: Readonly<Record<string, string>> };

/** Each option is as the flag of that name; one that is left out has the flag's default. */
export interface WatchOptions {
  /** Between readings, in milliseconds, from 100. Default: 2000. */
  readonly intervalMs?: number;
  /** `once`: one record a host, without retries. A number: that many ticks. Default: until the signal aborts. */
  readonly ticks?: "once" | number;
  /** Default: gpu, cpu, memory, chassis. */
  readonly include?: readonly Section[];
  /** Ids of vendor tools in the order they are tried where all-smi is not installed. Default: every known tool. */
  readonly fallback?: readonly string[];
  /** Each vendor tool's deadline on the host, in whole seconds. Default: 10. */
  readonly toolTimeoutSecs?: number;
  /** Leave out command lines and users of processes. */
  readonly redact?: boolean;
  readonly holdDriver?: "auto" | "never";
  /** Judge each record by the health rules: it gets `health`. */
  readonly health?: boolean;
  /** What each host should have, as `gpus=8`; a host's label `expect.gpus` wins. It shows in `health` too. */
  readonly expect?: readonly string[];
  /** Run tools also where every GPU of their vendor sleeps, which wakes them. */
  readonly wakeGpus?: boolean;
  /** Keep facts of hosts (never readings) between runs, in `$XDG_CACHE_HOME/allsmi-ssh`. Default: true. */
  readonly cache?: boolean;
  /** Where tools are on the hosts, by id; a host's labels `tool.ID` come before them. */
  readonly toolPaths?: Readonly<Record<string, string>>;
  readonly ssh?: {
    readonly keyFiles?: readonly string[];
    /** Read only this ssh_config; `none` reads no file. */
    readonly configFile?: string;
    readonly knownHostsFile?: string;
    readonly hostKeyPolicy?: HostKeyPolicy;
    /** Limit of the dial, and again of the handshake with authentication, in milliseconds. */
    readonly timeoutMs?: number;
    readonly client?: SshClientChoice;
    /** SSH handshakes at once, over all hosts. Default: 32. */
    readonly concurrency?: number;
  };
  /** Environment for ssh_config and the agent. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Its abort ends the stream soon, as if there were no more records. */
  readonly signal?: AbortSignal;
  /**
   * Takes warnings, what is done on a host beside reading it, and bugs of this library that concern one host, whose
   * record then has the code `internal-error`. Default: dropped.
   */
  readonly onMessage?: (level: "error" | "warning" | "info", message: string) => void;
}
