/** One plain command an exec, for hosts that run no script of ours: forced commands, Windows. */
import type { Part, PartEnd, PartOutput, ProbeContext, Shim } from "../shims/shim.js";
import type { ChannelEnd, Connection } from "../ssh/connection.js";
import type { FoundTool } from "./frame.js";
import type { LaneTiming } from "./lane.js";
import { isAbsent } from "./probe.js";

const LARGEST_OUTPUT_BYTES = 8 * 1024 * 1024;
const STDERR_BYTES = 4000;

/** Runs one program part. Never rejects for what the host does; rejects as Connection.open does. */
export async function runPlain(
  connection: Connection,
  command: string,
  { clock, toolTimeoutSecs }: LaneTiming,
): Promise<PartOutput> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const held = { stdout: 0, stderr: 0 };
  return new Promise((resolve, reject) => {
    const settle = (end: PartEnd): void => {
      timer.cancel();
      resolve({
        stdout: Buffer.concat(stdout).toString("utf8"),
        stderr: Buffer.concat(stderr).toString("utf8"),
        end,
      });
    };
    const timer = clock.after(toolTimeoutSecs * 1000 + 2000, () => {
      settle({ kind: "timeout", afterSecs: toolTimeoutSecs });
      opened.then(
        (channel) => channel.abandon(),
        () => undefined,
      );
    });
    const opened = connection.open(command, {
      stdout: (chunk) => {
        held.stdout += chunk.length;
        if (held.stdout <= LARGEST_OUTPUT_BYTES) stdout.push(Buffer.from(chunk));
      },
      stderr: (chunk) => {
        held.stderr += chunk.length;
        if (held.stderr <= STDERR_BYTES) stderr.push(Buffer.from(chunk));
      },
      closed: (end) => settle(partEndOf(end)),
    });
    opened.then(
      (channel) => channel.end(),
      (error: unknown) => {
        timer.cancel();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

function partEndOf(end: ChannelEnd): PartEnd {
  switch (end.kind) {
    case "exit":
      return { kind: "exit", code: end.code };
    case "signal":
      return { kind: "signal", signal: end.signal };
    case "lost":
      return { kind: "missing" };
  }
}

/** Runs program parts one after another; shell parts cannot be asked here and are left out. */
export async function runPlainParts(
  connection: Connection,
  parts: readonly Part[],
  executable: string,
  timing: LaneTiming,
): Promise<Map<string, PartOutput>> {
  const outputs = new Map<string, PartOutput>();
  for (const part of parts) {
    if (part.kind !== "program") continue;
    const command = part.command.replaceAll("{tool}", executable);
    outputs.set(part.id, await runPlain(connection, command, timing));
  }
  return outputs;
}

/**
 * The plain form of the bootstrap: asks each shim's tool until one's first part exits 0. `said` is what the host answered
 * to the bootstrap: a host that says the same to everything, and fails, has no tool.
 */
export async function probePlain(
  connection: Connection,
  shims: readonly Shim[],
  context: ProbeContext,
  said: string,
  timing: LaneTiming,
): Promise<{ readonly found: readonly FoundTool[]; readonly outputs: Map<string, PartOutput> }> {
  const found: FoundTool[] = [];
  const outputs = new Map<string, PartOutput>();
  for (const shim of shims) {
    const [first, ...rest] = shim.probe(context);
    if (first?.kind !== "program") continue;
    for (const executable of shim.executables) {
      const answers = await runPlainParts(connection, [first], executable, timing);
      const answer = answers.get(first.id);
      if (answer === undefined || isAbsent(answer) || isRefusal(answer, said)) continue;
      found.push({ shim: shim.id, executable });
      outputs.set(first.id, answer);
      if (answer.end.kind !== "exit" || answer.end.code !== 0) break;
      const others = await runPlainParts(connection, rest, executable, timing);
      for (const [id, output] of others) outputs.set(id, output);
      return { found, outputs };
    }
  }
  return { found, outputs };
}

function isRefusal(answer: PartOutput, said: string): boolean {
  const failed = answer.end.kind !== "exit" || answer.end.code !== 0;
  return failed && `${answer.stdout}${answer.stderr}`.trim() === said.trim();
}
