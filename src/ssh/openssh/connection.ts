/** A connection over the system's `ssh`: one long-lived process a session, and one more for each further command. */
import {
  channelEndOf,
  type Channel,
  type ChannelEvents,
  type Connection,
} from "../../contract/connection.js";
import { hostErrorOf, HostError } from "../../contract/errors.js";
import type { OpensshProcess } from "./process.js";

export class OpensshConnection implements Connection {
  readonly client = "openssh";
  readonly lost: Promise<HostError>;
  private reportLost: (error: HostError) => void = () => undefined;
  private waiting: OpensshProcess | null;
  private readonly running = new Set<OpensshProcess>();
  private gone: HostError | null = null;
  private readonly stop = new AbortController();

  constructor(
    first: OpensshProcess,
    private readonly marker: string,
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
      return this.attach(waiting, events, new PrefixCut(`${this.marker}\n`), `${command}\n`);
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
 * Connects a process with the events of a channel; `cut` drops the output before the waiting shell's marker. `failed`
 * gets what the events throw at the process's end.
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
      events.closed(end.kind === "ended" ? end.end : channelEndOf(null, null));
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

/** How much is held until the marker comes: a command that is not ours may print for ever. */
const MAX_HELD_BYTES = 64 * 1024;

/**
 * Drops what a login shell's start-up files print: output up to and including `marker`. When the marker never comes, all
 * output is passed on.
 */
class PrefixCut {
  private held: Buffer | null = Buffer.alloc(0);
  private readonly marker: Buffer;

  constructor(marker: string) {
    this.marker = Buffer.from(marker);
  }

  /** What may be passed on now; null while it is not known. */
  push(chunk: Buffer): Buffer | null {
    if (this.held === null) return chunk;
    const all = Buffer.concat([this.held, chunk]);
    const index = all.indexOf(this.marker);
    if (index < 0 && all.length <= MAX_HELD_BYTES) {
      this.held = all;
      return null;
    }
    this.held = null;
    return index < 0 ? all : all.subarray(index + this.marker.length);
  }

  /** What was held when the output ended without the marker. */
  flush(): Buffer | null {
    const held = this.held;
    this.held = null;
    return held;
  }
}
