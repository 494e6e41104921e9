/** The program that the soak watches hosts with: its records, its end, and what it prints on standard error. */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { OUR_PROGRAM } from "../../bench/fleet/fleet.js";
import { recordHead } from "../../bench/measure/record-heads.js";
import type { RecordHead } from "../../bench/measure/record-heads.js";

/** Characters of standard error that are kept, its end. */
const MAX_KEPT_CHARS = 65_536;

export class SoakedWatcher {
  readonly pid: number;
  /** Where its probe writes. */
  readonly probeFile: string;
  /** Resolves with the exit status; null for a signal. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #hasEnded = false;
  #stderr = "";
  #warnings = 0;

  /** `dir` is for the probe's file. */
  constructor(args: readonly string[], dir: string, take: (head: RecordHead) => void) {
    this.probeFile = join(dir, "probe");
    const probe = pathToFileURL(join(dirname(import.meta.filename), "probe.js")).href;
    const child = spawn(process.execPath, ["--import", probe, OUR_PROGRAM, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", SOAK_PROBE_FILE: this.probeFile },
    });
    if (child.pid === undefined) throw new Error("the watcher did not start");
    this.pid = child.pid;
    this.#child = child;
    // Whole lines, not their heads: a frame names skipped ticks behind its devices.
    let begun = "";
    child.stdout.setEncoding("latin1").on("data", (text: string) => {
      const lines = (begun + text).split("\n");
      begun = lines.pop() ?? "";
      for (const line of lines) {
        const head = recordHead(line);
        if (head !== null) take(head);
      }
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#warnings += text.split(/MaxListenersExceededWarning|internal error/).length - 1;
      this.#stderr = (this.#stderr + text).slice(-MAX_KEPT_CHARS);
    });
    this.ended = new Promise((resolve) => {
      child.once("close", (code) => {
        this.#hasEnded = true;
        resolve(code);
      });
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Standard error, its end. */
  get stderr(): string {
    return this.#stderr;
  }

  /** How often it printed that a list of listeners grows, or that it has a bug. */
  get warnings(): number {
    return this.#warnings;
  }

  kill(): void {
    if (!this.#hasEnded) this.#child.kill("SIGKILL");
  }
}
