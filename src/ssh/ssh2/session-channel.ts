/** One remote command over ssh2, as the pipeline knows channels. */
import type { Readable } from "node:stream";
import type { Channel, ChannelEnd, ChannelEvents } from "../../contract/connection.js";
import { hostErrorOf, type HostError } from "../../contract/errors.js";

/** The part of ssh2's channel that is used. */
export interface ExecStream extends Readable {
  readonly stderr: Readable;
  write(data: string): boolean;
  end(): void;
  close(): void;
}

/**
 * Wires a stream whose command runs. Both outputs are consumed at once, or its end would never be told. `ended` is
 * called when the server has let go of the channel, abandoned or not; `failed` with what `events` threw: it would end
 * the process, or be taken for the server's bad bytes.
 */
export function wireChannel(
  stream: ExecStream,
  events: ChannelEvents,
  ended: () => void,
  failed: (error: HostError) => void,
): Channel {
  let owned = true;
  let end: ChannelEnd = { kind: "lost" };
  let open = 2;
  const closed = (): void => {
    open -= 1;
    if (open > 0) return;
    ended();
    if (!owned) return;
    owned = false;
    try {
      events.closed(end);
    } catch (error) {
      failed(hostErrorOf(error, "sample"));
    }
  };
  stream.on("data", (chunk: Buffer) => {
    try {
      if (owned) events.stdout(chunk);
    } catch (error) {
      failed(hostErrorOf(error, "sample"));
    }
  });
  stream.stderr.on("data", (chunk: Buffer) => {
    try {
      if (owned) events.stderr(chunk);
    } catch (error) {
      failed(hostErrorOf(error, "sample"));
    }
  });
  stream.on("exit", (code: number | null, signal?: string) => {
    end = code === null ? { kind: "signal", signal: signal ?? "unknown" } : { kind: "exit", code };
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
