/** What a metric family is, and how its samples are written. */
import type { HostView } from "./host-view.js";

export interface Family {
  /** Of its samples: a counter ends in `_total`, an info in `_info`. */
  readonly name: string;
  readonly type: "gauge" | "counter" | "info";
  /** The base unit that the name ends in; null where there is none. */
  readonly unit: string | null;
  readonly help: string;
  /** Where in the records the value comes from, for the documentation. */
  readonly source: string;
  /** The lines of one host; "" where it has none. A reading that is missing has no line. */
  readonly samples: (host: HostView) => string;
}

/** One line; "" where the value is no number. `labels` is `{a="b"` without the brace that ends it. */
export function sample(name: string, labels: string, value: unknown): string {
  return typeof value === "number" && Number.isFinite(value) ? `${name}${labels}} ${value}\n` : "";
}

/** `# HELP`, `# TYPE` and in OpenMetrics `# UNIT`, which come once and before all samples. */
export function familyHead({ name, type, unit, help }: Family, isOpenMetrics: boolean): string {
  const text = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  if (!isOpenMetrics) {
    // The older format has no infos: their value is always 1.
    return `# HELP ${name} ${text}\n# TYPE ${name} ${type === "info" ? "gauge" : type}\n`;
  }
  const bare = name.replace(type === "counter" ? /_total$/ : type === "info" ? /_info$/ : /$/, "");
  const unitLine = unit === null ? "" : `# UNIT ${bare} ${unit}\n`;
  return `# TYPE ${bare} ${type}\n${unitLine}# HELP ${bare} ${text.replaceAll('"', '\\"')}\n`;
}
