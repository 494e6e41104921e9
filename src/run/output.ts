/** Where a run writes. */
import { UsageError } from "../contract/errors.js";
import type { Options } from "../contract/options.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import { fileOutput, streamOutput, type Output } from "../format/output.js";
import { standardFile } from "../format/standard-file.js";
import { failureReason } from "../lib/error-code.js";
import { formatOf } from "./appearance.js";

/** Standard output, or the file of `--output`. Throws UsageError where that cannot be opened. */
export async function outputOf(options: Options, deps: Pick<RuntimeDeps, "stdout" | "env">): Promise<Output> {
  if (options.output === null) return standardOutput(deps.stdout);
  const isMetrics = formatOf(options, deps) === "prometheus";
  // Plans are no metrics: the file of an earlier run stays as it is.
  if ((isMetrics || formatOf(options, deps) === "otlp-json") && options.dryRun)
    return streamOutput(deps.stdout);
  if (isMetrics) return (await import("../format/replaced-file.js")).replacedFile(options.output);
  try {
    return await fileOutput(options.output);
  } catch (error) {
    throw new UsageError([`--output: cannot append to ${options.output}: ${failureReason(error)}`]);
  }
}

/** A file that the shell opened is written to as such (`> file`): on a full disk the stream would leave half a line. */
async function standardOutput(stdout: RuntimeDeps["stdout"]): Promise<Output> {
  const file = stdout.fd === undefined ? null : await standardFile(stdout.fd);
  return file ?? streamOutput(stdout);
}
