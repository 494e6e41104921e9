/** The flags that judge what was read: conditions, health, expectations, the check, drift. */
import type { Condition } from "../contract/condition.js";
import type { CheckOptions, DriftOptions, HealthOptions } from "../contract/options.js";
import type { Section } from "../contract/record.js";
import type { FlagReader } from "./flag-reader.js";

/** Nagios, Icinga and Slurm end a check after 60 s. */
const DEFAULT_CHECK_SECS = 50;
const MAX_CHECK_SECS = 86_400;

/** The conditions of a repeatable flag. The parser is loaded only where there is one. */
export async function readConditions(reader: FlagReader, flag: string): Promise<readonly Condition[]> {
  if (!reader.has(flag)) return [];
  const [{ KNOWN_FIELDS }, { parseCondition }] = await Promise.all([
    import("../conditions/known-fields.js"),
    import("../conditions/parse.js"),
  ]);
  return reader.texts(flag).flatMap((text) => {
    const parsed = parseCondition(text, KNOWN_FIELDS);
    if (parsed.kind === "condition") return [parsed.condition];
    reader.problems.add(`--${flag}: ${parsed.problem}`);
    return [];
  });
}

/**
 * Null where records are not judged. `include`: null where it was not given; with `--health` the
 * rules see the kernel log too then. A plain `--check` does not ask for it: most accounts may not read it. Labels
 * `expect.KEY` are checked where the hostfile is read.
 */
export async function readHealth(
  reader: FlagReader,
  include: readonly Section[] | null,
): Promise<HealthOptions | null> {
  // A check without conditions of its own judges by the rules.
  const isCheckByRules = reader.has("check") && !reader.has("warn") && !reader.has("crit");
  // A demo shows what the rules find.
  const isAsked = reader.has("health") || reader.has("demo");
  const rules = isAsked || isCheckByRules;
  if (!rules && !reader.has("expect")) return null;
  const { parseExpectation } = await import("../contract/expectation.js");
  const expectations = reader.list("expect").flatMap((text) => {
    const parsed = parseExpectation(text);
    if (parsed.kind === "expectation") return [parsed.expectation];
    reader.problems.add(`--expect: ${parsed.problem}`);
    return [];
  });
  return { rules, expectations, eventsImplied: isAsked && include === null };
}

/** Null without `--check`. */
export async function readCheck(reader: FlagReader): Promise<CheckOptions | null> {
  if (!reader.has("check")) return null;
  const timeoutSecs = reader.decimal("timeout", DEFAULT_CHECK_SECS, { min: 0.1, max: MAX_CHECK_SECS });
  return {
    warn: await readConditions(reader, "warn"),
    crit: await readConditions(reader, "crit"),
    timeoutMs: Math.round(timeoutSecs * 1000),
  };
}

/** Lines that were asked for are printed with --quiet too; those that explain an exit code are not. */
export function readDrift(reader: FlagReader): DriftOptions | null {
  const failsRun = reader.has("fail-on-drift");
  const isReported = reader.has("drift") || (failsRun && !reader.has("quiet"));
  return isReported || failsRun ? { isReported, failsRun } : null;
}
