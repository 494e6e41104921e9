/** Hosts behind a real sshd whose vendor tool replays recordings: one loopback address a recording. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FrameRecord } from "../../src/contract/record.js";
import { recordsOf, runCli } from "./cli.js";
import { makeTools } from "./fake-tools.js";
import { sshArgs, startSshd } from "./sshd.js";
import { makeTempDir } from "./temp-dir.js";

/** What one host's tool prints, by the kinds of question that the tool's script knows. */
export type Answers = Readonly<Record<string, string>>;

export interface ReplayedRun {
  /** By the name of the recording. */
  readonly frames: ReadonlyMap<string, FrameRecord>;
  /** Exit codes of the runs. */
  readonly codes: readonly (number | null)[];
  readonly stderr: string;
  /** Lines on standard output. */
  readonly lineCount: number;
}

/** OpenSSH's MAX_LISTEN_SOCKS. */
const HOSTS_A_SERVER = 16;

/**
 * One `--once` a group of hosts. `script` is the tool in sh: it finds the answers in files `$f.KIND`, and ends with the
 * status that it chooses.
 */
export async function replayThroughSshd(
  tool: string,
  script: string,
  recordings: ReadonlyMap<string, Answers>,
): Promise<ReplayedRun> {
  const frames = new Map<string, FrameRecord>();
  const codes: (number | null)[] = [];
  let stderr = "";
  let lineCount = 0;
  const all = [...recordings];
  for (let start = 0; start < all.length; start += HOSTS_A_SERVER) {
    const group = all.slice(start, start + HOSTS_A_SERVER);
    const temp = makeTempDir("recorded");
    const addresses = group.map((_, index) => `127.0.0.${index + 1}`);
    const find = `f=${temp.path}/$(echo "$SSH_CONNECTION" | cut -d " " -f 3)`;
    const sshd = await startSshd({
      addresses,
      shell: "/bin/sh",
      bin: makeTools(join(temp.path, "bin"), { [tool]: `${find}\n${script}` }),
    });
    try {
      group.forEach(([, answers], index) => {
        for (const [kind, text] of Object.entries(answers))
          writeFileSync(join(temp.path, `${addresses[index] ?? ""}.${kind}`), text);
      });
      const run = await runCli([...[...sshArgs(sshd), "--once", "--format", "ndjson", "--include", "gpu"]]);
      codes.push(run.code);
      stderr += run.stderr;
      for (const record of recordsOf(run.stdout)) {
        lineCount += 1;
        const [name] = group[addresses.indexOf(record.hostname)] ?? [];
        if (name !== undefined && record.record === "frame") frames.set(name, record);
      }
    } finally {
      await sshd.stop();
      temp.remove();
    }
  }
  return { frames, codes, stderr, lineCount };
}
