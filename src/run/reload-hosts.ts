/** SIGHUP: the hosts' files and inventories are read again, and the run goes on with the hosts that they have now. */
import { UsageError } from "../contract/errors.js";
import type { OutputFormat } from "../contract/options.js";
import type { RereadTargets } from "../contract/runtime-deps.js";
import type { Target } from "../contract/target.js";
import { labelColumns } from "../format/label-columns.js";
import { cleanText } from "../lib/text.js";
import type { Stream } from "../sources/source.js";

export interface ReloadOptions {
  readonly reread: RereadTargets;
  readonly format: OutputFormat;
  /** Prints a line for the operator. */
  readonly print: (line: string) => void;
  readonly warn: (message: string) => void;
}

/** Where a file is wrong, or its hosts cannot be planned, the hosts stay as they are. Never rejects. */
export async function reloadHosts(
  { replaceHosts, labelNames }: Pick<Stream, "replaceHosts" | "labelNames">,
  { reread, format, print, warn }: ReloadOptions,
): Promise<void> {
  if (replaceHosts === undefined) return;
  try {
    const { targets, warnings } = await reread();
    for (const warning of warnings) warn(warning);
    const { added, removed, renamed, watched } = await replaceHosts(targets);
    const changes = `${added} added, ${removed} removed, ${renamed} with other labels`;
    print(`SIGHUP: the hosts were read again: ${changes}; ${watched} are watched`);
    if (format === "csv") warnOfLabels(targets, labelNames, warn);
  } catch (error) {
    for (const problem of problemsIn(error)) print(`SIGHUP: ${problem}`);
    print("SIGHUP: the hosts stay as they were");
  }
}

/** The header with the columns is written once. */
function warnOfLabels(
  targets: readonly Target[],
  columns: readonly string[],
  warn: (message: string) => void,
): void {
  const others = labelColumns(targets).filter((name) => !columns.includes(name));
  if (others.length > 0)
    warn(`SIGHUP: no host had the labels ${others.join(", ")} at the start: they have no column`);
}

function problemsIn(error: unknown): readonly string[] {
  if (error instanceof UsageError) return error.problems;
  return [cleanText(error instanceof Error ? error.message : String(error))];
}
