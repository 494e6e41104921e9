/** `--dry-run`: for each host what would be done, as text, with the config lines that decided it. Connects to nothing. */
import { hostErrorOf, type ReportFault } from "../contract/errors.js";
import type { Options } from "../contract/options.js";
import type { Target } from "../contract/target.js";
import type { PlannedTarget, UnplannedTarget } from "../fleet/identity.js";
import { targetPlanner, type PlanningDeps } from "../fleet/open-fleet.js";
import { unlessAborted } from "../lib/abort.js";
import { cleanText } from "../lib/text.js";
import { findCandidates } from "../ssh/auth/identity.js";
import type { Origin } from "../ssh/config/host-config.js";
import type { SshShared } from "../ssh/connector.js";
import { needsSystemClient } from "../ssh/host-connector.js";
import { planHostNames, planLabel, type HostPlan, type Way } from "../ssh/plan/plan.js";
import { createSshShared } from "../ssh/shared.js";

/** So many hosts are planned at a time: their plans, some 10 KiB each, are garbage soon. */
const MIN_PLANNED = 100;
/** The same where planning waits for something, as for names that are looked up: for more at a time then. */
const MAX_PLANNED = 10_000;
const SLOW_MS = 1000;

/**
 * The texts of all hosts, in order, some in each. Asks the agent for its public keys, reads key files and known_hosts, and
 * does nothing else. Throws ConfigError.
 */
export async function* describeTargets(
  targets: readonly Target[],
  options: Options,
  deps: PlanningDeps,
  fault: ReportFault,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const shared = createSshShared(deps.clock, options.ssh.concurrency, () => undefined);
  try {
    const plan = await unlessAborted(targetPlanner(options, deps, fault), signal);
    for (let at = 0, count = MIN_PLANNED; at < targets.length;) {
      const beganAtMs = deps.clock.nowMs();
      const planned = await unlessAborted(plan(targets.slice(at, at + count)), signal);
      at += count;
      if (deps.clock.nowMs() - beganAtMs > SLOW_MS) count = Math.min(MAX_PLANNED, count * 10);
      yield await describePlans(planned, options, shared, fault);
    }
  } finally {
    shared.agents.close();
  }
}

async function describePlans(
  planned: readonly (PlannedTarget | UnplannedTarget)[],
  options: Options,
  shared: SshShared,
  fault: ReportFault,
): Promise<string> {
  const keyRows: KeyRows = new Map();
  let text = "";
  for (const each of planned) text += await describeOrReport(each, options, shared, keyRows, fault);
  return text;
}

/** An error of one host is that host's text. */
async function describeOrReport(
  each: PlannedTarget | UnplannedTarget,
  options: Options,
  shared: SshShared,
  keyRows: KeyRows,
  fault: ReportFault,
): Promise<string> {
  const notPlanned = (why: string): string =>
    `${each.target.host} (${each.target.origin})\n  not planned  ${why}\n`;
  if (each.plan === null) return notPlanned(cleanText(each.why));
  try {
    return await describe(each, options, shared, keyRows);
  } catch (error) {
    const failure = hostErrorOf(error, "resolve");
    if (failure.failure.code === "internal-error") fault(each.target.host, error);
    return notPlanned(cleanText(failure.message));
  }
}

async function describe(
  { target, plan }: PlannedTarget,
  options: Options,
  shared: SshShared,
  keyRows: KeyRows,
): Promise<string> {
  const rows: (readonly [label: string, value: string])[] = [
    ["address", planLabel(plan)],
    ...wayRows(plan),
    ...(plan.refusal === undefined ? [] : [["refused", plan.refusal.message] as const]),
    ["client", await client(plan, options, shared)],
    ...(await keysOf(plan, keyRows, shared)),
    ["host key policy", `${plan.hostKeyPolicy} (${originText(plan.hostKeyPolicyOrigin)})`],
    ["known hosts", [...plan.knownHosts.userFiles, ...plan.knownHosts.globalFiles].join(", ") || "none"],
    ["known as", knownAs(plan, shared)],
    ...decidedBy(plan),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const labels = Object.entries(target.labels).map(([key, value]) => ` ${key}=${value}`);
  const lines = rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`);
  return `${[`${target.host} (${target.origin})${labels.join("")}`, ...lines].map(cleanText).join("\n")}\n`;
}

function wayRows(plan: HostPlan): (readonly [string, string])[] {
  if (plan.way.kind === "command") return [["proxy command", plan.way.command]];
  const hops: string[] = [];
  for (let way: Way = plan.way; way.kind === "jump"; way = way.hop.way) hops.unshift(planLabel(way.hop));
  return hops.length === 0 ? [] : [["jump hosts", hops.join(" -> ")]];
}

async function client(plan: HostPlan, options: Options, shared: SshShared): Promise<string> {
  if (options.ssh.client !== "auto") return `${options.ssh.client} (--ssh-client)`;
  const why = await needsSystemClient(plan, shared);
  return why === null ? "ssh2" : `openssh: ${why}`;
}

/** Hosts with the same key files and agent have the same rows. */
type KeyRows = Map<string, Promise<readonly (readonly [string, string])[]>>;

function keysOf(
  plan: HostPlan,
  known: KeyRows,
  shared: SshShared,
): Promise<readonly (readonly [string, string])[]> {
  const identity = JSON.stringify(plan.identity);
  const rows = known.get(identity) ?? keys(plan, shared);
  known.set(identity, rows);
  return rows;
}

async function keys(plan: HostPlan, shared: SshShared): Promise<(readonly [string, string])[]> {
  const { keys: candidates, skipped } = await findCandidates(plan.identity, shared);
  const offered = candidates.map(
    ({ source, type, fingerprint, certified }, index): readonly [string, string] => [
      `key ${index + 1}`,
      `${source} ${type}${certified ? " certificate" : ""} ${fingerprint}`,
    ],
  );
  const notOffered = skipped.map(({ source, reason }): readonly [string, string] => [
    "key skipped",
    `${source}: ${reason}`,
  ]);
  const none: (readonly [string, string])[] =
    offered.length === 0 ? [["key", "none: authentication will fail"]] : [];
  return [...offered, ...none, ...notOffered];
}

function knownAs(plan: HostPlan, shared: SshShared): string {
  const names = planHostNames(plan, null);
  const types = shared.knownHosts.open(plan.knownHosts).knownKeyTypes(names);
  return types.length === 0 ? `${names.name}: no key is known` : `${names.name} by ${types.join(", ")}`;
}

/** Only what files decided: the defaults are those of ssh. */
function decidedBy(plan: HostPlan): (readonly [string, string])[] {
  const rows: (readonly [string, string])[] = [];
  for (const [keyword, origin] of plan.config.origins) {
    if (origin.kind === "file") rows.push(["decided by", `${originText(origin)} (${keyword})`]);
  }
  return rows;
}

function originText(origin: Origin): string {
  switch (origin.kind) {
    case "file":
      return `${origin.file}:${origin.line}`;
    case "flag":
      return "command line";
    case "default":
      return "default";
  }
}
