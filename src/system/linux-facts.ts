/** Facts of a Linux host, read once a session: its CPUs' model and layout, limits of the cgroup, its manufacturer. */
import { cleanText } from "../lib/text.js";
import { sharedText, sharedValue } from "../lib/shared-values.js";
import { parseCpuinfo, type CpuInfo } from "./cpuinfo.js";
import { DMI, ONLINE_CPUS } from "./linux-facts-part.js";
import { markedLines } from "./marked-lines.js";
import { cpuList, wholeNumber } from "./numbers.js";
import { filesIn } from "./sys-files.js";

// "cpuinfo", "processors", "allowed" and "lxcfs" are in older captures.
const MARKS = ["cpuinfo", "processors", "allowed", "lxcfs", "sys", "model", "files", "counts"] as const;

export type CoreType = "Performance" | "Efficiency" | "Standard";

export interface LinuxFacts {
  /** `uname -m`. */
  readonly machine: string | null;
  readonly info: CpuInfo;
  /** The CPUs of each socket, in order; empty when the kernel does not report them. */
  readonly sockets: readonly (readonly number[])[];
  readonly physicalCores: readonly (readonly number[])[];
  readonly coreTypes: ReadonlyMap<number, CoreType>;
  readonly baseMhz: number | null;
  readonly maxMhz: number | null;
  readonly cacheMib: number | null;
  /** The kernel's list of the CPUs that run, in order; `text`: as the kernel writes it, in digits, commas and dashes. */
  readonly online: { readonly text: string; readonly cpus: readonly number[] } | null;
  readonly offline: number;
  /** Number of CPUs that our processes may use (cpuset, affinity). */
  readonly allowed: number | null;
  /** Bytes, of the cgroup. */
  readonly memoryLimit: number | null;
  /** CPU time that the cgroup may use, in CPUs. */
  readonly cpuQuota: number | null;
  /** /proc and /sys are the kernel's own, which never hang, and not a FUSE server's (lxcfs). Null: not known. */
  readonly hasKernelProc: boolean | null;
  readonly chassisDetail: Readonly<Record<string, string>>;
}

/** Of a host whose CPUs are all of one kind. */
const ALL_STANDARD: LinuxFacts["coreTypes"] = new Map<number, CoreType>();

let latest: { readonly stdout: string; readonly facts: LinuxFacts } | null = null;

/**
 * `stdout`: of LINUX_FACTS; facts that it lacks are null or empty. A first reading is parsed for the cache and for the
 * sampler, so the latest result is kept.
 */
export function parseLinuxFacts(stdout: string): LinuxFacts {
  if (latest?.stdout !== stdout) latest = { stdout, facts: factsIn(stdout) };
  return latest.facts;
}

function factsIn(stdout: string): LinuxFacts {
  const blocks = markedLines(stdout.split("\n"), MARKS);
  const lines = (name: (typeof MARKS)[number] | ""): readonly string[] => blocks.get(name) ?? [];
  const machineName = lines("")[0]?.trim() ?? "";
  const machine = machineName === "" ? null : sharedText(cleanText(machineName));
  const read = sortedFacts(lines("files"), lines("counts"));
  const tallies = [...lines("cpuinfo"), ...read.tallies];
  const info = parseCpuinfo(tallies, lines("processors")[0], machine);
  const sys = filesIn([...lines("sys"), ...read.sys]);
  const one = (path: string): string | undefined => sys.get(path)?.[0];
  const lists = (path: string): (readonly number[])[] => partsOf(sys.get(path) ?? []);
  const types = coreTypes(sys);
  const megahertz = (path: string): number | null => maxOf(sys.get(path) ?? [], 1000);
  return {
    machine,
    info,
    sockets: sharedValue(lists("/topology/core_siblings_list").sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))),
    physicalCores: sharedValue(lists("/topology/thread_siblings_list")),
    coreTypes: types.size === 0 ? ALL_STANDARD : types,
    baseMhz:
      megahertz("/cpufreq/base_frequency") ??
      info.baseMhz ??
      maxOf(sys.get("/acpi_cppc/nominal_freq") ?? [], 1),
    maxMhz: megahertz("/cpufreq/cpuinfo_max_freq"),
    cacheMib: cacheMib(sys) ?? (info.cacheKib === null ? null : (info.cacheKib * (info.sockets ?? 1)) / 1024),
    online: online(one(ONLINE_CPUS)),
    offline: cpuList(one("/sys/devices/system/cpu/offline") ?? "")?.length ?? 0,
    allowed: allowedCpus(tallies, lines("allowed")),
    memoryLimit:
      wholeNumber(one("/sys/fs/cgroup/memory.max")) ??
      wholeNumber(one("/sys/fs/cgroup/memory/memory.limit_in_bytes")),
    cpuQuota: cpuQuota(one),
    hasKernelProc: hasKernelProc(tallies, lines("lxcfs")[0]),
    chassisDetail: sharedValue(chassisDetail(sys, lines("model"), info.machine)),
  };
}

/**
 * `files`: lines `PATH:CONTENT`; `counts`: the same, each once behind its count. `tallies` are the lines of /proc with their
 * counts, `sys` those of /sys, both sorted and each once, as the older captures have them.
 */
function sortedFacts(
  files: readonly string[],
  counts: readonly string[],
): { readonly tallies: readonly string[]; readonly sys: readonly string[] } {
  const counted = new Map<string, number>();
  const add = (line: string, count: number): void => {
    const key = line.includes("/cpu_capacity:") ? line : line.replace(/^cpu\d+(?=\/)/, "");
    counted.set(key, (counted.get(key) ?? 0) + count);
  };
  for (const line of files) add(line, 1);
  for (const line of counts) {
    const match = /^(\d{1,9}) (.*)$/.exec(line);
    if (match !== null) add(match[2] ?? "", Number(match[1]));
  }
  const tallies: string[] = [];
  const sys: string[] = [];
  for (const [line, count] of [...counted].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const content = /^\/proc\/[a-z/]{1,20}:(.*)$/.exec(line)?.[1];
    if (content === undefined) sys.push(line);
    else tallies.push(`${count} ${content}`);
  }
  return { tallies, sys };
}

// Linux has at most 8192 on x86; the sockets or cores of a host share no CPU.
const MAX_CPUS = 65_536;

/** The CPUs of each socket or core; none where there are more in all than a host can have. */
function partsOf(lists: readonly string[]): (readonly number[])[] {
  const parts: (readonly number[])[] = [];
  let count = 0;
  for (const text of lists) {
    const cpus = cpuList(text);
    if (cpus === null) continue;
    count += cpus.length;
    if (count > MAX_CPUS) return [];
    parts.push(cpus);
  }
  return parts;
}

function maxOf(values: readonly string[], divisor: number): number | null {
  const numbers = values.map(wholeNumber).filter((value) => value !== null && value > 0 && value < 1e8);
  const largest = numbers.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
  return largest === 0 ? null : largest / divisor;
}

function allowedCpus(tallies: readonly string[], listed: readonly string[]): number | null {
  const line = [...listed, ...tallies].find((each) => each.includes("Cpus_allowed_list:"));
  return cpuList(line?.split(":")[1] ?? "")?.length ?? null;
}

function hasKernelProc(tallies: readonly string[], lxcfsMounts: string | undefined): boolean | null {
  if (lxcfsMounts !== undefined) return wholeNumber(lxcfsMounts) === 0;
  if (tallies.some((line) => line.includes(" fuse.lxcfs "))) return false;
  return tallies.some((line) => line.includes("proc /proc proc ")) ? true : null;
}

function online(text: string | undefined): LinuxFacts["online"] {
  const cpus = text === undefined ? null : cpuList(text);
  return text === undefined || cpus === null ? null : sharedValue({ text: text.trim(), cpus });
}

/** Intel lists the CPUs of each kind by PMU; ARM has a capacity for each CPU. */
function coreTypes(sys: ReadonlyMap<string, readonly string[]>): Map<number, CoreType> {
  const types = new Map<number, CoreType>();
  const performance = cpuList(sys.get("/sys/devices/cpu_core/cpus")?.[0] ?? "");
  const efficiency = cpuList(sys.get("/sys/devices/cpu_atom/cpus")?.[0] ?? "");
  if (performance !== null && efficiency !== null) {
    for (const cpu of performance) types.set(cpu, "Performance");
    for (const cpu of efficiency) types.set(cpu, "Efficiency");
    return types;
  }
  const capacities = new Map<number, number>();
  for (const [path, [text]] of sys) {
    const cpu = wholeNumber(/^cpu(\d+)\/cpu_capacity$/.exec(path)?.[1]);
    const capacity = wholeNumber(text);
    if (cpu !== null && capacity !== null) capacities.set(cpu, capacity);
  }
  const max = [...capacities.values()].reduce((larger, value) => Math.max(larger, value), 0);
  const min = [...capacities.values()].reduce((smaller, value) => Math.min(smaller, value), max);
  // Preferred cores of one kind differ by a few percent; kinds of core by much more.
  if (min > max * 0.8) return types;
  for (const [cpu, capacity] of capacities)
    types.set(cpu, capacity > max * 0.8 ? "Performance" : "Efficiency");
  return types;
}

/** All instances of the last level together; null when sizes differ and the kernel does not report each instance's. */
function cacheMib(sys: ReadonlyMap<string, readonly string[]>): number | null {
  for (const level of ["/cache/index3", "/cache/index2"]) {
    const sizes = (sys.get(`${level}/size`) ?? []).map((size) => wholeNumber(/^(\d+)K$/.exec(size)?.[1]));
    const instances = sys.get(`${level}/shared_cpu_list`)?.length ?? 0;
    if (sizes.length === 0 || instances === 0) continue;
    const known = sizes.filter((size) => size !== null);
    if (known.length !== sizes.length) return null;
    const sum = known.reduce((total, size) => total + size, 0);
    if (known.length === 1) return (sum * instances) / 1024;
    return known.length === instances ? sum / 1024 : null;
  }
  return null;
}

function cpuQuota(one: (path: string) => string | undefined): number | null {
  const [quotaV2, periodV2] = one("/sys/fs/cgroup/cpu.max")?.split(" ") ?? [];
  const quota = wholeNumber(quotaV2 ?? one("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"));
  const period = wholeNumber(periodV2 ?? one("/sys/fs/cgroup/cpu/cpu.cfs_period_us"));
  return !quota || !period ? null : Math.round((quota / period) * 100) / 100;
}

/** Texts of a device tree end with a NUL. Manufacturers leave placeholders such as "To be filled by O.E.M.". */
function chassisDetail(
  sys: ReadonlyMap<string, readonly string[]>,
  deviceTree: readonly string[],
  powerMachine: string | null,
): Record<string, string> {
  const detail: Record<string, string> = { platform: "Linux" };
  for (const [file, key] of Object.entries(DMI)) {
    const text = sys.get(`/sys/class/dmi/id/${file}`)?.[0] ?? "";
    if (text !== "" && !PLACEHOLDER.test(text)) detail[key] = cleanText(text);
  }
  const model = deviceTree[0]?.split("\0")[0]?.trim() ?? "";
  const product = model === "" ? powerMachine : model;
  if (product !== null && product !== "") detail["Product Name"] ??= cleanText(product);
  return detail;
}

const PLACEHOLDER =
  /^(to be filled by o\.?e\.?m\.?|default string|not specified|system (product )?name|none|n\/a|x+|0+)$/i;
