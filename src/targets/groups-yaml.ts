/**
 * The YAML files of ClusterShell's groups.d: `source:`, below it `group: hostlist`, or a group with a list of hostlists.
 * Any other YAML is refused with its line: half of it read would be other hosts than meant.
 */
import { cleanText } from "../lib/text.js";

export interface GroupFiles {
  /** By source, then by group: a hostlist. */
  readonly sources: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Each `file:line: what is wrong; what to do`. */
  readonly problems: readonly string[];
}

/** Never throws. `file` is for messages. */
export function parseGroupsYaml(text: string, file: string): GroupFiles {
  const sources = new Map<string, Map<string, string>>();
  const problems: string[] = [];
  let groups: Map<string, string> | null = null;
  let group: string | null = null;
  let indent = 0;
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const bare = line.trim();
    if (bare === "" || bare.startsWith("#") || bare === "---") continue;
    const depth = line.length - line.trimStart().length;
    const item = /^-\s+(.+)$/.exec(bare);
    const pair = /^("[^"]*"|'[^']*'|[^\s"'#:[\]{}&*!|>%@`-][^:]*?)\s*:(?:\s+(.*))?$/.exec(bare);
    const value = scalar(item?.[1] ?? pair?.[2] ?? "");
    const key = pair === null ? null : scalar(pair[1] ?? "");
    const isList = item !== null && group !== null && groups !== null && depth >= indent;
    if (value === null || line.startsWith("\t") || (item === null && key === null)) {
      problems.push(
        `${file}:${index + 1}: "${cleanText(bare)}" is no line of a group file; write group: 'hosts'`,
      );
    } else if (isList) groups?.set(group ?? "", joined(groups.get(group ?? ""), value));
    else if (depth === 0 && value === "" && key !== null) {
      groups = sources.get(key) ?? new Map<string, string>();
      sources.set(key, groups);
      group = null;
      indent = 0;
    } else if (groups !== null && key !== null && depth > 0 && (indent === 0 || depth === indent)) {
      indent = depth;
      group = key;
      groups.set(key, value);
    } else
      problems.push(
        `${file}:${index + 1}: "${cleanText(bare)}" is in no source; indent it as its neighbours`,
      );
  }
  return { sources, problems };
}

function joined(before: string | undefined, value: string): string {
  return before === undefined || before === "" ? value : `${before},${value}`;
}

/** A plain or quoted text without its comment; null for YAML that is more than that. */
function scalar(written: string): string | null {
  const quoted = /^(?:"([^"\\]*)"|'((?:[^']|'')*)')\s*(?:#.*)?$/.exec(written);
  if (quoted !== null) return quoted[1] ?? (quoted[2] ?? "").replaceAll("''", "'");
  const plain = written.replace(/(^|\s)#.*$/, "").trim();
  return /^["'[{&*!|>%@`]/.test(plain) || /:(\s|$)/.test(plain) ? null : plain;
}
