/** What would be done with each host, as text: the way to it, keys, tools, and what is in the way. Connects to nothing. */
import { hostErrorOf, type ReportFault } from "../contract/errors.js";
import type { Options } from "../contract/options.js";
import { firstScripts, toolNames } from "../fleet/first-script-text.js";
import type { PlannedTarget, UnplannedTarget } from "../fleet/identity.js";
import type { Clock } from "../lib/clock.js";
import { cleanText } from "../lib/text.js";
import type { Candidates } from "../ssh/auth/identity.js";
import type { Origin } from "../ssh/config/host-config.js";
import type { SshShared } from "../ssh/connector.js";
import { needsSystemClient } from "../ssh/host-connector.js";
import type { LoginForecast } from "../ssh/login-forecast.js";
import { planHostNames, planLabel, type HostPlan, type Way } from "../ssh/plan/plan.js";

type Row = readonly [label: string, value: string];
type Planned = PlannedTarget | UnplannedTarget;

export interface Description {
  readonly host: string;
  /** Ends with a newline. */
  readonly text: string;
  /** False: the host cannot be logged in to as things are. */
  readonly isReady: boolean;
}

/** Asks the agent for its public keys, reads key files and known_hosts, and does nothing else. */
export async function describePlans(
  planned: readonly Planned[],
  options: Options,
  shared: SshShared,
  forecast: LoginForecast,
  fault: ReportFault,
): Promise<readonly Description[]> {
  const described: Description[] = [];
  for (const each of planned) described.push(await describeOrReport(each, options, shared, forecast, fault));
  return described;
}

/**
 * Each script that would run on one of the hosts, with comments that name the hosts; hosts without paths of tools of their
 * own have one together. What is printed is a program of sh.
 */
export async function* scriptTexts(
  planned: readonly Planned[],
  options: Options,
  clock: Clock,
): AsyncGenerator<string, void> {
  const hostsOf = new Map<string, string[]>();
  const scripts = await firstScripts(
    options,
    planned.map(({ target }) => target),
    clock,
  );
  for (const [{ host }, script] of scripts) hostsOf.set(script, [...(hostsOf.get(script) ?? []), host]);
  const comment = [
    "What the login shell of these hosts gets first, word for word; NONCE is random text of the connection.",
    "Later readings are asked by the same pieces, for the tools that it found: docs/remote-script.md.",
  ];
  for (const [script, hosts] of hostsOf) {
    const head = [...comment, `Hosts: ${hosts.join(", ")}`].map((line) => `# ${cleanText(line)}`);
    yield `${[...head, script].join("\n")}\n`;
  }
}

/** An error of one host is that host's text. */
async function describeOrReport(
  each: Planned,
  options: Options,
  shared: SshShared,
  forecast: LoginForecast,
  fault: ReportFault,
): Promise<Description> {
  const { host, origin } = each.target;
  const notPlanned = (why: string): Description => ({
    host,
    text: `${cleanText(`${host} (${origin})`)}\n  not planned  ${cleanText(why)}\n`,
    isReady: false,
  });
  if (each.plan === null) return notPlanned(each.why);
  try {
    return await describe(each, options, shared, forecast);
  } catch (error) {
    const failure = hostErrorOf(error, "resolve");
    if (failure.failure.code === "internal-error") fault(host, error);
    return notPlanned(failure.message);
  }
}

async function describe(
  { target, plan }: PlannedTarget,
  options: Options,
  shared: SshShared,
  forecast: LoginForecast,
): Promise<Description> {
  const isVerbose = options.verbosity === "verbose";
  const systemClient = await needsSystemClient(plan, shared);
  const isForeseen = options.ssh.client !== "auto" || systemClient === null || plan.refusal !== undefined;
  const obstacles = isForeseen ? await forecast.obstacles(plan) : [];
  const tools = await toolNames(options, target.labels);
  const rows: readonly Row[] = [
    ["address", planLabel(plan)],
    ...wayRows(plan),
    ["client", clientText(options, systemClient)],
    ...keyRows(await forecast.candidates(plan.identity), isVerbose),
    ["known as", knownAs(plan, shared)],
    ...(isVerbose ? policyRows(plan) : []),
    ["tools", tools.length === 0 ? "none: --include asks for no device" : tools.join(", ")],
    ...(isVerbose ? decidedBy(plan) : []),
    ...obstacles.flatMap(({ why, fix }): readonly Row[] => [
      [plan.refusal === undefined ? "WARNING" : "refused", why],
      ...(fix === null ? [] : [["fix", fix] as const]),
    ]),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const labels = Object.entries(target.labels).map(([key, value]) => ` ${key}=${value}`);
  const lines = rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`);
  const text = cleanLines([`${target.host} (${target.origin})${labels.join("")}`, ...lines]);
  return { host: target.host, text, isReady: obstacles.length === 0 };
}

/** Each line cleaned and ended. */
function cleanLines(lines: readonly string[]): string {
  // One search for all of them: hardly any text has something to clean.
  const together = lines.join(" ");
  const cleaned = cleanText(together) === together ? lines : lines.map(cleanText);
  return `${cleaned.join("\n")}\n`;
}

function wayRows(plan: HostPlan): readonly Row[] {
  if (plan.way.kind === "command") return [["proxy command", plan.way.command]];
  const hops: string[] = [];
  for (let way: Way = plan.way; way.kind === "jump"; way = way.hop.way) hops.unshift(planLabel(way.hop));
  return hops.length === 0 ? [] : [["jump hosts", hops.join(" -> ")]];
}

function clientText({ ssh }: Options, systemClient: string | null): string {
  if (ssh.client !== "auto") return `${ssh.client} (--ssh-client)`;
  return systemClient === null ? "ssh2" : `openssh: ${systemClient}`;
}

/** Keys in the order in which they are offered; those that are not, where they are asked for or nothing else is there. */
function keyRows({ keys, skipped }: Candidates, isVerbose: boolean): readonly Row[] {
  const offered = keys.map(({ source, type, fingerprint, certified }, index): Row => [
    `key ${index + 1}`,
    `${source} ${type}${certified ? " certificate" : ""} ${fingerprint}`,
  ]);
  const isReported = isVerbose || keys.length > 0;
  const notOffered = skipped.map(({ source, reason }): Row => ["key skipped", `${source}: ${reason}`]);
  return [
    ...offered,
    ...(keys.length === 0 ? [["key", "none"] as const] : []),
    ...(isReported ? notOffered : []),
  ];
}

function knownAs(plan: HostPlan, shared: SshShared): string {
  const names = planHostNames(plan, null);
  const types = shared.knownHosts.open(plan.knownHosts).knownKeyTypes(names);
  if (types.length > 0) return `${names.name} by ${types.join(", ")}`;
  const isAdded = plan.hostKeyPolicy === "accept-new";
  return `${names.name}: no key is known${isAdded ? "; it is added with the first connection (accept-new)" : ""}`;
}

function policyRows(plan: HostPlan): readonly Row[] {
  return [
    ["host key policy", `${plan.hostKeyPolicy} (${originText(plan.hostKeyPolicyOrigin)})`],
    ["known hosts", [...plan.knownHosts.userFiles, ...plan.knownHosts.globalFiles].join(", ") || "none"],
  ];
}

/** Only what files decided: the defaults are those of ssh. */
function decidedBy(plan: HostPlan): readonly Row[] {
  const rows: Row[] = [];
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
