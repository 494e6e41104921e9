/** A connection by the system's `ssh`: for what ssh2 cannot do. One long-lived process a session. */
import { randomBytes } from "node:crypto";
import type { Channel, ChannelEvents, Connection } from "../../contract/connection.js";
import { HostError, hostErrorOf } from "../../contract/errors.js";
import { pause } from "../../lib/pause.js";
import type { HandshakeGate, Place } from "../dial/handshake-gate.js";
import { opensshArguments, type OpensshRequest } from "./args.js";
import type { OpensshStage } from "./log.js";
import { PrefixCut } from "./prefix.js";
import { OpensshProcess, type OpensshContext } from "./process.js";

/** As for ssh2 (connector.ts). */
const DROPPED_RETRIES = 5;
const DROPPED_PAUSE_MS = 150;

export interface OpensshConnect extends OpensshRequest, OpensshContext {
  /** Bounds the dial, and again the handshake with authentication. */
  readonly timeoutMs: number;
  /** Bounds the handshakes under way: each process costs a core for some 100 ms. */
  readonly gate: HandshakeGate;
}

/**
 * Starts `ssh` and waits until the server accepted us. The process runs a remote shell that waits for its first
 * command, so that the first `open` costs no new handshake. Throws HostError, or the signal's reason.
 */
export async function connectOpenssh(request: OpensshConnect, signal: AbortSignal): Promise<Connection> {
  signal.throwIfAborted();
  const mark = `allsmi-${randomBytes(9).toString("hex")}`;
  const args = opensshArguments(request);
  const start = (command: string, until: AbortSignal): Promise<OpensshProcess> =>
    startProcess([...args, command], request, until);
  return new OpensshConnection(await start(waitingShell(mark), signal), mark, start);
}

/**
 * Prints `mark` and runs the line that comes next on its standard input. `read` takes no byte past the newline, so what
 * follows is the command's own input (POSIX.1-2017, read).
 */
function waitingShell(mark: string): string {
  return `exec /bin/sh -c 'echo ${mark}; IFS= read -r c && eval "$c"'`;
}

/**
 * Starts `ssh` when the gate has a place and waits until the server accepted us; starts again when sshd dropped us for
 * having too many at the door.
 */
async function startProcess(
  args: readonly string[],
  request: OpensshConnect,
  signal: AbortSignal,
): Promise<OpensshProcess> {
  const { gate, clock, target } = request;
  for (let attempt = 1; ; attempt++) {
    const place = await gate.enter(`${target.host}:${target.port ?? ""}`, signal);
    const child = new OpensshProcess(args, request);
    try {
      await untilOpen(child, request, place, signal);
      return child;
    } catch (error) {
      await child.kill();
      const dropped = error instanceof HostError && error.failure.code === "connection-lost";
      if (!dropped || child.log.stage !== "banner" || attempt > DROPPED_RETRIES) throw error;
    } finally {
      place.leave();
    }
    await pause(clock, DROPPED_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()), signal);
  }
}

/** Waits for authentication; the dial and what follows it have `timeoutMs` each. */
function untilOpen(
  child: OpensshProcess,
  request: OpensshConnect,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = request;
  const limitMs = request.timeoutMs;
  return new Promise((resolve, reject) => {
    let dialled = false;
    const timeUp = (): void => settle(() => reject(timeoutFailure(child.log.stage, limitMs)));
    let timer = clock.after(limitMs, timeUp);
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    const settle = (act: () => void): void => {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
      act();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    child.watchStage((stage) => {
      if (stage === "handshake" || stage === "auth") place.heard();
      if (stage === "open") settle(resolve);
      else if (!dialled && (stage === "banner" || stage === "handshake")) {
        dialled = true;
        timer.cancel();
        timer = clock.after(limitMs, timeUp);
      }
    });
    void child.ended.then((end) =>
      settle(() => {
        if (end.kind === "failed") reject(end.error);
        // Over a control master nothing tells of authentication: a command that ended was let in.
        else resolve();
      }),
    );
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

class OpensshConnection implements Connection {
  readonly client = "openssh";
  readonly lost: Promise<HostError>;
  private reportLost: (error: HostError) => void = () => undefined;
  private waiting: OpensshProcess | null;
  private readonly running = new Set<OpensshProcess>();
  private gone: HostError | null = null;
  private readonly stop = new AbortController();

  constructor(
    first: OpensshProcess,
    private readonly mark: string,
    private readonly start: (command: string, until: AbortSignal) => Promise<OpensshProcess>,
  ) {
    this.lost = new Promise((resolve) => (this.reportLost = resolve));
    this.waiting = first;
    this.keep(first);
  }

  async open(command: string, events: ChannelEvents): Promise<Channel> {
    if (this.gone !== null) throw this.gone;
    this.stop.signal.throwIfAborted();
    const waiting = this.waiting;
    if (waiting !== null && !command.includes("\n")) {
      this.waiting = null;
      return this.attach(waiting, events, new PrefixCut(`${this.mark}\n`), `${command}\n`);
    }
    const child = await this.start(command, this.stop.signal);
    this.keep(child);
    return this.attach(child, events, null, "");
  }

  private attach(
    child: OpensshProcess,
    events: ChannelEvents,
    cut: PrefixCut | null,
    firstLine: string,
  ): Channel {
    return attach(child, events, cut, firstLine, (error) => this.isLost(hostErrorOf(error, "sample")));
  }

  private isLost(error: HostError): void {
    this.gone ??= error;
    this.reportLost(error);
  }

  async close(): Promise<void> {
    this.stop.abort(new HostError("connection-lost", "sample", "the connection was closed"));
    await Promise.all([...this.running].map((child) => child.kill()));
  }

  private keep(child: OpensshProcess): void {
    this.running.add(child);
    void child.ended.then((end) => {
      this.running.delete(child);
      if (end.kind === "failed" && !this.stop.signal.aborted) this.isLost(end.error);
    });
  }
}

/**
 * Wires a process to a channel's events; `cut` drops what comes before the waiting shell's mark. `failed` takes what the
 * events throw at the process's end.
 */
function attach(
  child: OpensshProcess,
  events: ChannelEvents,
  cut: PrefixCut | null,
  firstLine: string,
  failed: (error: unknown) => void,
): Channel {
  let open = true;
  const stdout = (chunk: Buffer | null): void => {
    if (open && chunk !== null && chunk.length > 0) events.stdout(chunk);
  };
  child.listen({
    stdout: (chunk) => stdout(cut === null ? chunk : cut.push(chunk)),
    stderr: (chunk) => {
      if (open) events.stderr(chunk);
    },
  });
  child.ended
    .then((end) => {
      stdout(cut === null ? null : cut.flush());
      if (!open) return;
      open = false;
      events.closed(end.kind === "ended" ? end.end : { kind: "lost" });
    })
    .catch(failed);
  if (firstLine !== "") child.write(firstLine);
  return {
    write: (data) => child.write(data),
    end: () => child.endInput(),
    abandon: () => {
      open = false;
      void child.kill();
    },
  };
}
