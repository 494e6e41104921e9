/** The first words of a connection: identification lines (RFC 4253, section 4.2), exchanged before ssh2 is asked. */
import type { Duplex } from "node:stream";
import { HostError } from "../../contract/errors.js";
import type { Clock } from "../../lib/clock.js";
import { oneLine } from "../../lib/text.js";
import { planLabel, type HostPlan } from "../plan/plan.js";
import { systemFailure } from "./system-failure.js";

/** What we call ourselves, without the end of the line. */
export const IDENT_LINE = "SSH-2.0-allsmi-ssh";

/** A server may say some lines before its own; ssh takes 1024 of 8 KiB, which no honest server comes near. */
const MAX_GREETING = 64 * 1024;

/** As much tells another protocol. */
const MAX_BEGINNING = 5;

/** The server hung up before it said who it is: sshd does so beyond MaxStartups, and it may work a moment later. */
export class DroppedEarly extends HostError {}

/**
 * Sends our line and waits for the server's, which stays in the stream for who reads it next. The stream is paused.
 * `heard` is called at the server's first byte. Throws HostError, or the signal's reason.
 */
export function greet(
  stream: Duplex,
  plan: HostPlan,
  clock: Clock,
  heard: () => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const greeting = new Greeting();
    const done = (act: () => void): void => {
      deadline.cancel();
      signal.removeEventListener("abort", onAbort);
      stream.off("data", onData).off("error", onError).off("end", onEnd).off("close", onEnd);
      act();
    };
    const fail = (error: Error): void => done(() => reject(error));
    const onAbort = (): void => fail(signal.reason as Error);
    const deadline = clock.after(plan.handshakeTimeoutMs, () => {
      const said =
        greeting.length === 0 ? "nothing was heard" : `only heard "${oneLine(greeting.text(), 80)}"`;
      const message = `${planLabel(plan)}: ${said} within ${plan.handshakeTimeoutMs / 1000} s of connecting`;
      fail(new HostError("handshake-timeout", "handshake", message));
    });
    const onData = (chunk: Buffer): void => {
      if (greeting.length === 0) heard();
      const problem = greeting.take(chunk);
      if (problem === "incomplete") return;
      stream.pause();
      if (problem === null) {
        done(() => {
          stream.unshift(greeting.bytes());
          resolve();
        });
      } else {
        fail(new HostError("not-ssh", "handshake", `${planLabel(plan)}: ${problem}`));
      }
    };
    const onError = (error: Error): void => {
      const failure = systemFailure(error, plan, "handshake");
      const dropped = greeting.length === 0 && failure.failure.code === "connection-lost";
      fail(dropped ? new DroppedEarly("connection-lost", "handshake", failure.message) : failure);
    };
    const onEnd = (): void => fail(closedEarly(plan, greeting.text()));
    signal.addEventListener("abort", onAbort, { once: true });
    stream.on("data", onData).on("error", onError).on("end", onEnd).on("close", onEnd);
    stream.write(`${IDENT_LINE}\r\n`);
  });
}

/** What a server says until its identification line is whole. Each byte is looked at once, however they come. */
export class Greeting {
  readonly #chunks: Buffer[] = [];
  length = 0;
  /** The line that has no end yet, in pieces: what is still to be judged. */
  #line: string[] = [];

  /** Null once the server's line is there whole and ours to go on with; a problem that settles it; or `incomplete`. */
  take(chunk: Buffer): string | null {
    const isSure = this.length >= MAX_BEGINNING;
    this.#chunks.push(chunk);
    this.length += chunk.length;
    const [first = "", ...more] = chunk.toString("latin1").split("\n");
    this.#line.push(first);
    for (const next of more) {
      const line = this.#line.join("");
      this.#line = [next];
      if (line.startsWith("SSH-"))
        return /^SSH-(2\.0|1\.99)-/.test(line)
          ? null
          : `an SSH server of an old protocol ("${oneLine(line, 60)}")`;
    }
    if (!isSure && /^(HTTP\/|<|\x15\x03|\x16\x03)/.test(this.text(MAX_BEGINNING)))
      return `not an SSH server: it answered "${oneLine(this.text(), 60)}"`;
    if (this.length > MAX_GREETING)
      return `not an SSH server: it sent "${oneLine(this.text(200), 60)}" and more`;
    return "incomplete";
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** The first bytes, or all, a character each. */
  text(length?: number): string {
    if (length === undefined) return this.bytes().toString("latin1");
    let text = "";
    for (const chunk of this.#chunks) {
      if (text.length >= length) break;
      text += chunk.toString("latin1", 0, length - text.length);
    }
    return text;
  }
}

function closedEarly(plan: HostPlan, text: string): HostError {
  const name = planLabel(plan);
  if (text === "") {
    return new DroppedEarly(
      "connection-lost",
      "handshake",
      `${name}: the server closed the connection at once`,
    );
  }
  const said = oneLine(text, 100);
  if (/^(Exceeded MaxStartups|Not allowed at this time)/.test(text)) {
    const message = `${name}: the server closed the connection: "${said}"`;
    const ours = text.startsWith("Exceeded");
    return ours
      ? new DroppedEarly("connection-lost", "handshake", message)
      : new HostError("connection-lost", "handshake", message, {
          fix: "wait: the server's PerSourcePenalties pass",
        });
  }
  return new HostError("not-ssh", "handshake", `${name}: not an SSH server: it said "${said}" and closed`);
}
