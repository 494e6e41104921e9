/** One session a jump host, shared by all targets behind it. */
import type { Duplex } from "node:stream";
import { HostError } from "../../contract/errors.js";
import { STATE_OF_CODE } from "../../contract/record.js";
import { unlessAborted } from "../../lib/abort.js";
import type { Clock } from "../../lib/clock.js";
import { HandshakeGate } from "../dial/handshake-gate.js";

/** A session with a host that can carry connections to others. */
export interface JumpSession {
  /** A TCP connection made from the jump host. Rejects with HostError, the server's message, or the signal's reason. */
  forward(host: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** Settles when the session goes away for any cause but `close()`. Never rejects. */
  readonly lost: Promise<HostError>;
  close(): Promise<void>;
}

/** A share in a session; the session ends when the last one is released. */
export interface JumpLease {
  readonly session: JumpSession;
  /** Bounds the handshakes under way through this jump host. */
  readonly gate: HandshakeGate;
  /** Why the session was lost; null while it is alive. */
  lostBy(): HostError | null;
  /** Idempotent. */
  release(): void;
}

export type OpenJump = (signal: AbortSignal) => Promise<JumpSession>;

interface Entry {
  readonly gate: HandshakeGate;
  shares: number;
  state:
    | { readonly kind: "opening"; readonly session: Promise<JumpSession>; readonly stop: AbortController }
    | { readonly kind: "open"; readonly session: JumpSession; lost: HostError | null };
}

/** The cooldown of a failed jump host: doubled each time for what may pass, long for what an operator must fix. */
const FIRST_COOLDOWN_MS = 1_000;
const MAX_COOLDOWN_MS = 30_000;
const OPERATOR_COOLDOWN_MS = 300_000;

interface Failure {
  readonly error: HostError;
  readonly times: number;
  readonly untilMs: number;
}

export class JumpPool {
  readonly #entries = new Map<string, Entry>();
  readonly #failures = new Map<string, Failure>();

  constructor(private readonly clock: Clock) {}

  /**
   * Joins the session under `key`, or opens it. All waiting targets share one attempt and its failure; the attempt is
   * aborted with the last of them. Throws HostError, or the signal's reason.
   */
  async acquire(key: string, open: OpenJump, signal: AbortSignal): Promise<JumpLease> {
    signal.throwIfAborted();
    const failed = this.#failures.get(key);
    if (failed !== undefined && this.clock.nowMs() < failed.untilMs) throw failed.error;
    const entry = this.#entries.get(key) ?? this.#start(key, open);
    entry.shares += 1;
    try {
      const session =
        entry.state.kind === "open" ? entry.state.session : await unlessAborted(entry.state.session, signal);
      return this.#lease(key, entry, session);
    } catch (error) {
      this.#drop(key, entry);
      throw error;
    }
  }

  #start(key: string, open: OpenJump): Entry {
    const stop = new AbortController();
    const session = open(stop.signal);
    const entry: Entry = {
      gate: new HandshakeGate(this.clock),
      shares: 0,
      state: { kind: "opening", session, stop },
    };
    this.#entries.set(key, entry);
    session.then(
      (opened) => this.#opened(key, entry, opened),
      (error: unknown) => this.#failed(key, entry, error),
    );
    return entry;
  }

  #opened(key: string, entry: Entry, session: JumpSession): void {
    this.#failures.delete(key);
    const state: Entry["state"] = { kind: "open", session, lost: null };
    entry.state = state;
    // All waiting targets were aborted in the meantime.
    if (entry.shares === 0) void session.close();
    void session.lost.then((error) => {
      state.lost = error;
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
  }

  #failed(key: string, entry: Entry, error: unknown): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    if (!(error instanceof HostError)) return;
    const times = (this.#failures.get(key)?.times ?? 0) + 1;
    const state = STATE_OF_CODE[error.failure.code];
    const forOperator = state === "auth-failed" || state === "host-key-rejected";
    const cooldownMs = forOperator
      ? OPERATOR_COOLDOWN_MS
      : Math.min(MAX_COOLDOWN_MS, FIRST_COOLDOWN_MS * 2 ** (times - 1));
    this.#failures.set(key, { error, times, untilMs: this.clock.nowMs() + cooldownMs });
  }

  #lease(key: string, entry: Entry, session: JumpSession): JumpLease {
    let released = false;
    return {
      session,
      gate: entry.gate,
      lostBy: () => (entry.state.kind === "open" ? entry.state.lost : null),
      release: () => {
        if (released) return;
        released = true;
        this.#drop(key, entry);
      },
    };
  }

  #drop(key: string, entry: Entry): void {
    entry.shares -= 1;
    if (entry.shares > 0) return;
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    if (entry.state.kind === "open") void entry.state.session.close();
    else entry.state.stop.abort();
  }
}
