/** The built program with `--listen`, and other servers beside it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { runCli, type CliOptions, type CliRun } from "./cli.js";

/** Runs the program with `--listen` until its end; `act` gets the address that it reports, and must end it. */
export async function serving(
  flags: readonly string[],
  act: (url: string, child: ChildProcess) => Promise<void>,
): Promise<CliRun> {
  let acting: Promise<void> = Promise.resolve();
  const started: CliOptions["started"] = (child) => {
    let stderr = "";
    let isDone = false;
    child.stderr?.on("data", (text: string) => {
      stderr += text;
      const [, url] = /serving (\S+)\n/.exec(stderr) ?? [];
      if (url === undefined || isDone) return;
      isDone = true;
      acting = act(url, child);
      acting.catch(() => child.kill("SIGKILL"));
    });
  };
  const run = await runCli([...flags, "--listen", "0"], { started, limitMs: 110_000 });
  await acting;
  return run;
}

/** The text at the address, as soon as something listens there. */
export async function fetched(url: string): Promise<string> {
  const texts: string[] = [];
  await until(
    `an answer of ${url}`,
    async () => {
      const response = await fetch(url).catch(() => null);
      if (response?.ok === true) texts.push(await response.text());
      return texts.length > 0;
    },
    30_000,
  );
  return texts.join("");
}

export async function until(
  what: string,
  ready: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await ready())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Programs that a test starts, and that end with it. */
export class Programs {
  readonly #running = new Set<ChildProcess>();

  start(program: string, args: readonly string[]): void {
    const child = spawn(program, args, { stdio: "ignore" });
    this.#running.add(child);
    void once(child, "exit").then(() => this.#running.delete(child));
  }

  kill(): void {
    for (const child of this.#running) child.kill("SIGKILL");
  }
}
