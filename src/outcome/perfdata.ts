/**
 * Performance data of a check, as the Monitoring Plugins Development Guidelines have it, section "Performance data":
 * `'label'=value[UOM];[warn];[crit];[min];[max]`, `U` for a value that could not be read.
 */
import type { Condition } from "../contract/condition.js";
import type { CheckOptions } from "../contract/options.js";
import type { Gpu, StreamRecord } from "../contract/record.js";

/** Beyond it only the fleet's figures are printed: Nagios keeps 8 KiB of a check. */
const MAX_GPUS = 32;

interface Figure {
  readonly label: string;
  readonly field: keyof Gpu;
  readonly unit: string;
  readonly max: (gpu: Gpu) => number | null;
}

const FIGURES: readonly Figure[] = [
  { label: "utilization", field: "utilization", unit: "%", max: () => 100 },
  { label: "memory", field: "used_memory", unit: "B", max: (gpu) => gpu.total_memory },
  { label: "temperature", field: "temperature", unit: "", max: () => null },
  { label: "power", field: "power_consumption", unit: "", max: (gpu) => gpu.power_limit ?? null },
];

/** The figures of each GPU of one host. */
export function gpuPerfdata(
  record: StreamRecord,
  { warn, crit }: Pick<CheckOptions, "warn" | "crit">,
): readonly string[] {
  const gpus = record.record === "frame" ? (record.gpus ?? []) : [];
  if (gpus.length > MAX_GPUS) return [];
  return gpus.flatMap((gpu, position) =>
    FIGURES.map(({ label, field, unit, max }) =>
      perfdata(`gpu${gpu.index ?? position}_${label}`, numberOf(gpu[field]), {
        unit,
        warn: rangeOf(field, warn),
        crit: rangeOf(field, crit),
        min: 0,
        max: max(gpu),
      }),
    ),
  );
}

interface Attributes {
  readonly unit?: string;
  readonly warn?: string;
  readonly crit?: string;
  readonly min?: number | null;
  readonly max?: number | null;
}

/** One figure; `label` must not need quotes. */
export function perfdata(label: string, value: number | null, attributes: Attributes = {}): string {
  const { unit = "", warn = "", crit = "", min = null, max = null } = attributes;
  const parts = [
    `${label}=${value === null ? "U" : `${value}${unit}`}`,
    ...[warn, crit, min ?? "", max ?? ""],
  ];
  return parts.join(";").replace(/;+$/, "");
}

/**
 * The range outside which a condition alerts, where it is nothing but one comparison of this field: `85` for `> 85`,
 * `85:` for `< 85` (section "Threshold and Ranges").
 */
function rangeOf(field: string, conditions: readonly Condition[]): string {
  for (const { expression } of conditions) {
    if (expression.kind !== "compare" || typeof expression.literal !== "number") continue;
    const { operand, operator, literal } = expression;
    if (operand.kind !== "field" || operand.section !== "gpu" || operand.keys.join(".") !== field) continue;
    if (operator === ">") return String(literal);
    if (operator === "<") return `${literal}:`;
  }
  return "";
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
