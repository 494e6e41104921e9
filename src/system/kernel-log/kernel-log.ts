/**
 * One host's kernel log, over all connections of a run: what to ask next, and which of the answer's events are new. The
 * journal has a position, which outlives rotation and reboots. The kernel's own buffer (dmesg) is read whole each time.
 */
import type { SectionError } from "../../contract/record.js";
import type { KernelEvent } from "../../contract/kernel-event.js";
import { parseAnswer, type LogAnswer } from "./answer.js";
import { isEvent, kernelEvents } from "./events.js";
import { leftOut } from "./left-out.js";
import { JOURNAL_OF_BOOT, journalAfter, KERNEL_BUFFER, type Cursor } from "./questions.js";
import { remembered, unseenIn } from "./unseen.js";

export type LogStep =
  | { readonly kind: "read"; readonly events: readonly KernelEvent[] }
  /** Another question comes first. */
  | { readonly kind: "again" }
  | { readonly kind: "failed"; readonly error: SectionError };

type Place =
  /** `journal`: why the journal cannot be read; null: it was not asked yet. */
  | { readonly kind: "start"; readonly journal: { readonly why: string; readonly isSlow: boolean } | null }
  /** `seen`: the last events. `isBehind`: what came after them was too long to be read. */
  | {
      readonly kind: "journal";
      readonly cursor: Cursor | null;
      readonly seen: readonly string[];
      readonly isBehind: boolean;
    }
  | {
      readonly kind: "buffer";
      readonly bootId: string | null;
      readonly seen: readonly string[];
      /** When it was read, in seconds since boot. */
      readonly upSecs: number | null;
    };

const START: Place = { kind: "start", journal: null };
/** Of journalctl for an account that may see only its own lines, of dmesg, and of busybox's dmesg. */
const DENIED = /not seeing messages|insufficient permission|permission denied|not permitted/i;
/** Printed with status 0 by some versions. */
const NO_JOURNAL = /no journal files were/i;
const GROUPS = "add the account to the group systemd-journal or adm on the host";

export class KernelLog {
  #place: Place = START;
  #isRefused = false;

  /** A new connection: an account that was refused may be in another group now. */
  connected(): void {
    this.#isRefused = false;
    if (this.#place.kind === "start") this.#place = START;
  }

  /** Shell text; null where this connection's account may read no log. */
  question(): string | null {
    const place = this.#place;
    if (this.#isRefused) return null;
    if (place.kind === "buffer" || (place.kind === "start" && place.journal !== null)) return KERNEL_BUFFER;
    return place.kind === "start" || place.cursor === null ? JOURNAL_OF_BOOT : journalAfter(place.cursor);
  }

  /** `stdout`: the answer to `question`. */
  answer(stdout: string): LogStep {
    const answer = parseAnswer(stdout);
    switch (this.#place.kind) {
      case "start":
        return this.#place.journal === null
          ? this.#firstJournal(answer)
          : this.#firstBuffer(answer, this.#place.journal);
      case "journal":
        return this.#journal(answer, this.#place);
      case "buffer":
        return this.#buffer(answer, this.#place);
    }
  }

  /** The question got no answer in time. */
  unanswered(): void {
    if (this.#place.kind === "journal") this.#place = { ...this.#place, cursor: null, isBehind: true };
  }

  // ---- the first look

  #firstJournal(answer: LogAnswer): LogStep {
    if (!isRead(answer) || !answer.hasEntries) {
      const journal = { why: reason("journalctl", answer), isSlow: isTimeout(answer) };
      this.#place = { kind: "start", journal };
      return { kind: "again" };
    }
    const entries = answer.entries.filter(isEvent);
    this.#place = { kind: "journal", cursor: answer.cursor, seen: remembered([], entries), isBehind: false };
    return read(fromBoot(entries), null);
  }

  #firstBuffer(answer: LogAnswer, { why, isSlow }: { why: string; isSlow: boolean }): LogStep {
    if (answer.exitCode === 0 && isRead(answer)) return this.#wholeBuffer(answer);
    this.#isRefused = !isSlow;
    this.#place = START;
    const message = `the kernel log cannot be read (${why}; ${reason("dmesg", answer)})`;
    return failed(isSlow ? message : `${message}; ${GROUPS}`, isSlow);
  }

  #wholeBuffer(answer: LogAnswer): LogStep {
    const { bootId, upSecs, bootMs } = answer;
    const entries = answer.entries.filter(isEvent);
    this.#place = { kind: "buffer", bootId, upSecs, seen: remembered([], entries) };
    return read(fromBoot(entries), bootMs);
  }

  // ---- later looks

  #journal(answer: LogAnswer, place: Place & { readonly kind: "journal" }): LogStep {
    if (!isRead(answer)) {
      const isDenied = DENIED.test(answer.complaint);
      if (isDenied) this.#isRefused = true;
      const wasLost = place.cursor !== null && /seek to cursor/i.test(answer.complaint);
      if (wasLost || isTimeout(answer)) this.unanswered();
      if (wasLost) return { kind: "again" };
      const message = `the kernel log cannot be read (${reason("journalctl", answer)})`;
      return failed(isDenied ? `${message}; ${GROUPS}` : message, isTimeout(answer));
    }
    const events = answer.entries.filter(isEvent);
    const { entries, isJoined } =
      place.cursor === null ? unseenIn(events, place.seen) : { entries: events, isJoined: true };
    // Where the last events are found again, nothing between is missing.
    const isShort = !isJoined || (place.isBehind && place.seen.length === 0);
    this.#place = {
      kind: "journal",
      cursor: answer.cursor ?? place.cursor,
      seen: remembered(place.seen, entries),
      isBehind: false,
    };
    if (isShort) return read({ gap: "lost", entries }, null);
    return read({ gap: answer.isCut && place.cursor !== null ? "cut" : null, entries }, null);
  }

  #buffer(answer: LogAnswer, place: Place & { readonly kind: "buffer" }): LogStep {
    if (answer.exitCode !== 0 || !isRead(answer))
      return failed(`the kernel log cannot be read (${reason("dmesg", answer)})`, isTimeout(answer));
    const { bootId, upSecs, firstSecs, bootMs, isCut } = answer;
    const isBooted =
      bootId !== place.bootId || (upSecs !== null && place.upSecs !== null && upSecs < place.upSecs);
    if (isBooted) return this.#wholeBuffer(answer);
    const { entries, isJoined } = unseenIn(answer.entries.filter(isEvent), place.seen);
    this.#place = { kind: "buffer", bootId, upSecs, seen: remembered(place.seen, entries) };
    // The buffer begins after the last look: lines between may have gone.
    const isLost = firstSecs !== null && place.upSecs !== null && firstSecs > place.upSecs && !isJoined;
    if (isLost) return read({ gap: "lost", entries }, bootMs);
    return read({ gap: isCut && !isJoined ? "cut" : null, entries }, bootMs);
  }
}

interface New {
  /** Why events before these may be missing; null: none is. */
  readonly gap: Parameters<typeof leftOut>[0] | null;
  readonly entries: readonly string[];
}

/** A log that was never looked at: complete where it begins with a boot. */
function fromBoot(entries: readonly string[]): New {
  const [first] = kernelEvents(entries.slice(0, 1), null);
  return { gap: first?.kind === "boot" ? null : "start", entries };
}

function read({ gap, entries }: New, bootMs: number | null): LogStep {
  const events = kernelEvents(entries, bootMs);
  return { kind: "read", events: gap === null ? events : [leftOut(gap), ...events] };
}

function isRead({ exitCode, complaint, hasEntries }: LogAnswer): boolean {
  if (DENIED.test(complaint) || NO_JOURNAL.test(complaint)) return false;
  // journalctl of some versions exits with 1 where it has nothing to show, and prints nothing else.
  return exitCode === 0 || (exitCode === 1 && complaint === "" && !hasEntries);
}

/** `timeout` exits with 124; busybox's with the signal's status. */
function isTimeout({ exitCode }: LogAnswer): boolean {
  return exitCode === 124 || exitCode === 137 || exitCode === 143;
}

function reason(program: string, answer: LogAnswer): string {
  if (DENIED.test(answer.complaint)) return `${program}: not permitted`;
  if (isTimeout(answer)) return `${program}: no answer in time`;
  if (answer.exitCode === 127 || answer.exitCode === 126) return `${program}: not found`;
  if (answer.complaint !== "") return `${program}: ${answer.complaint.replace(`${program}: `, "")}`;
  return isRead(answer) ? `${program}: no line of this boot` : `${program}: exit code ${answer.exitCode}`;
}

function failed(message: string, isTimeout = false): LogStep {
  return { kind: "failed", error: { section: "event", kind: isTimeout ? "timeout" : "error", message } };
}
