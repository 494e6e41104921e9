/** What a soak comes to: its figures as text, and what was wrong in it. */
import { trendsOf } from "./gauges.js";
import type { Trend } from "./gauges.js";
import { named } from "./record-ledger.js";
import { CALM_SECS } from "./soak.js";
import type { SoakSettings, Soaked } from "./soak.js";

/** What must be the same before the first fault and after the last. */
const BOTH_ENDS = ["descriptors", "remoteProcesses", "children", "sockets", "channels"] as const;

export function titleOf({ hosts, minutes, intervalSecs, seed }: SoakSettings, { faults }: Soaked): string {
  const count = [...faults.values()].reduce((sum, each) => sum + each, 0);
  return `${hosts} hosts, ${minutes} min, every ${intervalSecs} s, ${count} faults, seed ${seed}`;
}

function trendsUnderFaults({ readings, faultsTo }: Soaked): readonly Trend[] {
  return trendsOf(readings.filter(({ secs }) => secs <= faultsTo));
}

/** A line a figure. */
export function figuresOf(settings: SoakSettings, soaked: Soaked): readonly string[] {
  const { account, before, after, readings, faults, left, ticks } = soaked;
  const { frames, states, skipped, missing, twice, codes } = account;
  return [
    `soak: ${titleOf(settings, soaked)}`,
    `records: ${frames + states} of ${settings.hosts * ticks} (${frames} frames, ${states} states, ${skipped} ` +
      `named as skipped), missing ${missing.length}, twice ${twice.length}`,
    `states: ${countsText(Object.entries(codes))}`,
    `faults: ${countsText([...faults])}`,
    `answering after them: ${soaked.answering}, held for an operator: ${soaked.held}`,
    "gauge              before    most   after   growth (allowed)",
    ...trendsUnderFaults(soaked).map(({ gauge, growth, allowed }) => {
      const most = Math.max(...readings.map((reading) => reading[gauge]));
      const cells = [before?.[gauge] ?? NaN, most, after?.[gauge] ?? NaN];
      const text = cells.map((value) => value.toFixed(0).padStart(8)).join("");
      return `${gauge.padEnd(16)} ${text}   ${growth.toFixed(1)} (${allowed.toFixed(1)})`;
    }),
    `left on the hosts after the end: ${left.length} processes; exit status ${String(soaked.exitCode)}`,
  ];
}

/** Empty where all is well. */
export function problemsOf({ hosts }: SoakSettings, soaked: Soaked): readonly string[] {
  const { account, before, after, answering, held, left, exitCode, ticks, warnings } = soaked;
  const { frames, states, skipped, missing, twice } = account;
  const problems: string[] = [];
  if (missing.length > 0) problems.push(`no record: ${named(missing)}`);
  if (twice.length > 0) problems.push(`two records: ${named(twice)}`);
  if (frames + states + skipped !== hosts * ticks)
    problems.push("records and skipped ticks are not hosts x ticks");
  if (answering + held < hosts)
    problems.push(`${hosts - answering - held} hosts have no frame within ${CALM_SECS} s`);
  if (before === null || after === null) problems.push("the watcher's probe did not answer");
  else
    for (const gauge of BOTH_ENDS)
      if (after[gauge] > before[gauge] + slackOf(before[gauge]))
        problems.push(`${gauge}: ${before[gauge]} before the faults, ${after[gauge]} after them`);
  for (const { gauge, growth, allowed } of trendsUnderFaults(soaked))
    if (!(growth <= allowed)) problems.push(`${gauge} grows by ${growth.toFixed(1)}`);
  if (left.length > 0) problems.push(`left on the hosts: ${named(left)}`);
  if (warnings > 0) problems.push("warnings of listeners, or internal errors");
  // 3: a host has no reading in its last tick.
  if (exitCode !== 0 && exitCode !== 3) problems.push(`exit status ${String(exitCode)}`);
  return problems;
}

/** A tool that runs, or a name that is looked up, may be in one reading and not in the other. */
function slackOf(before: number): number {
  return Math.max(6, before * 0.05);
}

function countsText(counts: readonly (readonly [string, number])[]): string {
  return counts.map(([name, count]) => `${name} ${count}`).join(", ") || "none";
}
