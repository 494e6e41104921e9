/** What the SSH stage gives to the rest: an interface. No stage that uses it knows which client speaks SSH. */
import type { HostError } from "./errors.js";
import type { SshClientKind } from "./record.js";

/** How a remote command ended. `lost`: the channel or the connection went away before a status came. */
export type ChannelEnd =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "lost" };

/**
 * The end of a remote command as an SSH client learns it: an exit status, else the name of a signal (`SIG...`, or
 * `unknown`), else neither.
 */
export function channelEndOf(status: number | null, signal: string | null): ChannelEnd {
  if (status !== null) return { kind: "exit", code: status };
  return signal === null ? { kind: "lost" } : { kind: "signal", signal };
}

/** What a channel reports to its owner. Chunks must be consumed at once; they are not kept. */
export interface ChannelEvents {
  stdout(chunk: Buffer): void;
  stderr(chunk: Buffer): void;
  /** Exactly once, after the last chunk. */
  closed(end: ChannelEnd): void;
}

/** A remote command that runs, with its standard input open. */
export interface Channel {
  /** One call is one socket write. Writing to a channel that has gone is ignored. */
  write(data: string): void;
  /** Closes the command's standard input. */
  end(): void;
  /** Gives the channel up without waiting for the remote side. Does not kill the remote command. */
  abandon(): void;
}

/** The server refused to open a channel or to run the command (MaxSessions, ForceCommand none, ...). */
export class ChannelRefused extends Error {
  override readonly name = "ChannelRefused";
}

/** One authenticated session with a host. */
export interface Connection {
  readonly client: SshClientKind;
  /** Fingerprint of the key that the server has proven to hold; absent where the client does not report it. */
  readonly hostKey?: string;
  /**
   * Runs a command. `events` may be called before the promise settles. Rejects with ChannelRefused, or with
   * HostError when the connection is gone.
   */
  open(command: string, events: ChannelEvents): Promise<Channel>;
  /**
   * Asks the peer for a sign of life. Where nothing comes within `withinMs`, the connection is lost by
   * `keepalive-timeout`. Absent: the client asks by itself.
   */
  confirm?(withinMs: number): void;
  /** Settles, with the reason, when the connection goes away for any cause but `close()`. Never rejects. */
  readonly lost: Promise<HostError>;
  /** Idempotent, never throws; sockets are gone within half a second even when the peer is frozen. */
  close(): Promise<void>;
}

/** Reaches one host: dial, handshake, host key check and authentication. Throws HostError, or the signal's reason. */
export interface Connector {
  connect(signal: AbortSignal): Promise<Connection>;
}
