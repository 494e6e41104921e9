/** The installed ssh, asked by `ssh -G` what a configuration means. */
import { execFile, execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { dialectOf, type DialectVersion } from "../../../src/ssh/config/dialect.js";
import type { TypedTarget } from "../../../src/ssh/config/resolve.js";
import type { AlgorithmCatalog } from "./ssh-g-format.js";

/** The ssh to compare with: ALLSMI_TEST_SSH names another build than the installed one. */
export const SSH = process.env["ALLSMI_TEST_SSH"] ?? "ssh";

/** On which that ssh is the first. */
export const SSH_PATH = [...(SSH === "ssh" ? [] : [dirname(SSH)]), process.env["PATH"] ?? ""].join(":");

export type Environment = Readonly<Record<string, string>>;

export type Answer =
  | { readonly kind: "options"; readonly lines: ReadonlyMap<string, readonly string[]> }
  | { readonly kind: "refused"; readonly stderr: string };

export interface Oracle {
  readonly version: string;
  readonly dialect: DialectVersion;
  readonly catalog: AlgorithmCatalog;
  /** What ssh prints without any file. */
  readonly baseline: ReadonlyMap<string, readonly string[]>;
  ask(config: string | null, target: TypedTarget, env: Environment): Promise<Answer>;
}

/** Null where no OpenSSH is installed. */
export async function findOracle(): Promise<Oracle | null> {
  let version: string;
  try {
    version = (await run(SSH, ["-V"], {})).stderr.trim();
  } catch {
    return null;
  }
  const dialect = dialectOf(version);
  if (dialect === null) return null;
  const baseline = await ask("none", { host: "baseline" }, {});
  if (baseline.kind === "refused") throw new Error(`ssh -F none -G failed: ${baseline.stderr}`);
  return { version, dialect, catalog: readCatalog(baseline.lines), baseline: baseline.lines, ask };
}

const QUERIES: Readonly<Record<string, string>> = {
  ciphers: "cipher",
  macs: "mac",
  kexalgorithms: "kex",
  hostkeyalgorithms: "HostKeyAlgorithms",
  hostbasedacceptedalgorithms: "HostKeyAlgorithms",
  pubkeyacceptedalgorithms: "HostKeyAlgorithms",
  casignaturealgorithms: "sig",
};

function readCatalog(baseline: ReadonlyMap<string, readonly string[]>): AlgorithmCatalog {
  const defaults = new Map<string, readonly string[]>();
  const all = new Map<string, readonly string[]>();
  for (const key of [...Object.keys(QUERIES), "gssapikexalgorithms"]) {
    const line = baseline.get(key)?.[0];
    if (line !== undefined) defaults.set(key, line.slice(key.length + 1).split(","));
  }
  for (const [key, query] of Object.entries(QUERIES)) {
    all.set(key, execFileSync(SSH, ["-Q", query], { encoding: "utf8" }).trim().split("\n"));
  }
  return { defaults, all };
}

async function ask(config: string | null, target: TypedTarget, env: Environment): Promise<Answer> {
  const file = config === null ? [] : ["-F", config];
  const port = target.port === undefined ? [] : ["-p", String(target.port)];
  const user = target.user === undefined ? [] : ["-l", target.user];
  try {
    const { stdout } = await run(SSH, [...file, ...port, ...user, "-G", "--", target.host, "true"], env);
    return { kind: "options", lines: groupLines(stdout) };
  } catch (error) {
    if (error instanceof Error && "stderr" in error) return { kind: "refused", stderr: String(error.stderr) };
    throw error;
  }
}

function groupLines(text: string): Map<string, string[]> {
  const lines = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const key = line.split(" ", 1)[0] ?? "";
    const known = lines.get(key);
    if (known === undefined) lines.set(key, [line]);
    else known.push(line);
  }
  return lines;
}

function run(
  program: string,
  args: readonly string[],
  env: Environment,
): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(program, args, {
    env: { PATH: process.env["PATH"], ...env },
    timeout: 20_000,
    maxBuffer: 1 << 24,
  });
}
