/** Timestamps as records have them. */

let minute = Number.NaN;
/** What all times of that minute begin with. */
let beginning = "";

/** Ms since the epoch as `Date.prototype.toISOString` writes them, which takes six times as long. Throws RangeError as it does. */
export function isoTime(wallMs: number): string {
  const ms = Math.floor(wallMs);
  const itsMinute = Math.floor(ms / 60_000);
  if (itsMinute !== minute) {
    beginning = new Date(itsMinute * 60_000).toISOString().slice(0, -"00.000Z".length);
    minute = itsMinute;
  }
  const inMinute = ms - itsMinute * 60_000;
  const secs = Math.floor(inMinute / 1000);
  return `${beginning}${digits(secs, 2)}.${digits(inMinute - secs * 1000, 3)}Z`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}
