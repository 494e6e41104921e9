/** What a host printed of its kernel log, taken apart. */
import { oneLine } from "../../lib/text.js";
import { MAX_LINE_CHARS } from "./events.js";
import { parseLogLine, secondsSinceBoot } from "./log-line.js";
import { cursorIn, MAX_LINES, type Cursor } from "./questions.js";

export interface LogAnswer {
  /** Of journalctl or dmesg; null where it did not end. */
  readonly exitCode: number | null;
  /** Whether the program printed any entry of the log, one that is no event too. */
  readonly hasEntries: boolean;
  /** Entries that may be events, in the log's order. */
  readonly entries: readonly string[];
  /** Older entries than these were left out by the host's side. */
  readonly isCut: boolean;
  /** What the program printed besides, in one line. */
  readonly complaint: string;
  /** Journal only: the position of its last entry. */
  readonly cursor: Cursor | null;
  /** Kernel's buffer only: the boot's id; since when the buffer goes, in seconds since boot; the time of the question. */
  readonly bootId: string | null;
  readonly firstSecs: number | null;
  readonly upSecs: number | null;
  /** When the host was booted, in ms since the epoch. */
  readonly bootMs: number | null;
}

/** Lines of journalctl that say nothing: what its log holds, and that there is nothing to show. */
const HEADER = /^-- (?:Logs begin|Journal begins|No entries|Boot|Reboot)\b/;
const CURSOR = "-- cursor: ";
const MAX_COMPLAINTS = 4;

/** `stdout`: that of a question of questions.ts. */
export function parseAnswer(stdout: string): LogAnswer {
  const entries: string[] = [];
  const complaints: string[] = [];
  const marks = new Map<string, string>();
  let cursor: Cursor | null = null;
  let linesAfterFirst = 0;
  for (const whole of stdout.split("\n")) {
    const line = whole.slice(0, MAX_LINE_CHARS);
    if (entries.length > 0 && line !== "") linesAfterFirst += 1;
    const mark = /^@(\w+) (.*)$/.exec(line);
    if (mark !== null) marks.set(mark[1] ?? "", mark[2] ?? "");
    else if (line.startsWith(CURSOR)) cursor = cursorIn(line.slice(CURSOR.length));
    else if (parseLogLine(line, null) !== null) entries.push(line);
    else if (line.trim() !== "" && !HEADER.test(line)) complaints.push(line);
  }
  const isCut = linesAfterFirst >= MAX_LINES;
  const [upSecs = null, nowSecs = null] = (marks.get("up") ?? "").split(" ").map(numberIn);
  return {
    exitCode: numberIn(marks.get("exit") ?? ""),
    hasEntries: entries.length > 0,
    // The log's first entry is far from the others then.
    entries: isCut ? entries.slice(1) : entries,
    isCut,
    complaint: oneLine(complaints.slice(0, MAX_COMPLAINTS).join("\n")),
    cursor,
    bootId: marks.get("boot") ?? null,
    firstSecs: secondsSinceBoot(entries[0] ?? ""),
    upSecs,
    bootMs: upSecs === null || nowSecs === null ? null : Math.round((nowSecs - upSecs) * 1000),
  };
}

function numberIn(text: string): number | null {
  return /^\d{1,12}(\.\d+)?$/.test(text) ? Number(text) : null;
}
