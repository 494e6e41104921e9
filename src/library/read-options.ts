/** The library's options as the fleet takes them, with the flags' defaults. Wrong ones are a UsageError. */
import { factsFolder } from "../cache/facts-folder.js";
import { UsageError } from "../contract/errors.js";
import { labelProblem, parseExpectation } from "../contract/expectation.js";
import type { HealthOptions, RunLength, SampleOptions } from "../contract/options.js";
import { SECTIONS } from "../contract/record.js";
import type { SshOptions } from "../contract/ssh-options.js";
import { TOOL_LABEL, toolPathProblem } from "../contract/tool-path.js";
import type { Target } from "../contract/target.js";
import type { FleetLog, FleetSettings } from "../fleet/open-fleet.js";
import { Faults } from "../run/faults.js";
import { uniqueTargets } from "../targets/hostfile.js";
import { parseTarget } from "../targets/parse-target.js";
import type { HostToWatch, WatchOptions } from "./watch-options.js";

/** Throws UsageError with the problem of each host. */
export function targetsOf(hosts: readonly HostToWatch[]): readonly Target[] {
  const problems: string[] = [];
  const targets = hosts.flatMap((each, index) => {
    const { host, labels = {} } = typeof each === "string" ? { host: each } : each;
    const parsed = parseTarget(host, `hosts[${index}]`);
    for (const [name, value] of Object.entries(labels)) {
      const problem = labelProblem(name, value);
      if (problem !== null) problems.push(`hosts[${index}]: ${problem}`);
    }
    for (const [label, path] of Object.entries(labels)) {
      const problem = label.startsWith(TOOL_LABEL) ? toolPathProblem(path) : null;
      if (problem !== null) problems.push(`hosts[${index}]: the label ${label}: ${problem}`);
    }
    if (parsed.kind === "target") return [{ ...parsed.target, labels }];
    problems.push(`hosts[${index}]: ${parsed.problem}`);
    return [];
  });
  if (hosts.length === 0) problems.push("hosts: no host given");
  if (problems.length > 0) throw new UsageError(problems);
  return uniqueTargets(targets).targets;
}

/** What the fleet is opened with. Rejects with UsageError. */
export async function settingsOf(
  options: WatchOptions,
  health: HealthOptions | null,
): Promise<FleetSettings> {
  const sample = await sampleOf(options, health);
  return { ssh: sshOf(options), sample, ...paceOf(options), stepAreas: new Set<never>() };
}

function sshOf({ ssh = {} }: WatchOptions): SshOptions {
  return {
    keyFiles: ssh.keyFiles ?? [],
    configFile: ssh.configFile ?? null,
    knownHostsFile: ssh.knownHostsFile ?? null,
    hostKeyPolicy: ssh.hostKeyPolicy ?? null,
    timeoutMs: ssh.timeoutMs ?? null,
    client: ssh.client ?? "auto",
    concurrency: ssh.concurrency ?? 32,
  };
}

async function sampleOf(options: WatchOptions, health: HealthOptions | null): Promise<SampleOptions> {
  const { FALLBACK_IDS, TOOLS } = await import("../shims/registry.js");
  const include = options.include ?? ["gpu", "cpu", "memory", "chassis"];
  const fallback = options.fallback ?? FALLBACK_IDS;
  const toolPaths = options.toolPaths ?? {};
  const problems = [
    ...include.filter((each) => !SECTIONS.includes(each)).map((each) => `include: no section "${each}"`),
    ...fallback.filter((id) => !FALLBACK_IDS.includes(id)).map((id) => `fallback: no tool "${id}"`),
    ...Object.entries(toolPaths).flatMap(([id, path]) => {
      const problem = TOOLS.some((tool) => tool.id === id) ? toolPathProblem(path) : "no such tool";
      return problem === null ? [] : [`toolPaths: ${id}: ${problem}`];
    }),
  ];
  if (problems.length > 0) throw new UsageError(problems);
  const folder = options.cache === false ? null : factsFolder(options.env ?? process.env);
  return {
    include: new Set([...include, ...(health?.eventsImplied === true ? (["event"] as const) : [])]),
    fallback,
    toolTimeoutSecs: options.toolTimeoutSecs ?? 10,
    redact: options.redact ?? false,
    holdDriver: options.holdDriver ?? "auto",
    toolPaths,
    wakeGpus: options.wakeGpus ?? false,
    ...(folder === null ? {} : { factsFolder: folder }),
  };
}

/** Null: records are not judged. Throws UsageError. */
export function healthOf({
  health: rules = false,
  expect = [],
  include,
}: WatchOptions): HealthOptions | null {
  const parsed = expect.map(parseExpectation);
  const problems = parsed.flatMap((each) => (each.kind === "problem" ? [`expect: ${each.problem}`] : []));
  if (problems.length > 0) throw new UsageError(problems);
  const expectations = parsed.flatMap((each) => (each.kind === "expectation" ? [each.expectation] : []));
  const eventsImplied = rules && include === undefined;
  return rules || expectations.length > 0 ? { rules, expectations, eventsImplied } : null;
}

function paceOf({ intervalMs = 2000, ticks }: WatchOptions): { intervalMs: number; length: RunLength } {
  if (!(intervalMs >= 100)) throw new UsageError(["intervalMs: is below 100"]);
  if (ticks === undefined) return { intervalMs, length: { kind: "endless" } };
  if (ticks === "once") return { intervalMs, length: { kind: "once" } };
  if (!Number.isInteger(ticks) || ticks < 1) throw new UsageError(["ticks: is not a whole number from 1"]);
  return { intervalMs, length: { kind: "count", ticks } };
}

/** The messages of a fleet, for the caller. */
export function logTo(onMessage: WatchOptions["onMessage"]): FleetLog {
  return {
    warn: (message) => onMessage?.("warning", message),
    debug: (message) => onMessage?.("info", message),
    line: (line) => onMessage?.("info", line),
    fault: new Faults((text) => onMessage?.("error", text)).report,
  };
}
