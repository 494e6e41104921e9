/** What `--check` finds in one record: by the health rules, by what is missing, and by `--warn` and `--crit`. */
import { hasReading, truthIn } from "../conditions/evaluate.js";
import { signalsOf, type Condition } from "../contract/condition.js";
import { bySeverity, type Finding, type Severity } from "../contract/health.js";
import type { CheckOptions } from "../contract/options.js";
import { isLateTick } from "../contract/late-tick.js";
import type { StreamRecord } from "../contract/record.js";
import { ConditionWatch } from "./condition-watch.js";
import { isComplete, outcomeOf } from "./host-outcome.js";

/** One line of a check. `action` is empty where there is nothing to add. */
export type CheckFinding = Pick<Finding, "severity" | "device" | "message" | "action">;

interface Limit {
  readonly severity: Severity;
  readonly conditions: readonly Condition[];
  readonly watch: ConditionWatch;
}

export class CheckFindings {
  readonly #limits: readonly Limit[];

  constructor({ warn, crit }: Pick<CheckOptions, "warn" | "crit">) {
    this.#limits = [
      { severity: "critical", conditions: crit, watch: new ConditionWatch(crit) },
      { severity: "warning", conditions: warn, watch: new ConditionWatch(warn) },
    ];
  }

  /**
   * The worst first. A host without a frame, or with something that could not be read, is critical by itself where no
   * health rule has judged that; one that is only late is a warning. A condition whose reading is missing is unknown: a check that saw nothing is no pass.
   */
  of(record: StreamRecord): readonly CheckFinding[] {
    const judged: readonly CheckFinding[] = record.health?.findings ?? [];
    const outcome = outcomeOf(record);
    const severity = isLateTick(record) ? "warning" : "critical";
    const isCovered = isComplete(outcome.kind) || judged.some((finding) => finding.severity === severity);
    const failed: readonly CheckFinding[] =
      isCovered || outcome.kind === "ok"
        ? []
        : [{ severity, device: null, message: outcome.reason, action: fixOf(record) }];
    const held = this.#limits.flatMap(({ severity, watch }) =>
      watch.take(record).map(({ device, reason }) => ({ severity, device, message: reason, action: "" })),
    );
    const unread = record.record === "state" ? [] : this.#unread(record);
    return bySeverity([...judged, ...failed, ...held, ...unread]);
  }

  /** Conditions of which it is not known whether they hold, each with the readings that are missing. */
  #unread(record: StreamRecord): readonly CheckFinding[] {
    const conditions = this.#limits.flatMap((limit) => limit.conditions);
    const unknown = conditions.filter((condition) => truthIn(condition, record) === null);
    const messages = unknown.map(({ expression, text }) => {
      const missing = [...signalsOf(expression)].filter((operand) => !hasReading(operand, record));
      const names = [...new Set(missing.map((operand) => operand.text))];
      return names.length === 0
        ? `a device has no reading for "${text}"`
        : `no reading of ${names.join(", ")}`;
    });
    return [...new Set(messages)].map((message) => ({
      severity: "unknown",
      device: null,
      message,
      action: "",
    }));
  }
}

function fixOf(record: StreamRecord): string {
  return record.record === "state" ? (record.last_error?.fix ?? "") : "";
}
