/** Programs of the operator that print hosts: bounded in time and output, and stopped with what they started. */
import { spawn } from "node:child_process";
import { realClock } from "../lib/clock.js";
import { oneLine } from "../lib/text.js";

export type Environment = Readonly<Record<string, string | undefined>>;

export type ProgramOutput =
  | { readonly kind: "output"; readonly text: string }
  /** Why there is no output, as the end of a sentence. */
  | { readonly kind: "failed"; readonly why: string };

const MAX_SECS = 30;
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;
const MAX_ERROR_CHARS = 4096;

/** Never rejects. Standard input is empty. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { env, directory }: { readonly env: Environment; readonly directory?: string },
): Promise<ProgramOutput> {
  const failed = (why: string): ProgramOutput => ({ kind: "failed", why });
  return await new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that what a shell started ends with it.
      detached: true,
      ...(directory === undefined ? {} : { cwd: directory }),
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let complaint = "";
    const end = (result: ProgramOutput): void => {
      timer.cancel();
      process.removeListener("exit", killGroup);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(result);
    };
    const killGroup = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended already.
      }
    };
    const stop = (why: string): void => {
      killGroup();
      end(failed(why));
    };
    process.on("exit", killGroup);
    const timer = realClock.after(MAX_SECS * 1000, () => stop(`did not end within ${MAX_SECS} s`));
    child.stdout.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT_BYTES) stop(`printed more than ${MAX_OUTPUT_BYTES / 1024 / 1024} MiB`);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (complaint.length < MAX_ERROR_CHARS) complaint += text;
    });
    child.on("error", (error) => end(failed(`cannot be started: ${error.message}`)));
    child.on("close", (code, signal) => {
      const how = signal === null ? `exit code ${code}` : signal;
      const reason = oneLine(complaint, 200);
      if (code === 0) end({ kind: "output", text: Buffer.concat(chunks).toString("utf8") });
      else end(failed(`ended with ${how}${reason === "" ? "" : `: ${reason}`}`));
    });
  });
}
