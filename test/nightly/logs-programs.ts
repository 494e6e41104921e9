/** Foreign programs of the recipes in docs/logs.md: where they are, and how a test starts and ends them. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { after } from "node:test";

export interface Found {
  readonly path: string;
  /** What node:test takes: false, or why the test is skipped. */
  readonly skip: string | false;
}

/** In PATH, or where `go install` puts it. test/nightly/README.md has how each one is installed. */
export function findProgram(...names: readonly string[]): Found {
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    process.env["GOBIN"] ?? join(homedir(), "go/bin"),
    "/usr/sbin",
  ];
  const path = folders.flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync);
  if (path !== undefined) return { path, skip: false };
  const wanted = names.join(" or ");
  return { path: "", skip: `SKIPPED LOUDLY: ${wanted} is not installed; test/nightly/README.md says how` };
}

const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill("SIGKILL");
});

export interface Program {
  readonly pid: number;
  /** What it printed, for the message of a test that fails. */
  readonly output: () => string;
  /** Ends it with SIGTERM, and waits for it. */
  readonly end: () => Promise<void>;
}

export function startProgram(path: string, args: readonly string[], cwd?: string): Program {
  const child = spawn(path, args, {
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      running.delete(child);
      resolve();
    });
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    end: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

/** Asks every 100 ms until it holds. Throws with `what()` after the limit. */
export async function until(
  what: () => string,
  ready: () => boolean | Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  const begun = Date.now();
  while (!(await ready())) {
    if (Date.now() - begun > limitMs) throw new Error(`not within ${limitMs} ms: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Whether a server answers at this address. */
export async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status < 500;
  } catch {
    return false;
  }
}

export interface Sink {
  readonly port: number;
  /** Bodies of the requests so far. */
  readonly bodies: readonly string[];
  readonly close: () => void;
}

/** A server that takes everything, as an OTLP backend does. */
export function startSink(): Promise<Sink> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      bodies.push(Buffer.concat(parts).toString());
      response.setHeader("content-type", "application/json");
      response.end("{}");
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      resolve({ port, bodies, close: () => server.close() });
    });
  });
}
