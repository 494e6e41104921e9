/** An authenticated ssh2 session: channels, forwards, keepalive, and one reason for its end. */
import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import {
  ChannelRefused,
  type Channel,
  type ChannelEvents,
  type Connection,
} from "../../contract/connection.js";
import { HostError } from "../../contract/errors.js";
import { systemErrorCode } from "../../contract/local-limit.js";
import type { StepLog } from "../../contract/step-log.js";
import { unlessAborted } from "../../lib/abort.js";
import type { Clock } from "../../lib/clock.js";
import { systemFailure } from "../dial/system-failure.js";
import type { JumpSession } from "../jump/pool.js";
import type { HostPlan } from "../plan/plan.js";
import type { FastPaths } from "./fast/fast-paths.js";
import { closeRefused, filterMessages, protocolOf } from "./internals.js";
import { Liveness } from "./liveness.js";
import type { ServerLimits } from "./server-limits.js";
import { wireChannel, type ExecStream } from "./session-channel.js";
import { isOutOfSessions, refusalOf, sessionFailure } from "./session-failure.js";

/** The part of ssh2's client that an authenticated session uses. */
export interface SessionClient {
  exec(
    command: string,
    options: { env?: NodeJS.ProcessEnv },
    callback: (error: Error | undefined, stream: ExecStream) => void,
  ): unknown;
  forwardOut(
    sourceHost: string,
    sourcePort: number,
    host: string,
    port: number,
    callback: (error: Error | undefined, stream: Duplex) => void,
  ): unknown;
  end(): unknown;
}

export interface SessionParts {
  readonly client: SessionClient;
  readonly stream: Duplex;
  readonly plan: HostPlan;
  readonly clock: Clock;
  /** Sends something that the server must answer. */
  readonly ping: () => void;
  readonly limits: Pick<ServerLimits, "unsent" | "messages" | "received" | "carries">;
  /** As Connection.hostKey. */
  readonly hostKey?: string;
  readonly step?: StepLog | undefined;
}

/** One for all sessions: an Error costs its stack. */
const CLOSED = new HostError("connection-lost", "sample", "the session was closed by us");
/** How long a server may take to hang up after our disconnect message. */
const CLOSE_TIMEOUT_MS = 300;
/** sshd frees a session only a moment after it reports the channel as closed: until then an open is tried again. */
const MAX_SESSION_RETRY_MS = 1_000;
const SESSION_RETRY_MS = 50;

export class Session implements Connection, JumpSession {
  readonly client = "ssh2";
  readonly hostKey?: string;
  readonly lost: Promise<HostError>;
  #reportLost: (error: HostError) => void = () => undefined;
  /** Why the session has ended; null while it is alive. */
  #ended: HostError | null = null;
  #closing: Promise<void> | null = null;
  #channelEndedAtMs = Number.NEGATIVE_INFINITY;
  #forwards = 0;
  /** Commands that the server has not accepted or refused yet. */
  #waiting = 0;
  readonly #liveness: Liveness;
  readonly #env: NodeJS.ProcessEnv;
  /** One for all channels: a closure made in `open` would keep the command's text as long as the channel. */
  readonly #channelEnded = (): void => void (this.#channelEndedAtMs = this.parts.clock.nowMs());
  /** One for all channels, too. */
  readonly #eventsFailed = (error: HostError): void => this.fail(error);

  constructor(private readonly parts: SessionParts) {
    this.lost = new Promise((resolve) => (this.#reportLost = resolve));
    this.#env = Object.fromEntries(parts.plan.env);
    if (parts.hostKey !== undefined) this.hostKey = parts.hostKey;
    const { stream, limits } = parts;
    this.#liveness = new Liveness(parts, (error) => this.fail(error));
    // After ssh2's own listener, which has answered what came.
    stream.on("data", (chunk: Buffer) => {
      this.#liveness.received(chunk.length);
      limits.received(chunk.length);
      limits.unsent(stream.writableLength);
    });
  }

  /** Ends the session for a reason; the first one counts. */
  fail(error: unknown): void {
    if (this.#ended !== null) return;
    const { plan, stream } = this.parts;
    this.#ended =
      systemErrorCode(error) === null ? sessionFailure(plan, error) : systemFailure(error, plan, "sample");
    this.#liveness.stop();
    stream.destroy();
    this.parts.step?.("ssh", `disconnected: ${this.#ended.message}`);
    this.#reportLost(this.#ended);
  }

  async open(command: string, events: ChannelEvents): Promise<Channel> {
    for (let attempt = 1; ; attempt++) {
      const channel = await this.#openOnce(command, events);
      if (channel !== "no-session") return channel;
      const waited = this.parts.clock.nowMs() - this.#channelEndedAtMs;
      if (waited > MAX_SESSION_RETRY_MS)
        throw new ChannelRefused("the server opens no more channels (MaxSessions?)");
      await new Promise<void>((resolve) => this.parts.clock.after(SESSION_RETRY_MS * attempt, resolve));
    }
  }

  #openOnce(command: string, events: ChannelEvents): Promise<Channel | "no-session"> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void => {
        if (this.#ended !== null) reject(this.#ended);
        else if (isOutOfSessions(error)) resolve("no-session");
        else {
          if (this.#waiting === 0) closeRefused(this.parts.client);
          const reason = refusalOf(error);
          this.parts.step?.("ssh", `channel refused: ${reason}`);
          reject(new ChannelRefused(reason));
        }
      };
      try {
        this.#waiting += 1;
        this.parts.client.exec(command, { env: this.#env }, (error, stream) => {
          this.#waiting -= 1;
          if (error !== undefined) failed(error);
          else {
            this.parts.step?.("ssh", "channel opened, command started");
            resolve(wireChannel(stream, events, this.#channelEnded, this.#eventsFailed));
          }
        });
      } catch (error) {
        this.#waiting -= 1;
        failed(error);
      }
    });
  }

  forward(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const opening = new Promise<Duplex>((resolve, reject) => {
      const failed = (error: unknown): void => reject(this.#ended ?? (error as Error));
      try {
        this.parts.client.forwardOut("127.0.0.1", 0, host, port, (error, stream) => {
          if (error !== undefined) failed(error);
          else {
            this.#carry(1);
            stream.once("close", () => this.#carry(-1));
            resolve(stream);
          }
        });
      } catch (error) {
        failed(error);
      }
    });
    return unlessAborted(opening, signal, (late) => late.on("error", () => undefined).destroy());
  }

  #carry(more: number): void {
    this.#forwards += more;
    this.parts.limits.carries(this.#forwards);
  }

  confirm(withinMs: number): void {
    if (this.#ended === null) this.#liveness.confirm(withinMs);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #close(): Promise<void> {
    const { client, stream, clock } = this.parts;
    if (this.#ended === null) this.parts.step?.("ssh", "disconnected: closed by us");
    this.#ended ??= CLOSED;
    this.#liveness.stop();
    return new Promise((resolve) => {
      const gone = (): void => {
        deadline.cancel();
        resolve();
      };
      const deadline = clock.after(CLOSE_TIMEOUT_MS, () => {
        stream.destroy();
        resolve();
      });
      if (stream.closed) {
        gone();
        return;
      }
      stream.once("close", gone);
      try {
        client.end();
      } catch {
        stream.destroy();
      }
    });
  }
}

/**
 * From now on the client's events go to the session only. `offered`: the algorithm lists that `Client.connect` was given; `pass`:
 * what each message goes through first.
 */
export function handOver(
  client: Client,
  session: Session,
  offered: object,
  pass: (message: Uint8Array) => Uint8Array,
  fast?: FastPaths,
): void {
  client.removeAllListeners();
  const ended = (error?: Error): void => session.fail(error ?? null);
  client.on("error", ended).on("end", ended).on("close", ended);
  filterMessages(client, pass);
  client.on("handshake", () => filterMessages(client, pass));
  if (fast === undefined) return;
  const afterKeyExchange = (): void => fast.keysExchanged(protocolOf(client), offered);
  client.on("handshake", afterKeyExchange);
  afterKeyExchange();
}
