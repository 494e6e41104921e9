/** What a run logs for its operator, and which of it is about hosts. */
import type { HostChangeLines, OperatorLog } from "../contract/operator-log.js";
import type { Options } from "../contract/options.js";
import { cleanText } from "../lib/text.js";
import type { Faults } from "./faults.js";
import type { Notices } from "./notices.js";

/** A run of one reading that finds a whole fleet dead fills no mailbox of cron. */
const MAX_LINES_ONCE = 20;

/**
 * Null: none. `isTerminal`: the lines go to a terminal, where progress is shown in place of first connections;
 * `isTableThere`: on which a table that shows every state is redrawn.
 */
export function hostChangeLines(
  { verbosity, source, length }: Pick<Options, "verbosity" | "source" | "length">,
  { isTerminal, isTableThere }: { readonly isTerminal: boolean; readonly isTableThere: boolean },
): HostChangeLines | null {
  if (verbosity === "quiet") return null;
  const isVerbose = verbosity === "verbose";
  if (!isVerbose && (source.kind === "replay" || isTableThere)) return null;
  const isOnce = length.kind === "once";
  return {
    firstConnections: isVerbose || (!isOnce && !isTerminal),
    attempts: isVerbose,
    fix: isTerminal ? "below" : "same line",
    maxLines: isOnce && !isVerbose ? MAX_LINES_ONCE : Infinity,
  };
}

export function createLog(
  notices: Notices,
  { verbosity }: Options,
  faults: Faults,
  hostChanges: HostChangeLines | null,
): OperatorLog {
  return {
    warn: (message) => {
      if (verbosity !== "quiet") notices.log(`warning: ${message}`);
    },
    debug: (message) => {
      if (verbosity === "verbose") notices.log(cleanText(message));
    },
    line: (line) => notices.log(line),
    hostChanges,
    fault: faults.report,
    faultStack: (host, stack) => faults.reportStack(host, stack),
  };
}
