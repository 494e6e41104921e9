/** One host behind a real sshd with the given programs on its PATH, watched by the built program. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FrameRecord, StreamRecord } from "../../src/contract/record.js";
import { recordsOf, runCli } from "./cli.js";
import { sshArgs, startSshd, type SshdOptions } from "./sshd.js";
import { makeTempDir } from "./temp-dir.js";

export interface WatchedHost {
  /** Whole files by name, with their first line. */
  readonly programs?: Readonly<Record<string, string>>;
  /** More to put into the folder of programs. */
  readonly prepare?: (bin: string) => void;
  readonly sshd?: (bin: string) => SshdOptions;
  readonly args?: readonly string[];
}

export interface Watched {
  readonly code: number | null;
  readonly stderr: string;
  readonly records: readonly StreamRecord[];
  readonly frames: readonly FrameRecord[];
}

export const SH = "#!/bin/sh\n";

/** Takes one reading unless `args` ask for more. */
export async function watchHost(host: WatchedHost): Promise<Watched> {
  const temp = makeTempDir("watched");
  const bin = join(temp.path, "bin");
  mkdirSync(bin);
  for (const [name, text] of Object.entries(host.programs ?? {})) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
  host.prepare?.(bin);
  const sshd = await startSshd({ bin, shell: "/bin/sh", ...host.sshd?.(bin) });
  try {
    const run = await runCli([...[...sshArgs(sshd), "--format", "ndjson"], ...(host.args ?? ["--once"])]);
    const records = recordsOf(run.stdout);
    return { ...run, records, frames: records.filter((record) => record.record === "frame") };
  } finally {
    await sshd.stop();
    temp.remove();
  }
}
