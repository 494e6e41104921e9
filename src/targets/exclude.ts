/** `^dgx-05`: hosts that are left out, wherever they come from. */
import type { Target } from "../contract/target.js";
import { lowerAscii } from "../lib/text.js";
import { matchPattern } from "../lib/wildcard.js";
import { isPattern } from "./hostlist.js";
import { parseTarget, targetKey } from "./parse-target.js";

/** `text` is a name as a target, or a pattern for host names; without the `^`. */
export interface Exclusion {
  readonly text: string;
  readonly origin: string;
}

export interface Kept {
  readonly targets: readonly Target[];
  readonly warnings: readonly string[];
}

/**
 * The targets that no exclusion names. One without user or port is for any user or port. An exclusion that leaves
 * nothing out is a warning: it may be mistyped.
 */
export function excludeTargets(targets: readonly Target[], exclusions: readonly Exclusion[]): Kept {
  if (exclusions.length === 0) return { targets, warnings: [] };
  const names = new Map<string, Exclusion>();
  const patterns: Exclusion[] = [];
  for (const exclusion of exclusions) {
    if (isPattern(exclusion.text)) patterns.push({ ...exclusion, text: lowerAscii(exclusion.text) });
    else names.set(nameKey(exclusion), exclusion);
  }
  const used = new Set<Exclusion>();
  const kept = targets.filter((target) => {
    const host = lowerAscii(target.host);
    const by =
      keysOf(target).flatMap((key) => names.get(key) ?? [])[0] ??
      patterns.find(({ text }) => matchPattern(host, text));
    if (by !== undefined) used.add(by);
    return by === undefined;
  });
  const idle = [...names.values(), ...patterns].filter((exclusion) => !used.has(exclusion));
  return {
    targets: kept,
    warnings: idle.map(({ text, origin }) => `${origin}: ^${text} leaves no host out`),
  };
}

function nameKey({ text, origin }: Exclusion): string {
  const parsed = parseTarget(text, origin);
  return parsed.kind === "target" ? targetKey(parsed.target) : text;
}

/** The ways to write a target, from the shortest. */
function keysOf(target: Target): readonly string[] {
  const { user, port, ...bare } = target;
  return [
    bare,
    ...(user === undefined ? [] : [{ ...bare, user }]),
    ...(port === undefined ? [] : [{ ...bare, port }]),
    target,
  ].map(targetKey);
}
