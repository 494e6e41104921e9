/** The formatter of a format, with no more loaded than it needs. */
import type { OutputFormat } from "../contract/options.js";
import type { Formatter, FormatterOptions } from "./formatter.js";

/** Loads only what the format needs: the table's libraries cost more than everything else. */
export async function createFormatter(kind: OutputFormat, options: FormatterOptions): Promise<Formatter> {
  switch (kind) {
    case "ndjson":
      return (await import("./ndjson.js")).createNdjsonFormatter(options);
    case "csv":
      return (await import("./csv.js")).createCsvFormatter(options);
    case "prometheus":
      return (await import("./prometheus.js")).createPrometheusFormatter(options);
    case "all-smi-record":
      return (await import("./all-smi-record.js")).createAllSmiRecordFormatter(options);
    case "otlp-json":
      return (await import("./otlp-json.js")).createOtlpFormatter(options);
    case "table":
      return (await import("./table.js")).createTableFormatter(options);
  }
}
