/**
 * A run's log of its hosts: a line where the state of a host changes, none where it stays as it is. A host that changes
 * all the time has a line a minute of each kind, with how many there were.
 */
import type { HostChangeLines } from "../contract/operator-log.js";
import type { FrameRecord, LastError, SectionError, StateRecord, StreamRecord } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import { HostLines, type HeldLine } from "./host-lines.js";
import type { HostOutcome } from "./host-outcome.js";

/** What is known of a host from its lines so far. */
interface Known {
  readonly name: string;
  isConnected: boolean;
  /** What is wrong at present, by a key that stays the same while the same thing is wrong. */
  problems: ReadonlySet<string>;
  /** When something began to be wrong, in ms since the epoch; null: nothing is wrong. */
  sinceMs: number | null;
  readonly lines: HostLines<Line>;
}

interface Line {
  readonly text: string;
  readonly fix?: string | undefined;
}

interface Problem {
  readonly key: string;
  readonly text: string;
  readonly fix?: string | undefined;
}

const NONE: ReadonlySet<string> = new Set();

/** Takes the records of a fleet in their order. */
export class HostChanges {
  readonly #lines: HostChangeLines;
  readonly #print: (line: string) => void;
  readonly #known = new Map<string, Known>();
  readonly #idOfName = new Map<string, string>();
  #printed = 0;

  /** `print` takes a text of one line, or of several where `lines.fix` is `below`. */
  constructor(lines: HostChangeLines, print: (line: string) => void) {
    this.#lines = lines;
    this.#print = print;
  }

  /** `outcome` is that of the record. */
  take(record: StreamRecord, outcome: HostOutcome): void {
    const known = this.#knownOf(record);
    if (record.record === "frame") this.#takeFrame(known, record, outcome);
    else this.#takeState(known, record);
    if (known.lines.isHolding) this.#printHeld(known, known.lines.due(Date.parse(record.timestamp)));
  }

  /** The end of the run: prints the lines that wait. */
  end(): void {
    for (const known of this.#known.values()) this.#printHeld(known, known.lines.rest());
  }

  #takeFrame(known: Known, frame: FrameRecord, outcome: HostOutcome): void {
    // Most frames end here.
    if (outcome.kind === "ok" && known.isConnected && known.sinceMs === null) return;
    if (!known.isConnected) this.#connected(known, frame);
    const problems = problemsOf(frame, outcome);
    if (problems.length > 0) this.#wrong(known, problems, frame.timestamp);
    else if (known.sinceMs !== null) {
      const text = `ok again after ${duration(Date.parse(frame.timestamp) - known.sinceMs)}`;
      this.#log(known, "ok again", { text }, frame.timestamp);
      known.problems = NONE;
      known.sinceMs = null;
    }
  }

  #takeState(known: Known, record: StateRecord): void {
    const { state, last_error: error } = record;
    if (state === "connecting") {
      if (this.#lines.attempts && record.tick === null)
        this.#log(known, state, { text: "connecting" }, record.timestamp);
    } else if (error === null) {
      if (state === "connected" && !known.isConnected) this.#connected(known, record);
    } else if (state === "connected") {
      // This tick has no frame, so what the last one had is still wrong.
      const problem = { key: error.code, text: textOf(error), fix: error.fix };
      this.#wrong(known, [problem], record.timestamp, known.problems);
    } else {
      const isAttempt = this.#lines.attempts && record.tick === null;
      if (isAttempt) known.problems = NONE;
      known.isConnected = false;
      const retry = record.retry_in_ms === null ? "" : `; retry in ${duration(record.retry_in_ms)}`;
      const problem = { key: error.code, text: textOf(error) + retry, fix: error.fix };
      this.#wrong(known, [problem], record.timestamp);
    }
  }

  #connected(known: Known, { transport, ssh_client, channel, timestamp }: StreamRecord): void {
    known.isConnected = true;
    const route = this.#lines.attempts ? [transport, ssh_client, channel] : [transport];
    const named = route.filter((part) => part !== null && part !== undefined);
    const how = named.length === 0 ? "" : ` (${named.join(", ")})`;
    if (known.sinceMs !== null) {
      const text = `connected again after ${duration(Date.parse(timestamp) - known.sinceMs)}${how}`;
      this.#log(known, "connected again", { text }, timestamp);
      known.problems = NONE;
      known.sinceMs = null;
    } else if (this.#lines.firstConnections)
      this.#log(known, "connected", { text: `connected${how}` }, timestamp);
  }

  /** Logs what was not wrong before. `still` are keys of problems that last beside these. */
  #wrong(known: Known, problems: readonly Problem[], timestamp: string, still = NONE): void {
    for (const problem of problems)
      if (!known.problems.has(problem.key)) this.#log(known, problem.key, problem, timestamp);
    known.problems = new Set([...still, ...problems.map(({ key }) => key)]);
    known.sinceMs ??= Date.parse(timestamp);
  }

  #log(known: Known, kind: string, line: Line, timestamp: string): void {
    // Each attempt was asked for, so each has its line.
    const nowMs = Date.parse(timestamp);
    if (!this.#lines.attempts && !known.lines.take(kind, line, nowMs)) return;
    this.#printHeld(known, known.lines.due(nowMs));
    this.#printLine(known, line);
  }

  #printHeld(known: Known, held: readonly HeldLine<Line>[]): void {
    for (const { line, count } of held) {
      const text = count === 1 ? line.text : `${line.text} (${count} such lines in a minute)`;
      this.#printLine(known, { ...line, text });
    }
  }

  #printLine({ name }: Known, { text, fix }: Line): void {
    const { maxLines, fix: place } = this.#lines;
    this.#printed += 1;
    if (this.#printed > maxLines) {
      if (this.#printed === maxLines + 1)
        this.#print("more hosts have no reading; their records have the reasons");
      return;
    }
    const line = cleanText(`${name}: ${text}`);
    if (fix === undefined) this.#print(line);
    else this.#print(place === "below" ? `${line}\n  ${cleanText(fix)}` : `${line}; fix: ${cleanText(fix)}`);
  }

  #knownOf({ host_id: id, hostname }: StreamRecord): Known {
    const before = this.#known.get(id);
    if (before !== undefined) return before;
    // The same name with another user or port is another host.
    const isTaken = this.#idOfName.has(hostname);
    if (!isTaken) this.#idOfName.set(hostname, id);
    const known: Known = {
      name: isTaken ? id : hostname,
      isConnected: false,
      problems: NONE,
      sinceMs: null,
      lines: new HostLines(),
    };
    this.#known.set(id, known);
    return known;
  }
}

/** What is wrong with a host that answered. Keys leave out texts, which may change with each reading. */
function problemsOf(frame: FrameRecord, outcome: HostOutcome): readonly Problem[] {
  // A finding that repeats an error has what to do besides.
  const isFound = ({ section, message }: SectionError): boolean =>
    frame.health?.findings.some((finding) => finding.message.includes(`${section}: ${message}`)) === true;
  const errors = (frame.errors ?? [])
    .filter((error) => !isFound(error))
    .map(({ section, kind, device, message }) => ({
      key: `${section} ${kind} ${device ?? ""}`,
      text: `${section} ${kind}: ${message}`,
    }));
  const findings = (frame.health?.findings ?? []).map(({ rule, severity, device, message, action }) => ({
    key: `${rule} ${severity} ${device ?? ""}`,
    text: `${severity}: ${device === null ? "" : `${device}: `}${message}; ${action}`,
  }));
  const isExplained = errors.length > 0 || frame.errors !== undefined || outcome.kind !== "errors";
  if (isExplained) return [...errors, ...findings];
  return [{ key: outcome.reason, text: outcome.reason }, ...findings];
}

function textOf({ code, message }: LastError): string {
  return `${code}: ${message}`;
}

/** As `0.8 s`, `35 s`, `12 min` or `3 h 5 min`. */
export function duration(ms: number): string {
  const secs = Math.max(0, ms) / 1000;
  if (secs < 10) return `${Number(secs.toFixed(1))} s`;
  const minutes = Math.round(secs / 60);
  if (secs < 120) return `${Math.round(secs)} s`;
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? "" : ` ${minutes % 60} min`}`;
}
