/** The built program as a process, as a user's shell would run it. */
import { spawn, type ChildProcess } from "node:child_process";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import type { StreamRecord } from "../../src/contract/record.js";
import { checkLines } from "./line-schemas.js";

/** What `bin` of package.json names. */
export const PROGRAM = fileURLToPath(new URL("../../dist/start.cjs", import.meta.url));

export interface CliRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
}

export interface CliOptions {
  /** What is run in place of node and dist/start.cjs: another file of the program, as an absolute path. */
  readonly executable?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** A command that runs the program in its place, as `["unshare", "-m", ...]`. */
  readonly within?: readonly string[];
  /** Ended with SIGKILL then; 60 s by default. */
  readonly limitMs?: number;
  /** Arguments of `ulimit` before the program starts, as `-n 64`. */
  readonly ulimit?: string;
  /** Whether its NDJSON is checked against the JSON Schemas; true by default. */
  readonly isChecked?: boolean;
  /** Called with the process as soon as it runs. */
  readonly started?: (child: ChildProcess) => void;
}

/** A process that a failed test left would keep its file from ending. */
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** Runs to its end, which the end of the test's file is at the latest. The environment is bare but for PATH, as cron's is. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const begun = performance.now();
  const program = options.executable === undefined ? [process.execPath, PROGRAM] : [options.executable];
  const plain = [...(options.within ?? []), ...program, ...args];
  const limited = ["/bin/sh", "-c", `ulimit ${options.ulimit ?? ""} && exec "$@"`, "sh", ...plain];
  const [first = "", ...rest] = options.ulimit === undefined ? plain : limited;
  const child = spawn(first, rest, {
    cwd: options.cwd,
    env: { PATH: process.env["PATH"] ?? "", ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  running.add(child);
  const limit = setTimeout(() => child.kill("SIGKILL"), options.limitMs ?? 60_000);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  options.started?.(child);
  const ended = new Promise<CliRun>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(limit);
      running.delete(child);
      resolve({ code, signal, stdout, stderr, wallMs: performance.now() - begun });
    });
  });
  return ended.then((run) => {
    if (options.isChecked !== false) checkLines(run.stdout, args);
    return run;
  });
}

/** NDJSON output as records. */
export function recordsOf(stdout: string): StreamRecord[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as StreamRecord);
}

/** Calls back once the output has this. */
export function whenOut(child: ChildProcess, pattern: RegExp, act: () => void): void {
  let text = "";
  let isDone = false;
  child.stdout?.on("data", (more: string) => {
    text += more;
    if (isDone || !pattern.test(text)) return;
    isDone = true;
    act();
  });
}
