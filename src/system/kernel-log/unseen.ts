/** Which entries of a log are new, where the log is read whole each time and loses its oldest ones. */

/** More than the kernel logs alike in one microsecond. */
const MAX_REMEMBERED = 32;

/** The last entries of a log, to find the place again. */
export function remembered(before: readonly string[], entries: readonly string[]): readonly string[] {
  return [...before.slice(-MAX_REMEMBERED), ...entries.slice(-MAX_REMEMBERED)].slice(-MAX_REMEMBERED);
}

export interface Unseen {
  readonly entries: readonly string[];
  /** False: none of the remembered entries is in the log any more, so some between may have gone too. */
  readonly isJoined: boolean;
}

/**
 * The entries behind those that were seen. Entries carry their time, so that the end of what was seen is found again; the
 * log's own beginning may have cut it. Where it is gone, every entry is newer: a log only loses its oldest ones.
 */
export function unseenIn(entries: readonly string[], seen: readonly string[]): Unseen {
  if (seen.length === 0) return { entries, isJoined: true };
  let best = { length: 0, end: 0 };
  for (let end = 1; end <= entries.length; end++) {
    const whole = Math.min(end, seen.length);
    if (whole > best.length && isEndOf(entries, end, seen, whole)) best = { length: whole, end };
  }
  return { entries: entries.slice(best.end), isJoined: best.length > 0 };
}

/** Whether the last `count` of `seen` are the entries up to `end`. */
function isEndOf(entries: readonly string[], end: number, seen: readonly string[], count: number): boolean {
  for (let back = 1; back <= count; back++)
    if (entries[end - back] !== seen[seen.length - back]) return false;
  return true;
}
