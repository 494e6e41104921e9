/** A Match line to its criteria. */
import type { Criterion, CriterionName } from "./directive.js";
import { SINCE, type DialectVersion } from "./dialect.js";
import { asciiLower, delimited } from "./lexer.js";

const WITHOUT_ARGUMENT: readonly CriterionName[] = ["canonical", "final"];

/** Criteria that take an argument, with the first dialect that knows them. */
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

export interface MatchLine {
  readonly criteria: readonly Criterion[];
  /** What ssh says when it comes to the end of `criteria`; null when the line is whole. */
  readonly problem: string | null;
}

/** Reads what stands after `Match`. Criteria before a mistake are kept: ssh evaluates them before it complains. */
export function parseMatchLine(text: string, dialect: DialectVersion): MatchLine {
  const criteria: Criterion[] = [];
  let rest: string | null = text;
  const next = (): string => {
    const found = rest === null ? null : delimited(rest);
    rest = found?.rest ?? null;
    return found?.token ?? "";
  };
  for (;;) {
    const written = next();
    if (written === "" || written.startsWith("#")) break;
    const negated = written.startsWith("!");
    const name = asciiLower(negated ? written.slice(1) : written);
    if (name === "all") {
      const following = next();
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
    const argument = next();
    if (argument === "" || argument.startsWith("#")) {
      return { criteria, problem: `Missing Match criteria for ${name}` };
    }
    const [known, since] = WITH_ARGUMENT.get(name) ?? [null, 0];
    if (known === null || dialect < since)
      return { criteria, problem: `Unsupported Match attribute ${name}` };
    criteria.push({ name: known, negated, argument });
  }
  return { criteria, problem: criteria.length === 0 ? "One or more attributes required for Match" : null };
}
