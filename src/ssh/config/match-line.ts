/** The criteria of a Match line. */
import { lowerAscii } from "../../lib/text.js";
import { SINCE, type DialectVersion } from "./dialect.js";
import type { Criterion, CriterionName } from "./directive.js";
import { delimited } from "./lexer.js";

const WITHOUT_ARGUMENT: readonly CriterionName[] = ["canonical", "final"];

/** Criteria that take an argument, with the first dialect that has them. */
const WITH_ARGUMENT: ReadonlyMap<string, readonly [CriterionName, DialectVersion]> = new Map([
  ["host", ["host", 0]],
  ["originalhost", ["originalhost", 0]],
  ["user", ["user", 0]],
  ["localuser", ["localuser", 0]],
  ["exec", ["exec", 0]],
  ["tagged", ["tagged", SINCE.tag]],
  ["localnetwork", ["localnetwork", SINCE.localNetwork]],
  ["version", ["version", SINCE.matchSession]],
  ["sessiontype", ["sessiontype", SINCE.matchSession]],
  ["command", ["command", SINCE.matchSession]],
]);

/** These may be written `name=argument` where the line is read as words. */
const WITH_EQUALS =
  /^(!?(?:host|originalhost|user|localuser|localnetwork|version|tagged|command|exec))=([^]*)$/i;
/** These may have an empty argument there. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set(["tagged", "command"]);

export interface MatchLine {
  readonly criteria: readonly Criterion[];
  /** ssh's message after the last of `criteria`; null when the line is complete. */
  readonly problem: string | null;
}

/** The dialect, read only where it makes a difference. */
type Dialect = Pick<{ readonly dialect: DialectVersion }, "dialect">;

/**
 * Reads the line after `Match`: `text` as written, and `words` as its shell-like words. Criteria before a mistake are kept:
 * ssh evaluates them before it reports the mistake.
 */
export function parseMatchLine(text: string, words: readonly string[], language: Dialect): MatchLine {
  // Without quotes and escapes both ways of reading are equal.
  const asWords = /["'\\]/.test(text) && language.dialect >= SINCE.matchWords;
  const next = asWords ? takeWords(words) : takeDelimited(text);
  const criteria: Criterion[] = [];
  for (;;) {
    const written = next();
    if (written === null || (written === "" && !asWords) || written.startsWith("#")) break;
    const joined = asWords ? WITH_EQUALS.exec(written) : null;
    const negated = written.startsWith("!");
    const name = lowerAscii((joined?.[1] ?? written).slice(negated ? 1 : 0));
    if (name === "all") {
      const following = next() ?? "";
      if (criteria.length > 1 || (following !== "" && !following.startsWith("#"))) {
        return { criteria, problem: `'${written}' cannot be combined with other Match attributes` };
      }
      criteria.push({ name, negated, argument: "" });
      return { criteria, problem: null };
    }
    const bare = WITHOUT_ARGUMENT.find((known) => known === name);
    if (bare !== undefined) {
      criteria.push({ name: bare, negated, argument: "" });
      continue;
    }
    const argument = joined?.[2] ?? next();
    const missing = argument === null || (argument === "" && !(asWords && MAY_BE_EMPTY.has(name)));
    if (missing || argument.startsWith("#")) {
      return { criteria, problem: `Missing Match criteria for ${name}` };
    }
    const [known, since] = WITH_ARGUMENT.get(name) ?? [null, 0];
    if (known === null || (since > 0 && language.dialect < since))
      return { criteria, problem: `Unsupported Match attribute ${name}` };
    criteria.push({ name: known, negated, argument });
  }
  return { criteria, problem: criteria.length === 0 ? "One or more attributes required for Match" : null };
}

type Take = () => string | null;

/** As OpenSSH before 9.9 reads the line: blanks and `=` end a word, and only double quotes are known. */
function takeDelimited(text: string): Take {
  let rest: string | null = text;
  return () => {
    const found = rest === null ? null : delimited(rest);
    rest = found?.rest ?? null;
    return found?.token ?? "";
  };
}

function takeWords(words: readonly string[]): Take {
  let taken = 0;
  return () => words[taken++] ?? null;
}
