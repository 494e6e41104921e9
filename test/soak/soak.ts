/** One soak: hosts are watched, faults come and stop, and what was seen is handed back. */
import { waitFor } from "../support/processes.js";
import { Gauges } from "./gauges.js";
import type { Reading } from "./gauges.js";
import { RandomFaults } from "./random-faults.js";
import { RecordLedger } from "./record-ledger.js";
import type { Account } from "./record-ledger.js";
import { startSoakFleet } from "./soak-fleet.js";
import type { SoakFleet } from "./soak-fleet.js";
import { SoakedWatcher } from "./soaked-watcher.js";

export interface SoakSettings {
  readonly hosts: number;
  readonly minutes: number;
  readonly intervalSecs: number;
  readonly seed: number;
}

export interface Soaked {
  readonly ticks: number;
  readonly account: Account;
  readonly faults: ReadonlyMap<string, number>;
  /** Before the first fault, and after the last; null where the watcher did not answer. */
  readonly before: Reading | null;
  readonly after: Reading | null;
  readonly readings: readonly Reading[];
  /** In seconds of the readings. */
  readonly faultsFrom: number;
  readonly faultsTo: number;
  /** Hosts whose newest record was a frame, some time after the last fault. */
  readonly answering: number;
  /** Of the others, those that wait for an operator. */
  readonly held: number;
  /** Commands of session processes that were there after the watcher's end. */
  readonly left: readonly string[];
  readonly exitCode: number | null;
  readonly warnings: number;
  readonly stderr: string;
}

/** A host that was refused several times in a row waits up to a minute for its next attempt. */
export const CALM_SECS = 75;
const READ_EVERY_SECS = 5;
/** The first seconds are those of code that is compiled and caches that fill. */
const SETTLE_SECS = 4;
const START_LIMIT_MS = 180_000;
const END_LIMIT_MS = 180_000;

/** Takes as long as its minutes, and some seconds more. */
export async function soak(settings: SoakSettings): Promise<Soaked> {
  const fleet = await startSoakFleet(settings.hosts);
  try {
    return await soakFleet(fleet, settings);
  } finally {
    await fleet.stop();
  }
}

async function soakFleet(fleet: SoakFleet, settings: SoakSettings): Promise<Soaked> {
  const { hosts, minutes, intervalSecs, seed } = settings;
  const totalSecs = minutes * 60;
  const ticks = Math.floor(totalSecs / intervalSecs);
  const ledger = new RecordLedger(ticks);
  const format = ["--format", "ndjson", "--workers", "0"];
  const length = ["--interval", String(intervalSecs), "--count", String(ticks)];
  const watcher = new SoakedWatcher([...fleet.args, ...format, ...length], fleet.dir, (head) =>
    ledger.take(head),
  );
  const gauges = new Gauges(watcher.pid, watcher.probeFile, fleet);
  const faults = new RandomFaults(fleet, watcher.pid, seed);
  try {
    await waitFor("every host answers", () => ledger.answering === hosts || watcher.hasEnded, START_LIMIT_MS);
    await sleepSecs(SETTLE_SECS);
    const before = await gauges.read();
    const readings: Reading[] = before === null ? [] : [before];
    const faultsFrom = gauges.secs;
    faults.start();
    while (gauges.secs < totalSecs - CALM_SECS && !watcher.hasEnded) {
      await sleepSecs(READ_EVERY_SECS);
      const reading = await gauges.read();
      if (reading !== null) readings.push(reading);
    }
    await faults.stop();
    const faultsTo = gauges.secs;
    // The last ticks are not waited for: what is read then is sessions that stand.
    const calmEnd = totalSecs - 3 * intervalSecs - SETTLE_SECS;
    const settled = (): boolean => ledger.answering + ledger.held === hosts;
    while (gauges.secs < calmEnd && !settled() && !watcher.hasEnded) await sleepSecs(0.2);
    await sleepSecs(Math.min(SETTLE_SECS, Math.max(0, calmEnd - gauges.secs)));
    const { answering, held } = ledger;
    const after = watcher.hasEnded ? null : await gauges.read();
    if (after !== null) readings.push(after);
    await waitFor("the watcher's end", () => watcher.hasEnded, END_LIMIT_MS);
    const exitCode = await watcher.ended;
    const left = await leftOn(fleet);
    return {
      ...{ ticks, before, after, readings, faultsFrom, faultsTo, answering, held, left, exitCode },
      account: ledger.close(hosts),
      faults: faults.counts,
      warnings: watcher.warnings,
      stderr: watcher.stderr,
    };
  } finally {
    await faults.stop();
    watcher.kill();
  }
}

/** A session ends when its sshd has noticed that the connection has. */
async function leftOn(fleet: SoakFleet): Promise<readonly string[]> {
  const endMs = performance.now() + 20_000;
  for (;;) {
    const left = fleet.sessionProcesses();
    if (left.length === 0 || performance.now() > endMs) return left.map(({ command }) => command);
    await sleepSecs(0.3);
  }
}

function sleepSecs(secs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, secs * 1000));
}
