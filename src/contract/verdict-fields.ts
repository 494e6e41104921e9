/** The fields of verdicts in a record: conditions that hold, and findings of health rules and expectations. */
import type { FieldTable } from "./field-table.js";
import type { Finding, Health } from "./health.js";
import type { Held } from "./held.js";

export const HELD_FIELDS = {
  condition: { type: "string", text: "The condition as typed." },
  device: {
    ...{ type: "string", nullable: true },
    text: "The device that it holds for, as `gpu 3`; null for the host itself.",
  },
  reason: { type: "string", text: "The readings that make it true, as `temperature 87 > 85`." },
} as const satisfies FieldTable<Held>;

const FINDING_FIELDS = {
  rule: {
    type: "string",
    text: "Id of the rule, as `nvidia-recovery-action`, or `expect.gpus` for an expectation.",
  },
  severity: {
    ...{ type: "string", text: "How bad it is." },
    values: {
      unknown: "a reading that the rule needs is missing",
      warning: "the device works, and needs attention",
      critical: "the device or the host does not work as it should",
    },
  },
  device: {
    ...{ type: "string", nullable: true },
    text: "The device that it is about, as `gpu 3`, or `pci 0000:18:00` for an event of none that was read; null for the host itself.",
  },
  message: { type: "string", text: "What was read." },
  action: { type: "string", text: "What to do next." },
  since: {
    ...{ type: "string", format: "date-time" },
    text: "When this run first found it without a break, RFC 3339.",
  },
} as const satisfies FieldTable<Finding>;

export const HEALTH_FIELDS = {
  status: {
    ...{ type: "string", text: "The worst severity of the findings; `ok` without any." },
    values: {
      ok: "no rule found anything",
      unknown: "a reading that a rule needs is missing",
      warning: "something needs attention",
      critical: "something does not work as it should",
    },
  },
  findings: {
    ...{ type: "array", items: { type: "object", fields: FINDING_FIELDS } },
    text: "What was found, the worst first.",
  },
} as const satisfies FieldTable<Health>;
