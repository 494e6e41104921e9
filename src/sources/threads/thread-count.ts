/** How many threads a run is worth beside the main one, by measurement (bench: steady, workers). */
import type { Options, OutputFormat } from "../../contract/options.js";

/** From here on a thread with more room for young garbage saves more than it costs. */
const FLEET_HOSTS = 100;

/** 0: all runs on the main thread. `--workers` wins; never more than hosts. */
export function threadCount(
  { workers, length }: Pick<Options, "workers" | "length">,
  format: OutputFormat,
  hosts: number,
): number {
  if (workers !== "auto") return Math.min(workers, hosts);
  // A picture is made of records, which would have to come over.
  return format !== "table" && length.kind !== "once" && hosts >= FLEET_HOSTS ? 1 : 0;
}
