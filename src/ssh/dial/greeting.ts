/** The start of a connection: identification lines (RFC 4253, section 4.2), exchanged before ssh2 gets the stream. */
import type { Duplex } from "node:stream";
import { HostError } from "../../contract/errors.js";
import type { StepLog } from "../../contract/step-log.js";
import { abortable } from "../../lib/abort.js";
import type { Clock } from "../../lib/clock.js";
import { deadlineAfter } from "../../lib/deadline.js";
import { oneLine } from "../../lib/text.js";
import { planLabel, type HostPlan } from "../plan/plan.js";
import { systemFailure } from "./system-failure.js";
import { wayFix } from "./way-fix.js";

/** Our identification, without the end of the line. */
export const IDENT_LINE = "SSH-2.0-allsmi-ssh";

/** A server may send some lines before its own; ssh takes 1024 of 8 KiB, which no honest server comes near. */
const MAX_GREETING_BYTES = 64 * 1024;

/** Enough to recognize another protocol. */
const PROTOCOL_BYTES = 5;

/** The server hung up before it identified itself: sshd does so beyond MaxStartups, and a retry may succeed. */
export class DroppedEarly extends HostError {}

export interface GreetingDeps {
  readonly clock: Clock;
  /** Called at the server's first byte. */
  readonly firstByte: () => void;
  readonly step?: StepLog | undefined;
}

/**
 * Sends our line and waits for the server's, which stays in the stream for its next reader. The stream is paused. Throws
 * HostError, or the signal's reason.
 */
export function greet(
  stream: Duplex,
  plan: HostPlan,
  { clock, firstByte, step }: GreetingDeps,
  signal: AbortSignal,
): Promise<void> {
  return abortable(signal, ({ resolve, reject }) => {
    const greeting = new Greeting();
    const deadline = deadlineAfter(clock, plan.handshakeTimeoutMs, () => {
      const got =
        greeting.length === 0 ? "received nothing" : `received only "${oneLine(greeting.text(), 80)}"`;
      const message = `${planLabel(plan)}: ${got} within ${plan.handshakeTimeoutMs / 1000} s of connecting`;
      const fix = greeting.length > 0 ? null : wayFix("handshake-timeout", plan.host, plan.port);
      reject(new HostError("handshake-timeout", "handshake", message, fix === null ? {} : { fix }));
    });
    const onData = (chunk: Buffer): void => {
      if (greeting.length === 0) firstByte();
      const problem = greeting.take(chunk);
      if (problem === "incomplete") return;
      stream.pause();
      if (problem === null) {
        step?.("ssh", `server identification: ${oneLine(greeting.identification, 255)}`);
        // Settling removes our listeners: the bytes put back are for the next reader.
        resolve();
        stream.unshift(greeting.bytes());
      } else {
        reject(new HostError("not-ssh", "handshake", `${planLabel(plan)}: ${problem}`));
      }
    };
    const onError = (error: Error): void => {
      const failure = systemFailure(error, plan, "handshake");
      const dropped = greeting.length === 0 && failure.failure.code === "connection-lost";
      reject(dropped ? new DroppedEarly("connection-lost", "handshake", failure.message) : failure);
    };
    const onEnd = (): void => reject(closedEarly(plan, greeting.text()));
    stream.on("data", onData).on("error", onError).on("end", onEnd).on("close", onEnd);
    stream.write(`${IDENT_LINE}\r\n`);
    return () => {
      deadline.cancel();
      stream.off("data", onData).off("error", onError).off("end", onEnd).off("close", onEnd);
    };
  });
}

/** What a server sends until its identification line is complete. Each byte is scanned once, however they arrive. */
export class Greeting {
  readonly #chunks: Buffer[] = [];
  length = 0;
  /** The server's identification line, once it is complete. */
  identification = "";
  /** The line that has no end yet, in pieces. */
  #line: string[] = [];

  /** Null once the server's line is complete and we can go on; else a problem, or `incomplete`. */
  take(chunk: Buffer): string | null {
    const isProtocolKnown = this.length >= PROTOCOL_BYTES;
    this.#chunks.push(chunk);
    this.length += chunk.length;
    const [first = "", ...more] = chunk.toString("latin1").split("\n");
    this.#line.push(first);
    for (const next of more) {
      const line = this.#line.join("");
      this.#line = [next];
      if (!line.startsWith("SSH-")) continue;
      this.identification = line;
      return /^SSH-(2\.0|1\.99)-/.test(line)
        ? null
        : `an SSH server of an old protocol ("${oneLine(line, 60)}")`;
    }
    if (!isProtocolKnown && /^(HTTP\/|<|\x15\x03|\x16\x03)/.test(this.text(PROTOCOL_BYTES)))
      return `not an SSH server: it answered "${oneLine(this.text(), 60)}"`;
    if (this.length > MAX_GREETING_BYTES)
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
  const received = oneLine(text, 100);
  if (/^(Exceeded MaxStartups|Not allowed at this time)/.test(text)) {
    const message = `${name}: the server closed the connection: "${received}"`;
    const isLimit = text.startsWith("Exceeded");
    return isLimit
      ? new DroppedEarly("connection-lost", "handshake", message)
      : new HostError("connection-lost", "handshake", message, {
          fix: "wait: the server's PerSourcePenalties pass",
        });
  }
  return new HostError(
    "not-ssh",
    "handshake",
    `${name}: not an SSH server: it sent "${received}" and closed`,
  );
}
