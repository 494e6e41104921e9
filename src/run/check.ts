/** `--check`: one reading of each host, one report in the form of a monitoring plugin, its exit code. */
import { UsageError } from "../contract/errors.js";
import type { OperatorLog } from "../contract/operator-log.js";
import type { CheckOptions, Options } from "../contract/options.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import { streamOutput } from "../format/output.js";
import type { Unwritable } from "../format/unwritable.js";
import { withHealth } from "../health/with-health.js";
import { onAbort } from "../lib/abort.js";
import { CheckReport } from "../outcome/check-report.js";
import { openStream } from "../sources/open-source.js";

/**
 * Returns a plugin's exit code: 0 ok, 1 warning, 2 critical, 3 unknown. Past the deadline the hosts that have answered
 * are reported, and the others are missing. Throws UsageError before anything was connected.
 */
export async function runCheck(
  options: Options,
  check: CheckOptions,
  deps: RuntimeDeps,
  log: OperatorLog,
  unwritable: Unwritable,
  signal: AbortSignal,
): Promise<number> {
  const stopper = new AbortController();
  const stopListening = onAbort(signal, (reason) => stopper.abort(reason));
  let timedOut = false;
  const timer = deps.clock.after(check.timeoutMs, () => {
    timedOut = true;
    stopper.abort();
  });
  const report = new CheckReport(check);
  const { source } = options;
  let expected = source.kind === "targets" ? source.targets.length : null;
  try {
    const stream = await openStream(options, "records", deps, log, stopper.signal);
    expected = stream.hostCount ?? expected;
    try {
      if (stream.kind !== "records") throw new Error("a check needs records");
      for await (const batch of withHealth(stream.batches, options.health, unwritable)) {
        for (const record of batch) report.take(record);
      }
    } finally {
      await stream.close();
    }
  } catch (error) {
    if (!stopper.signal.aborted || error !== stopper.signal.reason) throw error;
  } finally {
    timer.cancel();
    stopListening();
  }
  const { text, code } = report.report({ expected, timedOut });
  await streamOutput(deps.stdout).write(text);
  return code;
}

/** Where `--check` was asked for, even an exit by a mistake has a plugin's form: others have no meaning there. */
export async function reportFailedCheck(
  error: unknown,
  print: (text: string) => Promise<void>,
): Promise<number> {
  const { failedCheck } = await import("../outcome/check-report.js");
  const reason = error instanceof UsageError ? error.problems.join("; ") : `internal error: ${String(error)}`;
  const { text, code } = failedCheck(reason);
  await print(text).catch(() => undefined);
  return code;
}
