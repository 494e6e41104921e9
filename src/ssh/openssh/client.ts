/** Connects by the system's `ssh`, for what ssh2 cannot do: starts it and waits until it is authenticated. */
import { randomBytes } from "node:crypto";
import type { Connection } from "../../contract/connection.js";
import { HostError } from "../../contract/errors.js";
import { abortable } from "../../lib/abort.js";
import { retryDropped } from "../dial/dropped-retry.js";
import type { HandshakeGate, Place } from "../dial/handshake-gate.js";
import { opensshArguments, type OpensshRequest } from "./args.js";
import { OpensshConnection } from "./connection.js";
import type { OpensshStage } from "./log.js";
import { OpensshProcess, type OpensshContext } from "./process.js";
import { deadlineAfter } from "../../lib/deadline.js";

export interface OpensshConnect extends OpensshRequest, OpensshContext {
  /** Bounds the dial of each address, and again the handshake with authentication. */
  readonly timeoutMs: number;
  /** Bounds the handshakes under way: each process costs a core for some 100 ms. */
  readonly gate: HandshakeGate;
  /** Called where \`ssh\` added the host's key, by type and fingerprint, to known_hosts. */
  readonly onHostKeyAdded?: (key: string) => void;
  /** A number in [0, 1), for the backoff after dropped connections. */
  readonly random: () => number;
}

/**
 * Starts `ssh` and waits until the server accepted us. The process runs a remote shell that waits for its first
 * command, so that the first `open` costs no new handshake. Throws HostError, or the signal's reason.
 */
export async function connectOpenssh(request: OpensshConnect, signal: AbortSignal): Promise<Connection> {
  signal.throwIfAborted();
  const marker = `allsmi-${randomBytes(9).toString("hex")}`;
  const args = opensshArguments(request);
  request.step?.("ssh", `command line: ssh ${args.map(quoted).join(" ")}`);
  const start = (command: string, until: AbortSignal): Promise<OpensshProcess> =>
    startProcess([...args, command], request, until);
  return new OpensshConnection(await start(waitingShell(marker), signal), marker, start);
}

/** For the step log. */
function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : JSON.stringify(arg);
}

/**
 * Prints `marker` and runs the next line of its standard input as a command. `read` takes no byte past the newline, so
 * what follows is the command's own input (POSIX.1-2017, read).
 */
function waitingShell(marker: string): string {
  return `exec /bin/sh -c 'echo ${marker}; IFS= read -r c && eval "$c"'`;
}

/**
 * Starts `ssh` when the gate has a place and waits until the server accepted us; starts again when sshd dropped us
 * because of too many unauthenticated connections.
 */
function startProcess(
  args: readonly string[],
  request: OpensshConnect,
  signal: AbortSignal,
): Promise<OpensshProcess> {
  const { gate, clock, random, target } = request;
  let stage: OpensshStage = "start";
  const isDropped = (error: unknown): boolean =>
    stage === "banner" && error instanceof HostError && error.failure.code === "connection-lost";
  const attempt = async (): Promise<OpensshProcess> => {
    const place = await gate.enter(`${target.host}:${target.port ?? ""}`, signal);
    const child = new OpensshProcess(args, request);
    try {
      await untilOpen(child, request, place, signal);
      const { hasAddedKey, hostKey } = child.log;
      if (hasAddedKey && hostKey !== null) request.onHostKeyAdded?.(hostKey);
      return child;
    } catch (error) {
      await child.kill();
      stage = child.log.stage;
      throw error;
    } finally {
      place.leave();
    }
  };
  return retryDropped(attempt, { clock, random, isDropped }, signal);
}

/** ssh goes on to the host's next address when this one's time is up (ConnectTimeout): it comes first. */
const NEXT_ADDRESS_MS = 500;
/** A name with more dead addresses than this is given up. */
const MAX_DIALS = 4;

/** Waits for authentication; the dial of each address and what follows it have `timeoutMs` each. */
function untilOpen(
  child: OpensshProcess,
  { clock, timeoutMs }: OpensshConnect,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  return abortable(signal, ({ resolve, reject }) => {
    let isDialled = false;
    const timeUp = (): void => reject(timeoutFailure(child.log.stage, timeoutMs));
    const dialMs = timeoutMs + NEXT_ADDRESS_MS;
    let timer = deadlineAfter(clock, dialMs, timeUp);
    let dials = 0;
    child.watchStage((stage) => {
      if (stage === "handshake" || stage === "auth") place.received();
      if (stage === "open") resolve();
      else if (!isDialled && (stage === "banner" || stage === "handshake")) {
        isDialled = true;
        timer.cancel();
        timer = deadlineAfter(clock, timeoutMs, timeUp);
      } else if (stage === "dial" && child.log.dials > dials && child.log.dials <= MAX_DIALS) {
        dials = child.log.dials;
        timer.cancel();
        timer = deadlineAfter(clock, dialMs, timeUp);
      }
    });
    void child.ended.then((end) => {
      if (end.kind === "failed") reject(end.error);
      // Over a control master the log shows no authentication: a command that ended was let in.
      else resolve();
    });
    return () => {
      child.watchStage(() => undefined);
      timer.cancel();
    };
  });
}

function timeoutFailure(stage: OpensshStage, limitMs: number): HostError {
  const secs = limitMs / 1000;
  if (stage === "start" || stage === "dial") {
    return new HostError("connect-timeout", "dial", `no TCP connection within ${secs} s`);
  }
  if (stage === "proxy") {
    return new HostError("connect-timeout", "dial", `nothing came through the proxy within ${secs} s`);
  }
  const what = stage === "auth" ? "authentication did not end" : "the SSH handshake did not end";
  return new HostError(
    "handshake-timeout",
    stage === "auth" ? "auth" : "handshake",
    `${what} within ${secs} s`,
  );
}
