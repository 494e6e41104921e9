/**
 * A hostlist to the names in it: ranges, `@groups`, patterns for `Host` entries of ssh_config, and the operators of
 * ClusterShell's node sets, from left to right: `,` or a blank adds, `!` takes away, `&` keeps what is in both, `^` what is
 * in one of them. `^name` at the start of an entry leaves the name out wherever it comes from.
 */
import { cleanText } from "../lib/text.js";
import { expandRanges, MAX_HOSTS, type Expansion } from "./ranges.js";

/** Where names come from that are not written out. Each rejects with LookupProblem. */
export interface Lookups {
  /** The hostlist of `@name` or `@source:name`, given without its `@`; null: no such group. */
  group(name: string, fromSource: string | null): Promise<GroupFound | null>;
  /** Names of `Host` entries that the pattern matches. */
  aliases(pattern: string): Promise<readonly string[]>;
}

export interface GroupFound {
  readonly hostlist: string;
  /** Groups inside it without a source are of this one. */
  readonly source: string;
}

/** `message` is what is wrong and what to do. */
export class LookupProblem extends Error {}

export interface ExpandedList {
  readonly names: readonly string[];
  /** Names and patterns to leave out, without the `^`. */
  readonly excluded: readonly string[];
  readonly problems: readonly string[];
}

/** How many more hosts may be written, over all lists of a run. */
export class HostBudget {
  #left = MAX_HOSTS;
  get left(): number {
    return this.#left;
  }
  take(count: number): void {
    this.#left = Math.max(0, this.#left - count);
  }
}

type Operator = "," | "!" | "&" | "^" | "exclude";
interface Term {
  readonly operator: Operator;
  readonly text: string;
}

const MAX_GROUP_DEPTH = 16;

/** Whether `text` is one name as it stands. Most lines of a large hostfile are. */
export function isPlainName(text: string): boolean {
  return !/[[\],!&^*?\s]|^@|@@/.test(text) && text !== "";
}

/** Never rejects. */
export async function expandHostlist(
  text: string,
  lookups: Lookups,
  budget: HostBudget,
): Promise<ExpandedList> {
  const reader = new ListReader(lookups, budget);
  return await reader.read(text, null, []);
}

class ListReader {
  constructor(
    private readonly lookups: Lookups,
    private readonly budget: HostBudget,
  ) {}

  /** `source` and `open`: the group source that the text is from, and the groups that it is inside of. */
  async read(text: string, source: string | null, open: readonly string[]): Promise<ExpandedList> {
    let names = new Set<string>();
    const excluded: string[] = [];
    const problems: string[] = [];
    for (const { operator, text: term } of splitTerms(text)) {
      if (operator === "exclude" && isPattern(term)) {
        excluded.push(term);
        continue;
      }
      const found = await this.#expand(term, source, open);
      if (found.kind === "problem") problems.push(found.problem);
      else if (operator === "exclude") excluded.push(...found.names);
      else names = combine(names, operator, found.names);
    }
    return { names: [...names], excluded, problems };
  }

  async #expand(term: string, source: string | null, open: readonly string[]): Promise<Expansion> {
    const group = /^([^@]+@)?@(.+)$/s.exec(term);
    try {
      if (group !== null) return await this.#groups(group[1] ?? "", group[2] ?? "", source, open);
      if (isPattern(term)) return await this.#aliases(term);
    } catch (error) {
      if (error instanceof LookupProblem) return { kind: "problem", problem: error.message };
      throw error;
    }
    return this.#counted(expandRanges(term, this.budget.left));
  }

  #counted(found: Expansion): Expansion {
    if (found.kind === "problem") return found;
    if (found.names.length > this.budget.left)
      return {
        kind: "problem",
        problem: `there are more than ${MAX_HOSTS} hosts; split them into several runs`,
      };
    this.budget.take(found.names.length);
    return found;
  }

  /** `@racks:rack[1-4]` names four groups. A user before it goes to each of their hosts. */
  async #groups(
    user: string,
    written: string,
    source: string | null,
    open: readonly string[],
  ): Promise<Expansion> {
    const groups = expandRanges(written, this.budget.left);
    if (groups.kind === "problem") return groups;
    const names = new Set<string>();
    for (const name of groups.names) {
      const found = await this.#group(name, source, open);
      if (found.kind === "problem") return found;
      for (const host of found.names) names.add(user === "" || host.includes("@") ? host : user + host);
    }
    return { kind: "names", names: [...names] };
  }

  async #group(name: string, source: string | null, open: readonly string[]): Promise<Expansion> {
    const shown = `@${cleanText(name)}`;
    const key = name.includes(":") || source === null ? name : `${source}:${name}`;
    if (open.includes(key) || open.length >= MAX_GROUP_DEPTH)
      return { kind: "problem", problem: `the group ${shown} contains itself; remove it from its own hosts` };
    const group = await this.lookups.group(name, source);
    if (group === null || group.hostlist.trim() === "")
      return {
        kind: "problem",
        problem: `there is no group ${shown}, or no host in it; nodeset -l lists the groups`,
      };
    const { names, problems, excluded } = await this.read(group.hostlist, group.source, [...open, key]);
    const [problem] = problems;
    if (problem !== undefined) return { kind: "problem", problem: `the group ${shown}: ${problem}` };
    if (excluded.length > 0)
      return {
        kind: "problem",
        problem: `the group ${shown}: ^ has nothing before it; write ! or & or ^ between names`,
      };
    if (names.length === 0)
      return { kind: "problem", problem: `the group ${shown} has no host; give another` };
    return { kind: "names", names };
  }

  /** `user@gpu-*:2222`: the pattern is of the host only. */
  async #aliases(term: string): Promise<Expansion> {
    const at = term.lastIndexOf("@") + 1;
    const [, pattern = "", port = ""] = /^([^:]*)(.*)$/s.exec(term.slice(at)) ?? [];
    const names = new Set<string>();
    const patterns = expandRanges(pattern, this.budget.left);
    if (patterns.kind === "problem") return patterns;
    for (const each of patterns.names)
      for (const alias of await this.lookups.aliases(each)) names.add(`${term.slice(0, at)}${alias}${port}`);
    if (names.size > 0) return this.#counted({ kind: "names", names: [...names] });
    const problem = `"${cleanText(term)}" matches no Host entry of ssh_config; write the names, or a range as [01-16]`;
    return { kind: "problem", problem };
  }
}

/** Whether a name has wildcards. */
export function isPattern(text: string): boolean {
  return /[*?]/.test(text) && !/^([^@]+@)?@/.test(text);
}

function combine(left: Set<string>, operator: Operator, right: readonly string[]): Set<string> {
  if (operator === "&") {
    const both = new Set(right);
    return new Set([...left].filter((name) => both.has(name)));
  }
  // A name that is written twice in the right part is one name.
  for (const name of new Set(right)) {
    if (operator === "!" || (operator === "^" && left.has(name))) left.delete(name);
    else left.add(name);
  }
  return left;
}

/** Splits at operators outside brackets. An empty entry stays, for the message about it. */
function splitTerms(text: string): readonly Term[] {
  const terms: Term[] = [];
  let operator: Operator = ",";
  let begin = 0;
  let isInBrackets = false;
  const trimmed = text
    .trim()
    .replace(/\s+/g, " ")
    .replace(/ ?([,!&]) ?/g, "$1");
  const close = (end: number, next: Operator): void => {
    const term = trimmed.slice(begin, end);
    // `,^a`: what stands before the ^ is no name but the start of the entry.
    if (next === "^" && term === "" && operator === ",") operator = "exclude";
    else {
      terms.push({ operator, text: term });
      operator = next;
    }
    begin = end + 1;
  };
  for (let at = 0; at < trimmed.length; at++) {
    const character = trimmed.charAt(at);
    if (character === "[") isInBrackets = true;
    else if (character === "]") isInBrackets = false;
    else if (isInBrackets) continue;
    else if (character === "!" || character === "&" || character === "^" || character === ",")
      close(at, character);
    else if (character === " ") close(at, ",");
  }
  close(trimmed.length, ",");
  return terms;
}
