/** Parses the marked output of a remote script into the output of each part. See script.ts for the markers. */
import { NEWLINE } from "../lib/bytes.js";
import { cleanText } from "../lib/text.js";
import type { PartEnd, PartOutput, PartOutputs } from "../shims/kit/shim.js";
import { floodEnd, MORE_THAN_A_FRAME, MAX_FRAME_BYTES } from "./answer-bounds.js";
import { endOfStatus } from "./ended.js";
import { createFrameBytes, type FrameBytes } from "./frame-bytes.js";
import { MAX_STDERR_BYTES } from "./script.js";
import { LIMITERS, type TimeoutCommand } from "./script-plan.js";

/** A tool that the bootstrap found, in the order in which it was tried. */
export interface FoundTool {
  readonly shim: string;
  readonly executable: string;
}

export interface Frame {
  readonly outputs: PartOutputs;
  /** Milliseconds between the arrivals of a part's first and last marker; only of parts that ended. */
  readonly tookMs: ReadonlyMap<string, number>;
  /** Bootstrap only. */
  readonly limiter: TimeoutCommand | null;
  readonly uname: string | null;
  /** Boot id and name of the machine, as the script compares them. */
  readonly machine: string | null;
  readonly found: readonly FoundTool[];
  /** False: the frame's end marker has not come; parts under way are `missing`. */
  readonly isWhole: boolean;
}

/** A frame without any answer: nothing was asked. */
export const NO_FRAME: Frame = {
  outputs: new Map(),
  tookMs: new Map(),
  limiter: null,
  uname: null,
  machine: null,
  found: [],
  isWhole: false,
};

/** Collects a channel's chunks until a frame's end marker is in them. One frame is under way at a time. */
export class FrameReader {
  readonly #bytes: FrameBytes;

  /** `create`: how bytes are held; tests compare the two ways. */
  constructor(nonce: string, create: (marker: string) => FrameBytes = createFrameBytes) {
    this.#bytes = create(`\n@${nonce} `);
  }

  /** Forgets what is held and waits for the end of `tick`. */
  begin(tick: number): void {
    this.#bytes.begin(`z ${tick}\n`);
  }

  /** Holds nothing until `begin`. */
  forget(): void {
    this.#bytes.forget();
  }

  /** True when the frame has ended with this chunk. Throws RangeError past 32 MiB. */
  push(chunk: Buffer, nowMs: number): boolean {
    if (this.#bytes.length + chunk.length > MAX_FRAME_BYTES)
      throw new RangeError(`the host sent ${MORE_THAN_A_FRAME} in one frame`);
    return this.#bytes.push(chunk, nowMs);
  }

  /** Text that came before the first marker: output of a forced command or of a login shell's rc file. */
  preamble(): string {
    const whole = this.#bytes.whole();
    const first = whole.indexOf(this.#bytes.marker);
    return whole.toString("utf8", 0, first < 0 ? undefined : first);
  }

  /** What has come so far, as parts. `toolTimeoutSecs` separates a part that timed out from one that failed. */
  frame(toolTimeoutSecs: number): Frame {
    const { marker } = this.#bytes;
    return parseFrame(this.#bytes.whole(), marker, toolTimeoutSecs, this.#bytes.arrivals());
  }
}

interface OpenPart {
  readonly id: string;
  readonly begunAt: number;
  stdout: string;
  /** Recorded instead of its own end. */
  flood: PartEnd | null;
  stderr: string;
}

/** `arrivalMs`: when the byte at an offset arrived; it is asked with offsets that only grow. */
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
  let machine: string | null = null;
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
    const value = wordAt(line, kind.length + id.length + 2);
    const elapsedMs: number = open === null ? 0 : arrivalMs(at) - open.begunAt;
    const end = kind === "x" || kind === "o" ? endOfStatus(Number(value), elapsedMs, toolTimeoutSecs) : null;
    // `$(...)` in the shell drops the last newline, and the next marker begins with one: it is put back. The last line of
    // a program that was killed may be half a line, and gets none.
    const isLine = kind === "o" && end?.kind === "exit" && next > lineEnd + 1;
    const bodyEnd = next < 0 ? whole.length : Math.max(next, lineEnd + 1) + (isLine ? 1 : 0);
    const flood = kind === "p" || kind === "o" ? floodEnd(whole, lineEnd + 1, bodyEnd) : null;
    const body = flood === null ? whole.toString("utf8", lineEnd + 1, bodyEnd) : "";
    if (kind === "v") {
      limiter = LIMITERS.find((known) => known === id) ?? null;
      uname = cleanText(value) || null;
    } else if (kind === "k") machine = line.slice(2);
    else if (kind === "t") found.push({ shim: id, executable: value });
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
  return { outputs, tookMs, limiter, uname, machine, found, isWhole };
}

/** "" past the line's end. */
function wordAt(line: string, from: number): string {
  const end = line.indexOf(" ", from);
  return end < 0 ? line.slice(from) : line.slice(from, end);
}
