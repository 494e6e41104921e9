/** Conditions as the command line takes them. */
import assert from "node:assert/strict";
import { KNOWN_FIELDS } from "../../src/conditions/known-fields.js";
import { parseCondition } from "../../src/conditions/parse.js";
import type { Condition } from "../../src/contract/condition.js";

/** Fails where the text is no condition, or names a field that no record has. */
export function conditionOf(text: string): Condition {
  const parsed = parseCondition(text, KNOWN_FIELDS);
  assert.equal(parsed.kind, "condition", parsed.kind === "problem" ? parsed.problem : "");
  return parsed.condition;
}
