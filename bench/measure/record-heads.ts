/**
 * The beginnings of NDJSON records as they come. Only they are looked at: who measures shares the machine with what is
 * measured, and a frame of eight GPUs is 8 KB.
 */

export interface RecordHead {
  readonly record: "frame" | "state";
  /** As printed, ISO 8601. */
  readonly timestamp: string;
  readonly tick: number;
  readonly hostId: string;
  /** The line's first bytes: a state record's `last_error.code` and a frame's first section are among them. */
  readonly text: string;
}

const HEAD_BYTES = 1024;
const HEAD = /^\{"schema":1,"record":"(frame|state)","timestamp":"([^"]*)","tick":(\d+),"host_id":"([^"]*)"/;
const LINE_END = 0x0a;

/** Hands each tick's record on; transitions between ticks, and lines that are no record, are passed over. */
export function headReader(take: (head: RecordHead) => void): (chunk: Buffer) => void {
  /** The head of a line that has not ended; null: its head was taken, the rest is skipped. */
  let begun: Buffer | null = Buffer.alloc(0);
  return (chunk) => {
    for (let at = 0; at < chunk.length;) {
      const lineEnd = chunk.indexOf(LINE_END, at);
      const end = lineEnd < 0 ? chunk.length : lineEnd;
      if (begun !== null) {
        const more = chunk.subarray(at, Math.min(end, at + HEAD_BYTES - begun.length));
        const head: Buffer = begun.length === 0 ? more : Buffer.concat([begun, more]);
        if (lineEnd >= 0 || head.length === HEAD_BYTES) {
          const found = recordHead(head.toString("latin1"));
          if (found !== null) take(found);
          begun = null;
        } else begun = Buffer.from(head);
      }
      if (lineEnd < 0) return;
      begun = Buffer.alloc(0);
      at = lineEnd + 1;
    }
  };
}

/** Of a line, or of its beginning; null where it is no record of a tick. */
export function recordHead(text: string): RecordHead | null {
  const found = HEAD.exec(text);
  if (found === null) return null;
  const [, record, timestamp = "", tick = "", hostId = ""] = found;
  return { record: record === "frame" ? "frame" : "state", timestamp, tick: Number(tick), hostId, text };
}
