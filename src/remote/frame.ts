/** Marked output of a remote script, back into what each part answered. See script.ts for the markers. */
import { NEWLINE } from "../lib/bytes.js";
import { cleanText } from "../lib/text.js";
import type { PartEnd, PartOutput, PartOutputs } from "../shims/kit/shim.js";
import { floodEnd, MORE_THAN_A_FRAME, MAX_FRAME_BYTES } from "./answer-bounds.js";
import { LIMITERS, MAX_STDERR_BYTES, type TimeoutCommand } from "./script.js";

/** A tool that the bootstrap found, in the order in which it was tried. */
export interface FoundTool {
  readonly shim: string;
  readonly executable: string;
}

export interface Frame {
  readonly outputs: PartOutputs;
  /** From a part's beginning to its end on the host, as it arrived here; of those that ended. */
  readonly tookMs: ReadonlyMap<string, number>;
  /** Bootstrap only. */
  readonly limiter: TimeoutCommand | null;
  readonly uname: string | null;
  readonly found: readonly FoundTool[];
  /** False: the frame's end marker has not come; parts under way are `missing`. */
  readonly isWhole: boolean;
}

/** Where the chunks of the usual frame are put together: a buffer for each frame costs more than its reading. */
const joined = Buffer.allocUnsafeSlow(64 * 1024);

/** Collects a channel's chunks until a frame's end marker is in them. One frame is under way at a time. */
export class FrameReader {
  readonly #marker: Buffer;
  #chunks: Buffer[] = [];
  #arrivals: number[] = [];
  #bytes = 0;
  /** The frame's last line. */
  #end: Buffer;

  constructor(nonce: string) {
    const marker = `\n@${nonce} `;
    // Of its own: a small one from Node's pool would keep 8 KiB alive for as long as the session stands.
    this.#marker = Buffer.alloc(marker.length);
    this.#marker.write(marker);
    this.#end = this.#marker;
  }

  /** Forgets what is held and waits for the end of `tick`. */
  begin(tick: number): void {
    this.forget();
    const rest = `z ${tick}\n`;
    const length = this.#marker.length + rest.length;
    if (this.#end.length !== length) {
      this.#end = Buffer.alloc(length);
      this.#marker.copy(this.#end);
    }
    this.#end.write(rest, this.#marker.length, "latin1");
  }

  /** Holds nothing until `begin`: chunks are views of larger buffers. */
  forget(): void {
    if (this.#chunks.length === 0) return;
    this.#chunks = [];
    this.#arrivals = [];
    this.#bytes = 0;
  }

  /** True when the frame has ended with this chunk. Throws RangeError past 32 MiB. */
  push(chunk: Buffer, nowMs: number): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_FRAME_BYTES)
      throw new RangeError(`the host sent ${MORE_THAN_A_FRAME} in one frame`);
    this.#chunks.push(chunk);
    this.#arrivals.push(nowMs);
    // The usual last chunk: its marker ends it.
    return this.#hasEndAt(chunk.length - 1) || this.#hasEndAcross(chunk) || chunk.includes(this.#end);
  }

  /** The end may begin in earlier chunks: with one of the newlines that stand where only its last byte can. */
  #hasEndAcross(chunk: Buffer): boolean {
    if (this.#chunks.length === 1) return false;
    const most = Math.min(chunk.length, this.#end.length - 1);
    for (let at = 0; at < most; at++) if (chunk[at] === NEWLINE && this.#hasEndAt(at)) return true;
    return false;
  }

  /** Whether what came up to and with this byte of the last chunk ends with the end. */
  #hasEndAt(last: number): boolean {
    let index = this.#chunks.length - 1;
    let chunk = this.#chunks[index];
    let at = last;
    for (let place = this.#end.length - 1; place >= 0; place--, at--) {
      while (at < 0) {
        chunk = this.#chunks[--index];
        if (chunk === undefined) return false;
        at = chunk.length - 1;
      }
      if (chunk?.[at] !== this.#end[place]) return false;
    }
    return true;
  }

  /** Text that came before the first marker: what a forced command or a login shell's rc file said. */
  preamble(): string {
    const whole = Buffer.concat(this.#chunks);
    const first = whole.indexOf(this.#marker);
    return whole.toString("utf8", 0, first < 0 ? undefined : first);
  }

  /** What has come so far, as parts. `toolTimeoutSecs` tells a part that was ended from one that failed. */
  frame(toolTimeoutSecs: number): Frame {
    return parseFrame(this.#whole(), this.#marker, toolTimeoutSecs, this.#arrivalsInOrder());
  }

  /** To be read at once: the next frame, of whichever host, takes the same place. */
  #whole(): Buffer {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first;
    if (this.#bytes > joined.length) return Buffer.concat(this.#chunks);
    let length = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, length);
      length += chunk.length;
    }
    return joined.subarray(0, length);
  }

  /** Tells when the byte at an offset arrived; asked with offsets that only grow. */
  #arrivalsInOrder(): (offset: number) => number {
    let chunk = 0;
    let end = this.#chunks[0]?.length ?? 0;
    return (offset) => {
      while (offset >= end && chunk < this.#chunks.length - 1) end += this.#chunks[++chunk]?.length ?? 0;
      return this.#arrivals[chunk] ?? 0;
    };
  }
}

interface OpenPart {
  readonly id: string;
  readonly begunAt: number;
  stdout: string;
  /** In the place of its own end. */
  flood: PartEnd | null;
  stderr: string;
}

/** `arrivalMs` tells when the byte at an offset arrived, and is asked with offsets that only grow. */
function parseFrame(
  whole: Buffer,
  marker: Buffer,
  toolTimeoutSecs: number,
  arrivalMs: (offset: number) => number,
): Frame {
  const outputs = new Map<string, PartOutput>();
  const tookMs = new Map<string, number>();
  const found: FoundTool[] = [];
  let limiter: TimeoutCommand | null = null;
  let uname: string | null = null;
  let open: OpenPart | null = null;
  let isWhole = false;

  const close = (end: PartEnd): void => {
    if (open !== null) {
      const { id, stdout, stderr, flood } = open;
      outputs.set(id, { stdout, stderr, end: end.kind === "missing" ? end : (flood ?? end) });
    }
    open = null;
  };

  for (let at = whole.indexOf(marker); at >= 0;) {
    const lineEnd = whole.indexOf(NEWLINE, at + marker.length);
    if (lineEnd < 0) break;
    const next = whole.indexOf(marker, lineEnd);
    const line = whole.toString("utf8", at + marker.length, lineEnd);
    const kind = wordAt(line, 0);
    const id = wordAt(line, kind.length + 1);
    const word = wordAt(line, kind.length + id.length + 2);
    const elapsedMs: number = open === null ? 0 : arrivalMs(at) - open.begunAt;
    const end = kind === "x" || kind === "o" ? partEnd(Number(word), elapsedMs, toolTimeoutSecs) : null;
    // The shell has taken the last newline from what it held, and the next marker begins with one. What a program that was
    // ended had printed last may be half a line, and stays without.
    const isLine = kind === "o" && end?.kind === "exit" && next > lineEnd + 1;
    const bodyEnd = next < 0 ? whole.length : Math.max(next, lineEnd + 1) + (isLine ? 1 : 0);
    const flood = kind === "p" || kind === "o" ? floodEnd(whole, lineEnd + 1, bodyEnd) : null;
    const body = flood === null ? whole.toString("utf8", lineEnd + 1, bodyEnd) : "";
    if (kind === "v") {
      limiter = LIMITERS.find((known) => known === id) ?? null;
      uname = cleanText(word) || null;
    } else if (kind === "t") found.push({ shim: id, executable: word });
    else if (kind === "p" || kind === "q") {
      close({ kind: "missing" });
      const [stdout, stderr] = kind === "p" ? [body, ""] : ["", body.slice(0, MAX_STDERR_BYTES)];
      open = { id, begunAt: arrivalMs(at), stdout, stderr, flood };
    } else if (kind === "e" && open !== null) open.stderr = body;
    else if (end !== null && open !== null) {
      if (kind === "o") {
        open.stdout = body;
        open.flood = flood;
      }
      tookMs.set(open.id, elapsedMs);
      close(end);
    } else if (kind === "z") isWhole = true;
    at = next;
  }
  close({ kind: "missing" });
  return { outputs, tookMs, limiter, uname, found, isWhole };
}

/** "" past the line's end. */
function wordAt(line: string, from: number): string {
  const end = line.indexOf(" ", from);
  return end < 0 ? line.slice(from) : line.slice(from, end);
}

/** `timeout` says 124; a killed program says 128 + the signal, and shells differ in more: elapsed time decides those. */
function partEnd(status: number, elapsedMs: number, toolTimeoutSecs: number): PartEnd {
  if (status === 124) return { kind: "timeout", afterSecs: toolTimeoutSecs };
  if (status !== 0 && elapsedMs >= toolTimeoutSecs * 1000 - 100)
    return { kind: "timeout", afterSecs: toolTimeoutSecs };
  const signal = status > 128 && status < 160 ? SIGNALS.get(status - 128) : undefined;
  if (signal !== undefined) return { kind: "signal", signal };
  return { kind: "exit", code: Number.isInteger(status) ? status : 255 };
}

const SIGNALS = new Map([
  [1, "SIGHUP"],
  [2, "SIGINT"],
  [3, "SIGQUIT"],
  [4, "SIGILL"],
  [6, "SIGABRT"],
  [7, "SIGBUS"],
  [8, "SIGFPE"],
  [9, "SIGKILL"],
  [11, "SIGSEGV"],
  [13, "SIGPIPE"],
  [15, "SIGTERM"],
]);
