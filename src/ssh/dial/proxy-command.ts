/** ProxyCommand: a program of the operator's config that carries the connection (ssh_config(5)). */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { Duplex } from "node:stream";
import { HostError } from "../../contract/errors.js";
import { localLimit } from "../../contract/local-limit.js";
import type { Clock } from "../../lib/clock.js";
import { appendTail, oneLine } from "../../lib/text.js";
import { destroyPipes, endGroup, startChild } from "./child-process.js";

/**
 * How long the program may take to end: once its output has ended, so that its last lines on standard error are in the
 * failure, and once it has got SIGTERM.
 */
const END_GRACE_MS = 200;

/** What a shell, or an `ssh` that is a proxy, prints where this machine has no more processes to give. */
const CANNOT_FORK = /^\S*sh: (?:.*: )?(?:Cannot fork|fork: .*Resource temporarily unavailable)/m;

export interface ProxyCommandOptions {
  /** For messages: what the command stands for (`the proxy command`, `jump host bastion`). */
  readonly name: string;
  readonly clock: Clock;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Starts `command` as ssh does: `exec command` by the user's shell ($SHELL, else /bin/sh), which is sshconnect.c's
 * ssh_proxy_connect. The stream is usable at once. When the program ends before we do, the stream is destroyed with a
 * HostError: `proxy-failed` until the host has sent something, `connection-lost` from then on.
 */
export function openProxyCommand(command: string, options: ProxyCommandOptions): Duplex {
  const env = options.env ?? process.env;
  const shell = env["SHELL"];
  const program = shell === undefined || shell === "" ? "/bin/sh" : shell;
  return new ProxyStream(program, ["-c", `exec ${command}`], options);
}

class ProxyStream extends Duplex {
  /** Null: it could not be started, and the stream is about to be destroyed for it. */
  private readonly child: ChildProcessWithoutNullStreams | null;
  private stderr = "";
  private ended = false;
  private hasReceived = false;

  constructor(
    program: string,
    args: readonly string[],
    private readonly options: ProxyCommandOptions,
  ) {
    super({ allowHalfOpen: false });
    const child = startChild(program, args, { env: options.env ?? process.env }, (error) =>
      this.destroy(localLimit(error, "dial", this.options.name) ?? this.failure(error.message)),
    );
    this.child = child;
    if (child === null) return;
    child.stdin.on("error", () => undefined);
    child.stdout.on("data", (chunk: Buffer) => {
      this.hasReceived = true;
      if (!this.push(chunk)) child.stdout.pause();
    });
    child.stdout.on("end", () => {
      options.clock.after(END_GRACE_MS, () => this.finish(""));
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr = appendTail(this.stderr, text);
    });
    child.on("close", (code, signal) => {
      this.finish(signal === null ? `exit status ${code ?? 0}` : `ended by ${signal}`);
    });
  }

  override _read(): void {
    this.child?.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // An error of the pipe is followed by the program's end, which gives the better reason.
    if (this.child === null) done();
    else this.child.stdin.write(chunk, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.child === null) done();
    else this.child.stdin.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.ended = true;
    const { child } = this;
    void endGroup(child, this.options.clock, END_GRACE_MS);
    destroyPipes(child);
    done(error);
  }

  private finish(how: string): void {
    if (this.ended) return;
    this.ended = true;
    if (this.writableEnded) this.destroy();
    else this.destroy(this.failure(how));
  }

  private failure(how: string): HostError {
    const reason = [oneLine(this.stderr), how].filter((part) => part !== "").join("; ");
    if (!this.hasReceived && CANNOT_FORK.test(this.stderr)) {
      const limit = localLimit({ code: "EAGAIN" }, "dial", `${this.options.name} failed: ${reason}`);
      if (limit !== null) return limit;
    }
    // Once the host has sent something, what ended is a connection and no longer a way to it.
    if (this.hasReceived)
      return new HostError("connection-lost", "handshake", `${this.options.name} ended: ${reason}`);
    return new HostError("proxy-failed", "dial", `${this.options.name} failed: ${reason}`);
  }
}
