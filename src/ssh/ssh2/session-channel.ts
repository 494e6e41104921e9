/** One remote command over ssh2, as a Channel. */
import type { Readable } from "node:stream";
import {
  channelEndOf,
  type Channel,
  type ChannelEnd,
  type ChannelEvents,
} from "../../contract/connection.js";
import { hostErrorOf, type HostError } from "../../contract/errors.js";

/** The part of ssh2's channel that is used. */
export interface ExecStream extends Readable {
  readonly stderr: Readable;
  write(data: string): boolean;
  end(): void;
  close(): void;
}

/**
 * Connects the stream of a running command with its owner. Both outputs are consumed at once, or ssh2 would never report
 * the end. `ended` is called when the server has closed the channel, abandoned or not. `failed` gets what `events` threw:
 * thrown on, it would end the process, or look like bad bytes of the server.
 */
export function wireChannel(
  stream: ExecStream,
  events: ChannelEvents,
  ended: () => void,
  failed: (error: HostError) => void,
): Channel {
  let owned = true;
  let end: ChannelEnd = channelEndOf(null, null);
  let openStreams = 2;
  const notify = (event: () => void): void => {
    try {
      if (owned) event();
    } catch (error) {
      failed(hostErrorOf(error, "sample"));
    }
  };
  const closed = (): void => {
    openStreams -= 1;
    if (openStreams > 0) return;
    ended();
    notify(() => {
      owned = false;
      events.closed(end);
    });
  };
  stream.on("data", (chunk: Buffer) => notify(() => events.stdout(chunk)));
  stream.stderr.on("data", (chunk: Buffer) => notify(() => events.stderr(chunk)));
  stream.on("exit", (code: number | null, signal?: string) => {
    end = channelEndOf(code, signal ?? "unknown");
  });
  stream.on("error", () => undefined);
  stream.stderr.on("error", () => undefined);
  stream.once("close", closed);
  stream.stderr.once("close", closed);
  const writable = (): boolean => Reflect.get(stream, "writable") === true;
  return {
    write: (data) => {
      if (owned && writable()) stream.write(data);
    },
    end: () => {
      if (owned && writable()) stream.end();
    },
    abandon: () => {
      owned = false;
      stream.close();
    },
  };
}
