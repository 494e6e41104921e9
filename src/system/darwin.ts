/**
 * A Mac's own sections: sysctl(8), vm_stat(1), iostat(8), df(1). Values that need root (powermetrics: temperature, power,
 * cluster load) or a program of ours (SMC, IOReport) stay null; all-smi on the host reports them.
 */
import type { Cpu, Memory, Section, SectionError, Sections } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import { partError } from "../shims/kit/part-output.js";
import type { Part, PartOutput, PartOutputs, Sampler } from "../shims/kit/shim.js";
import { DARWIN_STORAGE, parseDf } from "./df.js";
import { unreadable, type HostSystem } from "./host-system.js";
import { lessBy, percentOf, wholeNumber } from "./numbers.js";
import { DARWIN_PS } from "./ps.js";

/** sysctl reports names that this kernel does not have on stderr, and still prints the others. */
const FACTS: Part = {
  id: "host.facts",
  kind: "program",
  command:
    "sysctl hw.machine hw.model hw.memsize hw.packages hw.physicalcpu hw.logicalcpu hw.cpufrequency hw.cpufrequency_max " +
    "hw.l3cachesize hw.nperflevels hw.perflevel0.physicalcpu hw.perflevel1.physicalcpu " +
    "machdep.cpu.brand_string kern.osproductversion",
};

/**
 * iostat's first row is the mean since boot, its second covers the second that follows. No other way to a Mac's CPU time
 * without root costs so little, though it takes that second.
 */
const CPU: Part = { id: "host.cpu", kind: "program", command: "iostat -w 1 -c 2" };
const MEMORY: Part = { id: "host.memory", kind: "program", command: "vm_stat" };
const SWAP: Part = { id: "host.swap", kind: "program", command: "sysctl vm.swapusage" };

type Include = ReadonlySet<Section>;

/** With `process`, `host.ps` is among the parts for PsReader. */
export const darwin: HostSystem = {
  id: "darwin",
  uname: "Darwin",
  probe: (include) => (needsFacts(include) ? [FACTS, ...tickParts(include)] : tickParts(include)),
  sampler: createDarwinSampler,
};

function needsFacts(include: Include): boolean {
  return include.has("cpu") || include.has("memory") || include.has("chassis");
}

function tickParts(include: Include): readonly Part[] {
  return [
    ...(include.has("memory") ? [MEMORY, SWAP] : []),
    ...(include.has("storage") ? [DARWIN_STORAGE] : []),
    ...(include.has("process") ? [DARWIN_PS] : []),
    ...(include.has("cpu") ? [CPU] : []),
  ];
}

/** `parse` never throws: a section that cannot be read is left out, and has an entry in `errors`. */
function createDarwinSampler(probe: PartOutputs, include: Include): Sampler {
  const factsOutput = probe.get(FACTS.id);
  const facts = parseSysctl(factsOutput?.stdout ?? "");
  return {
    parts: tickParts(include),
    parse(outputs) {
      const errors: SectionError[] = [];
      const missing = (section: Section, what: string, output: PartOutput | undefined): void => {
        errors.push(partError(section, what, output) ?? unreadable(section, what));
      };
      const sections: { -readonly [K in keyof Sections]: Sections[K] } = {};
      if (include.has("cpu")) {
        const load = parseIostat(outputs.get(CPU.id)?.stdout ?? "");
        if (load === null) missing("cpu", "iostat", outputs.get(CPU.id));
        if (load !== null || facts.size > 0) sections.cpus = [cpuSection(facts, load)];
      }
      if (include.has("memory")) {
        const swap = outputs.get(SWAP.id)?.stdout ?? "";
        const memory = parseVmStat(outputs.get(MEMORY.id)?.stdout ?? "", swap, whole(facts, "hw.memsize"));
        if (memory === null) missing("memory", "vm_stat", outputs.get(MEMORY.id));
        else sections.memory = [memory];
      }
      if (include.has("chassis")) {
        if (facts.size === 0) missing("chassis", "sysctl", factsOutput);
        else sections.chassis = [chassisSection(facts)];
      }
      if (include.has("storage")) {
        const storage = parseDf(outputs.get(DARWIN_STORAGE.id)?.stdout ?? "");
        if (storage.length === 0) missing("storage", "df", outputs.get(DARWIN_STORAGE.id));
        else sections.storage = storage;
      }
      return { sections, errors };
    },
  };
}

type Facts = ReadonlyMap<string, string>;

/** `name: value` lines. */
function parseSysctl(stdout: string): Facts {
  const facts = new Map<string, string>();
  for (const line of stdout.split("\n")) {
    const match = /^([\w.]+): (.+)$/.exec(line.trimEnd());
    if (match?.[1] !== undefined && match[2] !== undefined) facts.set(match[1], match[2]);
  }
  return facts;
}

/** Null too for 0, by which the kernel means "not known" (hw.cpufrequency on Apple Silicon). */
function whole(facts: Facts, name: string): number | null {
  const value = wholeNumber(facts.get(name));
  return value === 0 ? null : value;
}

function scaled(value: number | null, divisor: number): number | null {
  return value === null ? null : value / divisor;
}

interface CpuLoad {
  readonly utilization: number | null;
  readonly loadAverage: readonly [number, number, number] | null;
}

/** The last row under the header with `us sy id`; the columns of the disks come before. */
function parseIostat(stdout: string): CpuLoad | null {
  const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  const header = rows.find((row) => row.includes("us") && row.includes("id"));
  const data = rows.filter(
    (row) => row.length === header?.length && row.every((cell) => /^\d+(\.\d+)?$/.test(cell)),
  );
  const last = data.at(-1);
  // A single row is the average since boot.
  if (header === undefined || last === undefined) return null;
  const at = (name: string): number => Number(last[header.indexOf(name)] ?? Number.NaN);
  const idle = at("id");
  const load = [at("1m"), at("5m"), at("15m")] as const;
  return {
    utilization: data.length > 1 && idle <= 100 ? percentOf(100 - idle, 100) : null,
    loadAverage: load.every(Number.isFinite) ? load : null,
  };
}

function cpuSection(facts: Facts, load: CpuLoad | null): Cpu {
  const brand = facts.get("machdep.cpu.brand_string") ?? null;
  const machine = facts.get("hw.machine") ?? null;
  const threads = whole(facts, "hw.logicalcpu");
  // Apple Silicon has none, and sysctl has no total of its clusters' second levels.
  const cache = whole(facts, "hw.l3cachesize");
  return {
    index: 0,
    cpu_model: brand === null ? null : cleanText(brand),
    architecture: machine === null ? null : cleanText(machine),
    platform_type:
      machine === "arm64"
        ? "AppleSilicon"
        : brand?.includes("Intel") === true
          ? "Intel"
          : { Other: "Unknown" },
    socket_count: whole(facts, "hw.packages"),
    total_cores: threads,
    total_threads: threads,
    base_frequency_mhz: scaled(whole(facts, "hw.cpufrequency"), 1e6),
    max_frequency_mhz: scaled(whole(facts, "hw.cpufrequency_max"), 1e6),
    cache_size_mb: scaled(cache, 1024 * 1024),
    utilization: load?.utilization ?? null,
    temperature: null,
    power_consumption: null,
    per_socket_info: [],
    apple_silicon_info: null,
    per_core_utilization: [],
    physical_cores: whole(facts, "hw.physicalcpu"),
    ...(load === null || load.loadAverage === null ? {} : { load_average: load.loadAverage }),
    ...(facts.has("hw.perflevel1.physicalcpu")
      ? {
          performance_cores: whole(facts, "hw.perflevel0.physicalcpu"),
          efficiency_cores: whole(facts, "hw.perflevel1.physicalcpu"),
        }
      : {}),
  };
}

/** Used memory as Activity Monitor counts it: app memory (anonymous, not purgeable), wired, compressed. */
function parseVmStat(stdout: string, swapusage: string, totalBytes: number | null): Memory | null {
  const page = wholeNumber(/page size of (\d+) bytes/.exec(stdout)?.[1]);
  if (page === null || page === 0 || totalBytes === null) return null;
  const bytes = (name: string): number | null => {
    const pages = wholeNumber(new RegExp(`^${name}:\\s+(\\d+)\\.$`, "m").exec(stdout)?.[1]);
    return pages === null || !Number.isSafeInteger(pages * page) ? null : pages * page;
  };
  const apps = lessBy(bytes("Anonymous pages"), bytes("Pages purgeable"));
  const [wired, compressed] = [bytes("Pages wired down"), bytes("Pages occupied by compressor")];
  const sum = apps === null || wired === null || compressed === null ? null : apps + wired + compressed;
  const used = sum !== null && sum <= totalBytes ? sum : null;
  const swap = (name: string): number | null => {
    const match = new RegExp(`${name} = (\\d{1,9}(?:\\.\\d+)?)M`).exec(swapusage);
    return match === null ? null : Math.round(Number(match[1]) * 1024 * 1024);
  };
  return {
    index: 0,
    total_bytes: totalBytes,
    used_bytes: used,
    available_bytes: lessBy(totalBytes, used),
    free_bytes: bytes("Pages free"),
    buffers_bytes: null,
    cached_bytes: bytes("File-backed pages"),
    swap_total_bytes: swap("total"),
    swap_used_bytes: swap("used"),
    swap_free_bytes: swap("free"),
    utilization: used === null ? null : percentOf(used, totalBytes),
  };
}

function chassisSection(facts: Facts): NonNullable<Sections["chassis"]>[number] {
  const detail: Record<string, string> = { platform: "macOS", Vendor: "Apple" };
  const [model, version] = [facts.get("hw.model"), facts.get("kern.osproductversion")];
  if (model !== undefined) detail["Product Name"] = cleanText(model);
  if (version !== undefined) detail["OS Version"] = cleanText(version);
  return {
    total_power_watts: null,
    inlet_temperature: null,
    outlet_temperature: null,
    thermal_pressure: null,
    fan_speeds: [],
    psu_status: [],
    detail,
  };
}
