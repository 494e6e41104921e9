/** One `ssh` process: a remote command with its pipes, and the state of the connection from ssh's own log. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import { channelEndOf, type ChannelEnd, type ChannelEvents } from "../../contract/connection.js";
import { HostError, hostErrorOf } from "../../contract/errors.js";
import { localLimit } from "../../contract/local-limit.js";
import type { StepLog } from "../../contract/step-log.js";
import type { Clock } from "../../lib/clock.js";
import { destroyPipes, endGroup, startChild } from "../dial/child-process.js";
import { opensshFailure } from "./failure.js";
import type { OpensshHost } from "./fix.js";
import { OpensshLog, type OpensshStage } from "./log.js";

/** How long ssh may take to end after SIGTERM. */
const KILL_GRACE_MS = 300;

/**
 * How much it may write without an end: to standard output before a listener is there, and to standard error between two
 * pieces of standard output. Its log of a login is a few KiB; more is a proxy command or a banner that costs us CPU.
 */
const MAX_UNASKED_BYTES = 1024 * 1024;

/** How the process ended. `failed`: ssh itself failed, before or after the command ran. */
export type ProcessEnd =
  | { readonly kind: "ended"; readonly end: ChannelEnd }
  | { readonly kind: "failed"; readonly error: HostError };

export interface OpensshContext extends OpensshHost {
  readonly clock: Clock;
  /** Why the system's `ssh` is used, for the message where there is none. */
  readonly why: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly step?: StepLog | undefined;
}

/** There is no `ssh` to start. */
export class OpensshMissing extends HostError {}

export class OpensshProcess {
  readonly log = new OpensshLog();
  /** Settles when ssh has ended and its pipes are empty. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Where the remote command's output goes; output that comes before a listener is set is kept. */
  private events: Pick<ChannelEvents, "stdout" | "stderr"> | null = null;
  private readonly early: (readonly ["stdout" | "stderr", Buffer])[] = [];
  /** Bytes of `early`, and of standard error since the last piece of standard output that was listened to. */
  private earlyBytes = 0;
  private stderrBytes = 0;
  /** Null: it could not be started, and counts as ended. */
  private readonly child: ChildProcessWithoutNullStreams | null;
  private stageSeen: OpensshStage = "start";
  private dialsSeen = 0;
  private onStage: (stage: OpensshStage) => void = () => undefined;
  private killed = false;
  /** What the listener of its output threw, or a flood; the process was killed for it. */
  private fault: HostError | null = null;

  /** Starts at once. */
  constructor(
    args: readonly string[],
    private readonly context: OpensshContext,
  ) {
    const { env = process.env } = context;
    let notStarted: (error: Error) => void = () => undefined;
    // In a session of its own: it has no terminal to prompt on, and a Ctrl-C reaches only us.
    const child = startChild(
      "ssh",
      args,
      { env: { ...env, SSH_ASKPASS: undefined, SSH_ASKPASS_REQUIRE: "never" } },
      (error) => notStarted(error),
    );
    this.child = child;
    child?.stdin.on("error", () => undefined);
    child?.stdout.on("data", (chunk: Buffer) => this.emit("stdout", chunk));
    const decoder = new StringDecoder("utf8");
    child?.stderr.on("data", (chunk: Buffer) => {
      this.stderrBytes += chunk.length;
      if (this.stderrBytes > MAX_UNASKED_BYTES) this.flooded("standard error");
      else this.passOn(this.log.push(decoder.write(chunk)));
    });
    this.ended = new Promise((resolve) => {
      notStarted = (error) => resolve({ kind: "failed", error: spawnFailure(error, context) });
      child?.on("close", (code, signal) => {
        this.passOn(this.log.flush());
        const end = this.howEnded(code, signal);
        context.step?.("ssh", endText(end));
        resolve(end);
      });
    });
  }

  /** Calls back at once with the stage reached, and again at each later one and at each address that is tried. */
  watchStage(onStage: (stage: OpensshStage) => void): void {
    this.onStage = onStage;
    onStage(this.log.stage);
  }

  /** Passes on the remote command's output, first what came before. */
  listen(events: Pick<ChannelEvents, "stdout" | "stderr">): void {
    this.events = events;
    this.earlyBytes = 0;
    for (const [stream, chunk] of this.early.splice(0)) events[stream](chunk);
  }

  write(data: string): void {
    if (this.child?.stdin.writable === true) this.child.stdin.write(data);
  }

  endInput(): void {
    this.child?.stdin.end();
  }

  /** Ends ssh, and its proxy command with it. Idempotent; resolves when it has ended. */
  async kill(): Promise<void> {
    if (!this.killed) {
      this.killed = true;
      void endGroup(this.child, this.context.clock, KILL_GRACE_MS);
    }
    // A proxy command that left the group may hold the pipes open: then we drop them.
    const drop = this.context.clock.after(KILL_GRACE_MS * 1.5, () => destroyPipes(this.child));
    await this.ended;
    drop.cancel();
  }

  private passOn(remote: string): void {
    const { stage, dials } = this.log;
    if (stage !== this.stageSeen || dials !== this.dialsSeen) {
      this.stageSeen = stage;
      this.dialsSeen = dials;
      this.context.step?.("ssh", stageText(this.log));
      this.onStage(stage);
    }
    if (remote !== "" && this.stageSeen === "open") this.emit("stderr", Buffer.from(remote));
  }

  private emit(stream: "stdout" | "stderr", chunk: Buffer): void {
    if (this.events === null) {
      this.earlyBytes += chunk.length;
      if (this.earlyBytes > MAX_UNASKED_BYTES) this.flooded("standard output");
      else this.early.push([stream, chunk]);
      return;
    }
    if (stream === "stdout") this.stderrBytes = 0;
    try {
      this.events[stream](chunk);
    } catch (error) {
      // Thrown on, out of the pipe's event, it would end our process.
      this.fault = hostErrorOf(error, "sample");
      void this.kill();
    }
  }

  private flooded(where: string): void {
    if (this.fault !== null) return;
    const message = `ssh wrote more than ${MAX_UNASKED_BYTES} bytes to ${where} that are no reading`;
    this.fault = new HostError("protocol-error", "sample", message);
    destroyPipes(this.child);
    void this.kill();
  }

  private howEnded(code: number | null, signal: NodeJS.Signals | null): ProcessEnd {
    if (this.fault !== null) return { kind: "failed", error: this.fault };
    const ended = (status: number | null, name: string | null): ProcessEnd => {
      return { kind: "ended", end: channelEndOf(status, name) };
    };
    if (this.log.remoteEnd === "signal") return ended(null, "unknown");
    if (this.log.remoteEnd === "status" && code !== null) return ended(code, null);
    // Over a control master ssh logs no exit status: any code but 255, which is ssh's own failure, is the command's.
    if (code !== null && code !== 255) return ended(code, null);
    if (this.killed) return ended(null, null);
    if (signal !== null) {
      return {
        kind: "failed",
        error: new HostError("connection-lost", "sample", `ssh was ended by ${signal}`),
      };
    }
    return { kind: "failed", error: opensshFailure(this.log, this.context) };
  }
}

/** A stage that ssh has reached, for the step log. */
function stageText(log: OpensshLog): string {
  const tried = log.stage === "open" && log.tried.length > 0 ? `; keys: ${log.tried.join(", ")}` : "";
  const key = log.hostKey === null ? "" : `; host key ${log.hostKey}`;
  return `ssh reached the stage "${log.stage}"${log.stage === "auth" ? key : tried}`;
}

function endText(end: ProcessEnd): string {
  if (end.kind === "failed") return `disconnected: ${end.error.message}`;
  return end.end.kind === "lost" ? "disconnected: closed by us" : "the command of ssh has ended";
}

function spawnFailure(error: NodeJS.ErrnoException, { why, target }: OpensshContext): HostError {
  const limit = localLimit(error, "dial", `${target.host}: ssh could not be started`);
  if (limit !== null) return limit;
  if (error.code !== "ENOENT") {
    return new HostError("protocol-error", "dial", `ssh could not be started: ${error.message}`);
  }
  return new OpensshMissing(
    "protocol-error",
    "dial",
    `the system's ssh program is needed (${why}) and is not on PATH`,
    {
      fix: "install OpenSSH's client (openssh-client)",
    },
  );
}
