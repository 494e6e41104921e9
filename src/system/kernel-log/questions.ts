/**
 * What a host is asked for its kernel log. Only lines that may be events leave the host. All text is constant but for the
 * journal's own position, six hexadecimal numbers that this host printed and that are checked here.
 */
import { MAX_LINE_CHARS } from "./events.js";
import { KERNEL_FILTER } from "./patterns.js";

/** The part's id in a frame. */
export const KERNEL_LOG = "host.kernel-log";

/** Of the newest lines that pass the filter. */
export const MAX_LINES = 200;
/** How far back the journal is read where there is no position in it, in lines of the kernel: 50 ms of a host's time. */
const MAX_HISTORY_LINES = 10_000;

/** A position in the journal, as `--show-cursor` prints it. */
export type Cursor = string & { readonly __cursor: true };

/** sd_journal_get_cursor(3) calls it opaque; systemd 205 and later write these six fields. Null for any other text. */
export function cursorIn(text: string): Cursor | null {
  const isCursor =
    /^s=[0-9a-f]{32};i=[0-9a-f]{1,16};b=[0-9a-f]{32};m=[0-9a-f]{1,16};t=[0-9a-f]{1,16};x=[0-9a-f]{1,16}$/;
  return isCursor.test(text) ? (text as Cursor) : null;
}

/** Messages of the programs, which begin with a word, and the lines that the script adds. */
const NO_ENTRY = "^(@|-- |[A-Z][a-z]|[a-z]+: )";

/**
 * Prints the messages of the command, its log's first entry, those of its entries that pass the filter, and its exit
 * status. The first entry shows how far back the log goes.
 */
function filtered(command: string): string {
  const firstEntry = `while IFS= read -r hl; do printf "%s$n" "$hl"; case "$hl" in [0-9]*|"["*|"<"*) break;; esac; done`;
  const rest = `grep -a -E "${NO_ENTRY}|${KERNEL_FILTER}" | cut -c 1-${MAX_LINE_CHARS} | tail -n ${MAX_LINES}`;
  // Colours that an account asks for would stand before the message.
  return `{ export SYSTEMD_COLORS=0; b ${command}; echo "@exit $?"; } 2>&1 </dev/null | { ${firstEntry}; ${rest}; }`;
}

const SHORT = "-o short-unix --no-pager --show-cursor";

/** The newest part of the current boot's journal. Not -q: it would hide that the account may not see the kernel's lines. */
export const JOURNAL_OF_BOOT = filtered(`journalctl -k ${SHORT} -n ${MAX_HISTORY_LINES}`);

/** What the journal has behind a position, of later boots too. */
export function journalAfter(cursor: Cursor): string {
  return filtered(`journalctl _TRANSPORT=kernel ${SHORT} "--after-cursor=${cursor}"`);
}

/** The kernel's own buffer, with the boot that it is of, seconds since that boot, and seconds since the epoch. */
export const KERNEL_BUFFER = [
  `{ read -r hl; echo "@boot $hl"; } </proc/sys/kernel/random/boot_id`,
  `{ read -r hl hk; echo "@up $hl $(date +%s)"; } </proc/uptime`,
  filtered("dmesg"),
].join("; ");
