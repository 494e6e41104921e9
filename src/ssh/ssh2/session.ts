/** An authenticated ssh2 session: channels, forwards, keepalive, and one reason for its end. */
import type { Duplex } from "node:stream";
import {
  ChannelRefused,
  type Channel,
  type ChannelEvents,
  type Connection,
} from "../../contract/connection.js";
import { HostError } from "../../contract/errors.js";
import { systemErrorCode } from "../../contract/local-limit.js";
import type { Clock, Timer } from "../../lib/clock.js";
import { oneLine } from "../../lib/text.js";
import { systemFailure } from "../dial/system-failure.js";
import type { JumpSession } from "../jump/pool.js";
import { planLabel, type HostPlan } from "../plan/plan.js";
import { wireChannel, type ExecStream } from "./session-channel.js";

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
}

/** One for all sessions: an Error costs its stack. */
const CLOSED = new HostError("connection-lost", "sample", "the session was closed by us");
/** How long a server may take to hang up after our goodbye. */
const GOODBYE_MS = 300;
/** sshd frees a session only a moment after it said that the channel is closed. */
const ROOM_MS = 1_000;
const ROOM_PAUSE_MS = 50;

export class Session implements Connection, JumpSession {
  readonly client = "ssh2";
  readonly lost: Promise<HostError>;
  #reportLost: (error: HostError) => void = () => undefined;
  /** Why the session is over; null while it stands. */
  #over: HostError | null = null;
  #closing: Promise<void> | null = null;
  #onData = false;
  #unanswered = 0;
  #channelEndedAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;
  readonly #env: NodeJS.ProcessEnv;
  /** One for all channels: made where a channel is opened, it would keep the command's text for as long as the channel. */
  readonly #channelEnded = (): void => void (this.#channelEndedAtMs = this.parts.clock.nowMs());

  /** One for all, too. */
  readonly #eventsFailed = (error: HostError): void => this.fail(error);

  constructor(private readonly parts: SessionParts) {
    this.lost = new Promise((resolve) => (this.#reportLost = resolve));
    this.#env = Object.fromEntries(parts.plan.env);
    parts.stream.on("data", () => (this.#onData = true));
    this.#watch();
  }

  /** Ends the session for a reason; the first one counts. */
  fail(error: unknown): void {
    if (this.#over !== null) return;
    const { plan, stream } = this.parts;
    this.#over =
      systemErrorCode(error) === null ? sessionFailure(plan, error) : systemFailure(error, plan, "sample");
    this.#timer?.cancel();
    stream.destroy();
    this.#reportLost(this.#over);
  }

  async open(command: string, events: ChannelEvents): Promise<Channel> {
    for (let attempt = 1; ; attempt++) {
      const channel = await this.#openOnce(command, events);
      if (channel !== "no-room") return channel;
      const waited = this.parts.clock.nowMs() - this.#channelEndedAtMs;
      if (waited > ROOM_MS) throw new ChannelRefused("the server opens no more channels (MaxSessions?)");
      await new Promise<void>((resolve) => this.parts.clock.after(ROOM_PAUSE_MS * attempt, resolve));
    }
  }

  #openOnce(command: string, events: ChannelEvents): Promise<Channel | "no-room"> {
    if (this.#over !== null) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void => {
        if (this.#over !== null) reject(this.#over);
        else if (isOutOfRoom(error)) resolve("no-room");
        else reject(new ChannelRefused(refusalOf(error)));
      };
      try {
        this.parts.client.exec(command, { env: this.#env }, (error, stream) => {
          if (error !== undefined) failed(error);
          else resolve(wireChannel(stream, events, this.#channelEnded, this.#eventsFailed));
        });
      } catch (error) {
        failed(error);
      }
    });
  }

  forward(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    if (this.#over !== null) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      const failed = (error: unknown): void => {
        signal.removeEventListener("abort", onAbort);
        reject(this.#over ?? (error as Error));
      };
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        this.parts.client.forwardOut("127.0.0.1", 0, host, port, (error, stream) => {
          if (error !== undefined) failed(error);
          else if (signal.aborted) stream.on("error", () => undefined).destroy();
          else {
            signal.removeEventListener("abort", onAbort);
            resolve(stream);
          }
        });
      } catch (error) {
        failed(error);
      }
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #close(): Promise<void> {
    const { client, stream, clock } = this.parts;
    this.#over ??= CLOSED;
    this.#timer?.cancel();
    return new Promise((resolve) => {
      const gone = (): void => {
        deadline.cancel();
        resolve();
      };
      const deadline = clock.after(GOODBYE_MS, () => {
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

  /** As ServerAliveInterval: asks only when nothing was heard for an interval (clientloop.c). */
  #watch(): void {
    const { intervalMs, countMax } = this.parts.plan.keepalive;
    this.#timer = this.parts.clock.after(intervalMs, () => {
      if (this.#over !== null) return;
      if (this.#onData) {
        this.#onData = false;
        this.#unanswered = 0;
        this.#watch();
        return;
      }
      if (this.#unanswered >= countMax) {
        const silentSecs = ((countMax + 1) * intervalMs) / 1000;
        const message = `${planLabel(this.parts.plan)}: no answer to ${countMax} keepalives (${silentSecs} s)`;
        this.fail(new HostError("keepalive-timeout", "sample", message));
        return;
      }
      this.#unanswered += 1;
      try {
        this.parts.ping();
        this.#watch();
      } catch (error) {
        this.fail(error);
      }
    });
  }
}

function sessionFailure(plan: HostPlan, error: unknown): HostError {
  if (error instanceof HostError) return error;
  const said = error instanceof Error ? error.message : "";
  const lost = said === "" || /^(Connection lost|No response from server)/.test(said);
  const message = `${planLabel(plan)}: ${lost ? "the server closed the connection" : said}`;
  return new HostError(lost || error === null ? "connection-lost" : "protocol-error", "sample", message);
}

/** CHANNEL_OPEN_FAILURE with "connect failed", which is sshd's word for MaxSessions, or "resource shortage". */
function isOutOfRoom(error: unknown): boolean {
  const reason: unknown =
    typeof error === "object" && error !== null ? Reflect.get(error, "reason") : undefined;
  return reason === 2 || reason === 4;
}

function refusalOf(error: unknown): string {
  const said = error instanceof Error ? error.message.replace(/^\(SSH\) /, "") : "refused";
  return said === "Unable to exec" ? "the server does not run the command" : oneLine(said);
}
