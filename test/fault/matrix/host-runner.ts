/**
 * Runs cases of one group as the hosts of one run, with healthy hosts beside them: nothing that goes wrong on one may cost
 * another a tick. Each case leaves its row, whether it went well or not.
 */
import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StreamRecord } from "../../../src/contract/record.js";
import { Limiter, type Release } from "../../../src/lib/limiter.js";
import { makeTempDir } from "../../support/temp-dir.js";
import { addRow, expectedText, isClean, matches, type FaultyHost, type HostCase } from "./fault-case.js";
import { ticksOf, WatchedRun } from "./watched-run.js";

const LIMIT_MS = 45_000;
const HEALTHY = ["healthy-1", "healthy-2"];
const NEVER = new AbortController().signal;
// Each fault that waits for its turn has a listener on it.
setMaxListeners(0, NEVER);
/** Frames that a host has before its fault begins. */
const FRAMES_BEFORE = 2;

/** What the run of a group may cost on this machine, however long it took. */
export interface RunBounds {
  readonly maxCpuSecs: number;
  /** Resident at most. */
  readonly maxMib: number;
}

export interface Group {
  readonly name: string;
  readonly cases: readonly HostCase[];
  /** How a healthy host is reached. */
  readonly healthy: FaultyHost;
  /** Flags of the run. */
  readonly flags: readonly string[];
  /** A fault that is there from the start, and its record, are not older than this. */
  readonly limitMs?: number;
  readonly bounds?: RunBounds;
  /** Faults that begin while others have not been noticed yet; absent: all of them. */
  readonly faultsAtOnce?: number;
  /** A command that runs the program in its place. */
  readonly within?: readonly string[];
}

export interface CaseOutcome {
  readonly name: string;
  readonly problem: string | null;
}

/** Every case's outcome; the order is that of the cases. Never rejects for what a case does. */
export async function runGroup(group: Group): Promise<readonly CaseOutcome[]> {
  const temp = makeTempDir("matrix");
  const { cases, healthy, flags, faultsAtOnce = cases.length } = group;
  const turns = new Limiter(faultsAtOnce);
  const hosts = await Promise.all(cases.map((each) => each.arrange()));
  const alias = (index: number): string => `case-${index}`;
  const all = [...HEALTHY.map((name) => [name, healthy] as const)];
  hosts.forEach((host, index) => all.push([alias(index), host]));
  const known = join(temp.path, "known_hosts");
  writeFileSync(known, all.map(([name, host]) => host.known(name)).join("\n"));
  const config = [
    ...all.flatMap(([name, host]) => [`Host ${name}`, `HostKeyAlias ${name}`, ...host.config]),
    ...["Host *", "IdentityAgent none", "IdentitiesOnly yes", `UserKnownHostsFile ${known}`],
    "GlobalKnownHostsFile none",
  ];
  writeFileSync(join(temp.path, "config"), `${config.join("\n")}\n`, { mode: 0o600 });
  const args = [
    ...["--ssh", all.map(([name]) => name).join(","), "--ssh-config", join(temp.path, "config")],
    ...["--format", "ndjson", "--ssh-fallback", "nvidia-smi", "--include", "gpu,memory", ...flags],
  ];
  const run = new WatchedRun(args, group.within === undefined ? {} : { within: group.within });
  try {
    const ran = await Promise.all(
      cases.map((each, index) => runCase(run, alias(index), each, hosts[index] as FaultyHost, group, turns)),
    );
    const cost = costOf(run.child.pid);
    run.child.kill("SIGTERM");
    const { code, stdout, stderr } = await run.ended;
    const kept = keptTicks(run);
    const wrong = [
      code === 143 ? null : `exit code ${code}`,
      /internal error|please report/.test(stderr) ? `internal error: ${stderr.slice(0, 300)}` : null,
      NOT_PLAIN.test(stdout + stderr) ? "a control character was printed" : null,
      tooDear(cost, group.bounds),
      kept[0] === kept[1] ? null : `the healthy hosts kept ${kept[0]} of ${kept[1]} ticks`,
    ].find((problem) => problem !== null);
    return await Promise.all(
      ran.map(async (row, index) => {
        const after = await problemOf(async () => {
          assertOneRecordATick(run, alias(index));
          await hosts[index]?.after?.();
        });
        const problem = row.problem ?? after ?? wrong ?? null;
        addRow({ ...row, group: group.name, kept, problem });
        return { name: row.name, problem };
      }),
    );
  } finally {
    run.child.kill("SIGKILL");
    await Promise.all(hosts.map(async (host) => host.stop?.()));
    temp.remove();
  }
}

/** What a terminal would act on. */
const NOT_PLAIN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

interface Cost {
  readonly cpuSecs: number;
  readonly mib: number;
}

/** CPU of a process so far, and the most that was resident of it (proc(5)). */
function costOf(pid = 0): Cost {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [user, system] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12, 14).map(Number);
  const resident = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return { cpuSecs: ((user ?? 0) + (system ?? 0)) / 100, mib: Number(resident) / 1024 };
}

function tooDear({ cpuSecs, mib }: Cost, bounds: RunBounds | undefined): string | null {
  if (bounds === undefined) return null;
  if (cpuSecs > bounds.maxCpuSecs) return `the run took ${cpuSecs.toFixed(1)} s of CPU`;
  return mib > bounds.maxMib ? `the run took ${mib.toFixed(0)} MiB` : null;
}

async function runCase(
  run: WatchedRun,
  host: string,
  { name, expected, lastsMs }: HostCase,
  { begin, end }: FaultyHost,
  { limitMs = LIMIT_MS }: Group,
  turns: Limiter,
): Promise<Omit<Parameters<typeof addRow>[0], "group" | "kept">> {
  const measured: { noticed: number | null; recovered: number | null } = { noticed: null, recovered: null };
  const problem = await problemOf(async () => {
    let sinceMs = run.beganAtMs;
    let release: Release | null = null;
    if (begin !== undefined) {
      for (let frames = 0; frames < FRAMES_BEFORE; frames++)
        sinceMs = (await run.first("frames before the fault", host, sinceMs + 0.001, isClean, LIMIT_MS)).atMs;
      release = await turns.acquire(NEVER);
      sinceMs = performance.now();
      await begin();
      // The tick that is under way may still be a good one.
      if (expected.kind === "frames") sinceMs = performance.now() + 1500;
    }
    const isExpected = (record: StreamRecord): boolean => matches(expected, record);
    const noticed = await run
      .first(expectedText(expected), host, sinceMs, isExpected, limitMs)
      .finally(() => release?.());
    measured.noticed = (noticed.atMs - sinceMs) / 1000;
    if (lastsMs !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, lastsMs));
      const since = run.of(host).filter(({ atMs }) => atMs >= sinceMs);
      const other = since.find(({ record: { state } }) => state !== "connected");
      assert.equal(other, undefined, `not connected all the while: ${JSON.stringify(other?.record)}`);
    }
    if (end === undefined) return;
    const endedMs = performance.now();
    await end();
    const back = await run.first("frames after the fault", host, endedMs, isClean, 2 * LIMIT_MS);
    measured.recovered = (back.atMs - endedMs) / 1000;
  });
  return {
    ...{ name, expected: expectedText(expected) },
    noticedSecs: measured.noticed,
    recoveredSecs: measured.recovered,
    problem,
  };
}

/** Frames of the healthy hosts, and the ticks from their first frame to the last record. */
function keptTicks(run: WatchedRun): readonly [number, number] {
  let frames = 0;
  let ticks = 0;
  for (const name of HEALTHY) {
    const seen = run.of(name).filter(({ record }) => record.tick !== null);
    const first = seen.findIndex(({ record }) => record.record === "frame");
    const since = first < 0 ? seen : seen.slice(first);
    frames += since.filter(({ record }) => isClean(record)).length;
    ticks += (since.at(-1)?.record.tick ?? 0) - (since[0]?.record.tick ?? 0) + 1;
  }
  return [frames, ticks];
}

/** Each tick has one record, or a later record names it as skipped. The last tick's may be under way at the end. */
function assertOneRecordATick(run: WatchedRun, host: string): void {
  const { recorded, skipped } = ticksOf(run.of(host));
  const all = [...recorded, ...skipped].sort((a, b) => a - b);
  const last = recorded.at(-1) ?? -1;
  assert.ok(last >= 0, `${host} has no record of a tick`);
  assert.equal(new Set(all).size, all.length, `a tick of ${host} has two records: ${all.join(" ")}`);
  const missing = Array.from({ length: last }, (_, tick) => tick).filter((tick) => !all.includes(tick));
  // Of a sample that was under way when the run ended, only the ticks after it have their record.
  assert.ok(
    missing.length <= 1 && (missing[0] ?? last) > 0,
    `ticks of ${host} without a record: ${missing.join(" ")}`,
  );
}

async function problemOf(act: () => Promise<void>): Promise<string | null> {
  try {
    await act();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
