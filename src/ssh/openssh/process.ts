/** One `ssh` process: a remote command with its pipes, and what ssh's own log tells of the way there. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import type { ChannelEnd, ChannelEvents } from "../../contract/connection.js";
import { HostError, hostErrorOf } from "../../contract/errors.js";
import { localLimit } from "../../contract/local-limit.js";
import type { Clock } from "../../lib/clock.js";
import { startChild } from "../dial/child-process.js";
import { opensshFailure } from "./failure.js";
import type { OpensshHost } from "./fix.js";
import { OpensshLog, type OpensshStage } from "./log.js";

/** How long ssh gets to end by itself once it was told to. */
const GRACE_MS = 300;

/** How the process ended. `failed`: ssh itself gave up, before or after the command ran. */
export type ProcessEnd =
  | { readonly kind: "ended"; readonly end: ChannelEnd }
  | { readonly kind: "failed"; readonly error: HostError };

export interface OpensshContext extends OpensshHost {
  readonly clock: Clock;
  /** Why the system's `ssh` is used, for the message where there is none. */
  readonly why: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** There is no `ssh` to start. */
export class OpensshMissing extends HostError {}

export class OpensshProcess {
  readonly log = new OpensshLog();
  /** Settles when ssh has ended and its pipes are empty. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Where the remote command's output goes; what comes before a listener is set is kept. */
  private events: Pick<ChannelEvents, "stdout" | "stderr"> | null = null;
  private readonly early: (readonly ["stdout" | "stderr", Buffer])[] = [];
  /** Null: it could not be started, and has ended. */
  private readonly child: ChildProcessWithoutNullStreams | null;
  private stageSeen: OpensshStage = "start";
  private onStage: (stage: OpensshStage) => void = () => undefined;
  private killed = false;
  /** What the listener of its output threw; it was ended for it. */
  private fault: HostError | null = null;

  /** Starts at once. */
  constructor(
    args: readonly string[],
    private readonly context: OpensshContext,
  ) {
    const { env = process.env } = context;
    let notStarted: (error: Error) => void = () => undefined;
    // A session of its own: no terminal to prompt on, and a Ctrl-C is for us alone to pass on.
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
      const remote = this.log.push(decoder.write(chunk));
      this.heard(remote);
    });
    this.ended = new Promise((resolve) => {
      notStarted = (error) => resolve({ kind: "failed", error: spawnFailure(error, context) });
      child?.on("close", (code, signal) => {
        this.heard(this.log.flush());
        resolve(this.howEnded(code, signal));
      });
    });
  }

  /** Calls back at once with the stage reached, and again at each later one. */
  watchStage(onStage: (stage: OpensshStage) => void): void {
    this.onStage = onStage;
    onStage(this.log.stage);
  }

  /** Hands over the remote command's output, first what came before. */
  listen(events: Pick<ChannelEvents, "stdout" | "stderr">): void {
    this.events = events;
    for (const [stream, chunk] of this.early.splice(0)) events[stream](chunk);
  }

  write(data: string): void {
    if (this.child?.stdin.writable === true) this.child.stdin.write(data);
  }

  endInput(): void {
    this.child?.stdin.end();
  }

  /** Ends ssh, and its proxy command with it. Idempotent; resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.killed) {
      this.killed = true;
      this.signal("SIGTERM");
    }
    const timer = this.context.clock.after(GRACE_MS, () => this.signal("SIGKILL"));
    // A proxy command that escaped the group may hold the pipes: they are ours to drop.
    const drop = this.context.clock.after(GRACE_MS * 1.5, () => this.dropPipes());
    await this.ended;
    timer.cancel();
    drop.cancel();
  }

  private dropPipes(): void {
    this.child?.stdin.destroy();
    this.child?.stdout.destroy();
    this.child?.stderr.destroy();
  }

  private signal(signal: NodeJS.Signals): void {
    const pid = this.child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The group has gone.
    }
  }

  private heard(remote: string): void {
    if (this.log.stage !== this.stageSeen) {
      this.stageSeen = this.log.stage;
      this.onStage(this.stageSeen);
    }
    if (remote !== "" && this.stageSeen === "open") this.emit("stderr", Buffer.from(remote));
  }

  private emit(stream: "stdout" | "stderr", chunk: Buffer): void {
    if (this.events === null) {
      this.early.push([stream, chunk]);
      return;
    }
    try {
      this.events[stream](chunk);
    } catch (error) {
      // Thrown into the pipe's event it would end the process.
      this.fault = hostErrorOf(error, "sample");
      void this.kill();
    }
  }

  private howEnded(code: number | null, signal: NodeJS.Signals | null): ProcessEnd {
    if (this.fault !== null) return { kind: "failed", error: this.fault };
    if (this.log.remoteEnd === "signal") return { kind: "ended", end: { kind: "signal", signal: "unknown" } };
    if (this.log.remoteEnd === "status" && code !== null)
      return { kind: "ended", end: { kind: "exit", code } };
    // Over a control master ssh logs no exit status: any other code than its own failure's is the command's.
    if (code !== null && code !== 255) return { kind: "ended", end: { kind: "exit", code } };
    if (this.killed) return { kind: "ended", end: { kind: "lost" } };
    if (signal !== null) {
      return {
        kind: "failed",
        error: new HostError("connection-lost", "sample", `ssh was ended by ${signal}`),
      };
    }
    return { kind: "failed", error: opensshFailure(this.log, this.context) };
  }
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
