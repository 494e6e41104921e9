/** One path component of a glob(3) pattern. The only matcher for file names; those of ssh itself are in lib/wildcard.ts. */
import { matchPattern } from "../../lib/wildcard.js";

export function hasWildcard(part: string): boolean {
  return /[*?[]/.test(part.replace(/\\[^]/g, ""));
}

/** A backslash makes the next character literal. */
export function unescapeGlob(part: string): string {
  return part.replace(/\\([^])/g, "$1");
}

/** A test for file names; names that start with a dot match only patterns that do. */
export function globMatcher(part: string): (name: string) => boolean {
  const hidden = part.startsWith(".") || part.startsWith("\\.");
  const plain = !/[[\\]/.test(part);
  const matches = plain ? (name: string) => matchPattern(name, part) : bracketMatcher(part);
  return (name) => (hidden || !name.startsWith(".")) && matches(name);
}

type Step = { readonly kind: "run" } | { readonly kind: "one"; accepts(char: string): boolean };

function bracketMatcher(part: string): (name: string) => boolean {
  const steps = readSteps(part);
  return (name) => {
    let reachable = new Set([0]);
    const skipRuns = (from: Set<number>): Set<number> => {
      for (const at of from) if (steps[at]?.kind === "run") from.add(at + 1);
      return from;
    };
    reachable = skipRuns(reachable);
    for (const char of name) {
      const next = new Set<number>();
      for (const at of reachable) {
        const step = steps[at];
        if (step?.kind === "run") next.add(at);
        else if (step?.accepts(char) === true) next.add(at + 1);
      }
      reachable = skipRuns(next);
    }
    return reachable.has(steps.length);
  };
}

function readSteps(part: string): Step[] {
  const steps: Step[] = [];
  let at = 0;
  while (at < part.length) {
    const char = part.charAt(at);
    const set = char === "[" ? /^\[(!?)(\]?[^\]]*)\]/.exec(part.slice(at)) : null;
    if (char === "*") steps.push({ kind: "run" });
    else if (char === "?") steps.push({ kind: "one", accepts: () => true });
    else if (set !== null) {
      const [whole, bang = "", members = ""] = set;
      steps.push({ kind: "one", accepts: (name) => inSet(name, members) === (bang === "") });
      at += whole.length;
      continue;
    } else {
      const literal = char === "\\" ? part.charAt(++at) : char;
      steps.push({ kind: "one", accepts: (name) => name === literal });
    }
    at++;
  }
  return steps;
}

function inSet(char: string, members: string): boolean {
  for (let at = 0; at < members.length; at++) {
    const low = members.charAt(at);
    if (members.charAt(at + 1) === "-" && at + 2 < members.length) {
      if (char >= low && char <= members.charAt(at + 2)) return true;
      at += 2;
    } else if (char === low) return true;
  }
  return false;
}
