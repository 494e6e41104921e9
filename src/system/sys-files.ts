/** Output of `grep -s "" /dev/null FILES`: a line `PATH:CONTENT` for each line of each file. */
import { cleanText } from "../lib/text.js";

/** The trimmed lines of each file. Paths must not hold a colon; names in /sys/class and /sys/block do not. */
export function filesIn(lines: readonly string[]): Map<string, string[]> {
  const files = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const path = line.slice(0, colon);
    const contents = files.get(path) ?? [];
    contents.push(line.slice(colon + 1).trim());
    files.set(path, contents);
  }
  return files;
}

/** A file's first line without control characters; null where there is none, or an empty one. */
export function textIn(files: ReadonlyMap<string, readonly string[]>, path: string): string | null {
  const text = files.get(path)?.[0] ?? "";
  return text === "" ? null : cleanText(text);
}
