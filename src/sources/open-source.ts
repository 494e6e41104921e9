/** Where a run's records come from: a recording, the demo fleet, or live hosts on this thread or on others. */
import { createReadStream } from "node:fs";
import { access, constants } from "node:fs/promises";
import { UsageError } from "../contract/errors.js";
import type { OperatorLog } from "../contract/operator-log.js";
import type { Options, OutputFormat } from "../contract/options.js";
import { openLive } from "./live.js";
import type { Stream, SourceDeps } from "./source.js";

/** Throws UsageError before anything is connected. The records end soon after the signal aborts. */
export async function openStream(
  options: Options,
  format: OutputFormat,
  deps: SourceDeps,
  log: OperatorLog,
  signal: AbortSignal,
): Promise<Stream> {
  const { source } = options;
  if (source.kind === "replay") {
    const { replay } = await import("./replay.js");
    const input = source.file === "-" ? deps.stdin : createReadStream(source.file);
    const name = source.file === "-" ? "<stdin>" : source.file;
    const { clock } = deps;
    const batches = replay({ source: input, name, speed: source.speed, clock, signal, warn: log.warn });
    return { kind: "records", batches, hostCount: null, close: () => Promise.resolve() };
  }
  await checkKeyFiles(options.ssh.keyFiles);
  if (source.kind === "targets") return openLive(options, source.targets, format, deps, log, signal);
  const { startDemo } = await import("./demo/demo.js");
  const demo = await startDemo();
  const ssh = demo.ssh(options.ssh);
  const opening = openLive({ ...options, ssh }, demo.targets, format, deps, log, signal);
  const fleet = await opening.catch(async (error: unknown) => {
    await demo.close();
    throw error;
  });
  return {
    ...fleet,
    close: async () => {
      await fleet.close();
      await demo.close();
    },
  };
}

/** Throws UsageError for files of `--ssh-key` that cannot be read. */
export async function checkKeyFiles(files: readonly string[]): Promise<void> {
  const problems: string[] = [];
  for (const file of files) {
    await access(file, constants.R_OK).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      problems.push(`--ssh-key: cannot read ${file}: ${why}`);
    });
  }
  if (problems.length > 0) throw new UsageError(problems);
}
