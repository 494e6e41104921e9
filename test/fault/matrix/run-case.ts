/** Cases of runs: each is a run of its own that watches two healthy hosts of one sshd. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { CliRun } from "../../support/cli.js";
import { missing, type Sshd } from "../../support/sshd.js";
import { makeTempDir } from "../../support/temp-dir.js";
import { addRow } from "./fault-case.js";
import { config, known, serve, stopServers } from "./servers.js";
import { ticksOf, type WatchedRun } from "./watched-run.js";

/** Why no run can be watched here; false where one can. */
export const skip = missing ?? false;
const temp = makeTempDir("matrix-runs");
const HOSTS = ["healthy-1", "healthy-2"];
let server: Sshd;
let files = 0;

/** Starts the sshd of the healthy hosts, before the first case. */
export async function startHealthy(): Promise<void> {
  if (skip === false) server = await serve();
}

export async function stopHealthy(): Promise<void> {
  await stopServers();
  temp.remove();
}

export const healthyPort = (): number => server.port;

/** A path that nobody else uses. */
export const ownFile = (name: string): string => join(temp.path, `${files++}-${name}`);
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Flags for the healthy hosts; `more` are lines of ssh_config for all of them. */
export function flags(more: readonly string[] = [], hosts: readonly string[] = HOSTS): string[] {
  const knownHosts = ownFile("known_hosts");
  const file = ownFile("config");
  writeFileSync(knownHosts, hosts.map((name) => known(name)).join("\n"));
  const lines = hosts.flatMap((name) => [`Host ${name}`, `HostKeyAlias ${name}`]);
  const all = [
    ...lines,
    "Host *",
    ...config(server.port, server.user, ...more),
    `UserKnownHostsFile ${knownHosts}`,
    "GlobalKnownHostsFile none",
    "IdentityAgent none",
  ];
  writeFileSync(file, `${all.join("\n")}\n`, { mode: 0o600 });
  return [
    ...["--ssh", hosts.join(","), "--ssh-config", file, "--format", "ndjson"],
    ...["--ssh-fallback", "nvidia-smi", "--include", "gpu"],
  ];
}

/** What a case has measured, for its row. */
export interface Measured {
  noticedSecs?: number;
  recoveredSecs?: number;
  kept?: readonly [number, number];
}

/** One test, which leaves its row. */
export function runCase(
  name: string,
  expected: string,
  act: () => Promise<Measured | undefined>,
  skipped: string | false = skip,
): void {
  test(name, { skip: skipped }, async () => {
    let measured: Measured = {};
    let problem: string | null = null;
    try {
      measured = (await act()) ?? {};
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    const { noticedSecs = null, recoveredSecs = null, kept = null } = measured;
    addRow({ group: "run", name, expected, noticedSecs, recoveredSecs, kept, problem });
    assert.equal(problem, null);
  });
}

/** Every tick of each host up to its last record has a record, or is named as skipped. */
export function assertAllTicks(run: WatchedRun): void {
  for (const host of HOSTS) {
    const { recorded, skipped } = ticksOf(run.of(host));
    const all = [...recorded, ...skipped].sort((a, b) => a - b);
    assert.deepEqual(
      all,
      all.map((_, tick) => tick),
      `ticks of ${host}`,
    );
  }
}

export const firstFrame = (run: WatchedRun, host = "healthy-1"): ReturnType<WatchedRun["first"]> =>
  run.first("a frame", host, 0, ({ record }) => record === "frame", 20_000);

export async function ended(run: WatchedRun, signal: NodeJS.Signals = "SIGTERM"): Promise<CliRun> {
  run.child.kill(signal);
  return run.ended;
}

/** The text of a file on a full disk. A look may fall between a write that failed and the cut after it. */
export async function wholeLines(file: string): Promise<string> {
  for (let look = 0; look < 20; look++) {
    const text = readFileSync(file, "utf8");
    if (text.endsWith("\n")) return text;
    await sleep(20);
  }
  throw new Error(`${file} does not end with a whole line`);
}
