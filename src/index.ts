/**
 * The library: hosts and options in, records out, one at a time, as the command prints them in NDJSON.
 * It runs on the caller's thread and touches neither standard streams nor the exit code.
 */
import { setMaxListeners } from "node:events";
import { factsFolder } from "./cache/facts-folder.js";
import { UsageError } from "./contract/errors.js";
import { labelProblem, parseExpectation } from "./contract/expectation.js";
import type { HealthOptions, RunLength, SampleOptions } from "./contract/options.js";
import { SECTIONS, type Section, type StreamRecord } from "./contract/record.js";
import type { HostKeyPolicy, SshClientChoice, SshOptions } from "./contract/ssh-options.js";
import { TOOL_LABEL, toolPathProblem } from "./contract/tool-path.js";
import type { Target } from "./contract/target.js";
import type { FleetLog } from "./fleet/open-fleet.js";
import { insteadOf, type Unwritable } from "./format/unwritable.js";
import { withHealth } from "./health/with-health.js";
import { onAbort } from "./lib/abort.js";
import { realClock } from "./lib/clock.js";
import { Faults } from "./run/faults.js";
import { programsBeside } from "./run/programs.js";
import { openHere } from "./sources/open-source.js";
import { uniqueTargets } from "./targets/hostfile.js";
import { parseTarget } from "./targets/parse-target.js";

export { UsageError } from "./contract/errors.js";
export { expandCompact } from "./contract/expand-compact.js";
export type { Finding, Health, HealthStatus, Severity } from "./contract/health.js";
export type { Held } from "./contract/held.js";
export type {
  Chassis,
  CoreUtilization,
  Cpu,
  CpuSocket,
  DeviceLabels,
  Disk,
  Envelope,
  FailureCode,
  Fan,
  FrameRecord,
  Gpu,
  Host,
  HostState,
  LastError,
  Memory,
  MigInstance,
  NetworkPort,
  NumaNode,
  Pressure,
  Process,
  Section,
  SectionError,
  SkippedTicks,
  StateRecord,
  Storage,
  StreamRecord,
} from "./contract/record.js";

/** A host: `[user@]host[:port]`, or the same with labels that travel in each of its records. */
export type HostToWatch =
  string | { readonly host: string; readonly labels?: Readonly<Record<string, string>> };

/** Each option is as the flag of that name; one that is left out has the flag's default. */
export interface WatchOptions {
  /** Between readings, in milliseconds, from 100. Default: 2000. */
  readonly intervalMs?: number;
  /** `once`: one record a host, without retries. A number: that many ticks. Default: until the signal aborts. */
  readonly ticks?: "once" | number;
  /** Default: gpu, cpu, memory, chassis. */
  readonly include?: readonly Section[];
  /** Ids of vendor tools in the order they are tried where all-smi is not installed. Default: every known tool. */
  readonly fallback?: readonly string[];
  /** Each vendor tool's deadline on the host, in whole seconds. Default: 10. */
  readonly toolTimeoutSecs?: number;
  /** Leave out command lines and users of processes. */
  readonly redact?: boolean;
  readonly holdDriver?: "auto" | "never";
  /** Judge each record by the health rules: it gets `health`. */
  readonly health?: boolean;
  /** What each host should have, as `gpus=8`; a host's label `expect.gpus` wins. It shows in `health` too. */
  readonly expect?: readonly string[];
  /** Run tools also where every GPU of their vendor sleeps, which wakes them. */
  readonly wakeGpus?: boolean;
  /** Keep facts of hosts (never readings) between runs, in `$XDG_CACHE_HOME/allsmi-ssh`. Default: true. */
  readonly cache?: boolean;
  /** Where tools are on the hosts, by id; a host's labels `tool.ID` come before them. */
  readonly toolPaths?: Readonly<Record<string, string>>;
  readonly ssh?: {
    readonly keyFiles?: readonly string[];
    /** Read only this ssh_config; `none` reads no file. */
    readonly configFile?: string;
    readonly knownHostsFile?: string;
    readonly hostKeyPolicy?: HostKeyPolicy;
    /** Limit of the dial, and again of the handshake with authentication, in milliseconds. */
    readonly timeoutMs?: number;
    readonly client?: SshClientChoice;
    /** SSH handshakes at once, over all hosts. Default: 32. */
    readonly concurrency?: number;
  };
  /** Environment for ssh_config and the agent. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Its abort ends the stream soon, as if there were no more records. */
  readonly signal?: AbortSignal;
  /**
   * Takes warnings, what is done on a host beside reading it, and bugs of this library that concern one host, whose
   * record then has the code `internal-error`. Default: dropped.
   */
  readonly onMessage?: (level: "error" | "warning" | "info", message: string) => void;
}

/**
 * Watches hosts: for every tick and host exactly one record with that `tick`, and transitions between them, in order of
 * arrival. What goes wrong on a host is a state record and never an error. Throws UsageError, with every problem, for
 * wrong options and hosts, before anything is connected. Leaving the loop early closes every connection.
 */
export async function* watch(
  hosts: readonly HostToWatch[],
  options: WatchOptions = {},
): AsyncGenerator<StreamRecord, void> {
  const targets = targetsOf(hosts);
  const health = healthOf(options);
  const sample = await sampleOf(options, health);
  const settings = { ssh: sshOf(options), sample, ...paceOf(options), stepAreas: new Set<never>() };
  const stopper = new AbortController();
  // Every host has a listener on it while it is watched.
  setMaxListeners(0, stopper.signal);
  const stop = (): void => stopper.abort();
  const stopListening = options.signal === undefined ? null : onAbort(options.signal, stop);
  const deps = {
    env: options.env ?? process.env,
    clock: realClock,
    random: Math.random,
    programs: programsBeside(import.meta.url),
  };
  try {
    const log = logTo(options.onMessage);
    const unwritable: Unwritable = (record, error) => {
      log.fault(record.host_id, error);
      return insteadOf(record, error, options.ticks === "once");
    };
    const stream = await openHere(settings, targets, deps, log, stopper.signal);
    try {
      for await (const batch of withHealth(stream.batches, health, unwritable)) yield* batch;
    } finally {
      stop();
      await stream.close();
    }
  } catch (error) {
    if (!stopper.signal.aborted || error !== stopper.signal.reason) throw error;
  } finally {
    stopListening?.();
  }
}

export interface HostlistOptions {
  /** Whose `Host` entries a pattern such as `gpu-*` means; `none`: those of no file. Default: those that ssh reads. */
  readonly configFile?: string;
  /** Environment for ssh_config and ClusterShell's groups. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * The hosts of a hostlist, as `--ssh` takes it: `dgx-[01-16],^dgx-05`, `@group`, `gpu-*`. Each is for `watch`, and there
 * once. Rejects with UsageError, with every problem. `watch` itself takes single hosts only.
 */
export async function expandHostlist(
  hostlist: string,
  { configFile, env = process.env }: HostlistOptions = {},
): Promise<readonly string[]> {
  const { hostsOfList } = await import("./cli/hosts-of-list.js");
  return await hostsOfList(hostlist, env, configFile ?? null);
}

function targetsOf(hosts: readonly HostToWatch[]): readonly Target[] {
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
  const { FALLBACK_IDS, TOOLS } = await import("./shims/registry.js");
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

function healthOf({ health: rules = false, expect = [], include }: WatchOptions): HealthOptions | null {
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

function logTo(onMessage: WatchOptions["onMessage"]): FleetLog {
  return {
    warn: (message) => onMessage?.("warning", message),
    debug: (message) => onMessage?.("info", message),
    line: (line) => onMessage?.("info", line),
    fault: new Faults((text) => onMessage?.("error", text)).report,
  };
}
