/** A peer that reads the whole fleet once for each line that it is given, and says `tick N LINES` after it. */
import { spawn } from "node:child_process";
import { cpuMeter } from "./cpu-meter.js";

export interface TickingPeer {
  /** Lets it go on, and settles when its next tick is whole. */
  tick(): Promise<void>;
  cpuUs(): number;
  stop(): Promise<void>;
}

export function spawnTicking(argv: readonly string[]): TickingPeer {
  const meter = cpuMeter();
  const [program = "", ...args] = [...meter.prefix, ...argv];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let said = 0;
  let asked = 0;
  let text = "";
  child.stdin.on("error", () => undefined);
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    said = text.split("\n").length - 1;
  });
  return {
    async tick() {
      asked += 1;
      if (asked > 1) child.stdin.write("\n");
      while (said < asked) {
        if (child.exitCode !== null) throw new Error(`${program} has ended with ${child.exitCode}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    cpuUs: () => meter.readUs(child.pid ?? 0),
    async stop() {
      child.kill("SIGTERM");
      await exited;
      meter.remove();
    },
  };
}
