/** A line of the kernel log as journalctl and dmesg print it: its time taken off. */

/** The prefix of a line, and the kernel's own message. */
export interface LogLine {
  /** Since the epoch; null where the line has no time that can be placed. */
  readonly timeMs: number | null;
  readonly message: string;
}

const MS = 1000;

/** `1700000000.123456 host kernel: `, journalctl -o short-unix. */
const UNIX = /^(\d{1,11})\.(\d{3})\d*\s+\S+\s+kernel(?:\[\d+\])?:\s*/;
/** `<3>[12345.678901] `, dmesg and dmesg -r; busybox has no other. */
const SINCE_BOOT = /^(?:<\d{1,3}>)?\[\s*(\d{1,10})\.(\d{3})\d*\]\s?/;
/** `[ T1234] ` or `[    C5] `: the caller, where the kernel prints it (CONFIG_PRINTK_CALLER). */
const CALLER = /^\[\s*[TC]\d+\]\s*/;

/**
 * Null for what is no entry of the log. `bootMs`: when the host was booted, in ms since the epoch, for lines that count
 * from then; null: their time is not known.
 */
export function parseLogLine(line: string, bootMs: number | null): LogLine | null {
  const unix = UNIX.exec(line);
  if (unix !== null)
    return { timeMs: Number(unix[1]) * MS + Number(unix[2]), message: message(line, unix[0]) };
  const sinceBoot = SINCE_BOOT.exec(line);
  if (sinceBoot === null) return null;
  const ms = Number(sinceBoot[1]) * MS + Number(sinceBoot[2]);
  return { timeMs: bootMs === null ? null : bootMs + ms, message: message(line, sinceBoot[0]) };
}

/** When dmesg's line was logged, in seconds since boot; null where it does not say. */
export function secondsSinceBoot(line: string): number | null {
  const match = SINCE_BOOT.exec(line);
  return match === null ? null : Number(`${match[1] ?? ""}.${match[2] ?? ""}`);
}

function message(line: string, prefix: string): string {
  return line.slice(prefix.length).replace(CALLER, "");
}
