/** The CPU section of a Linux host, from the facts of the probe and each tick's counters. */
import type { Cpu, CpuSocket } from "../contract/record.js";
import { parseCpuSensors, wattsBetween, type CpuSensors } from "./cpu-sensors.js";
import type { LinuxFacts } from "./linux-facts.js";
import { percentOf } from "./numbers.js";
import { createCpuCounters, type CpuCounters, type CpuUsage } from "./proc-stat.js";

export interface LinuxCpuReader {
  /**
   * `lines`: of the sensors, /proc/stat and /proc/loadavg. `isProbe`: the facts were read at the same time, so that their
   * current clock is of now. Null when there are no counters. Utilization and power are null in the first reading.
   */
  read(lines: readonly string[], isProbe: boolean): Cpu | null;
}

export function createLinuxCpuReader(facts: LinuxFacts): LinuxCpuReader {
  const counters = createCpuCounters();
  let cpuCount = 0;
  let fixed: ReturnType<typeof cpuFacts> | null = null;
  let sensorsBefore: CpuSensors | null = null;
  const cores = coresOfSockets(facts);
  return {
    read(lines, isProbe) {
      const hasCounters = counters.read(lines);
      const sensors = parseCpuSensors(lines);
      // The number of CPUs may change between ticks; nothing else of the facts does.
      if (fixed === null || cpuCount !== counters.cpus.length) {
        cpuCount = counters.cpus.length;
        fixed = cpuFacts(facts, cpuCount);
      }
      // Not `{ ...fixed, utilization: ... }`: V8 shares no hidden class between such objects, and takes five times as long.
      const cpu = hasCounters
        ? Object.assign({}, fixed, {
            utilization: percentage(counters.ofTotal()),
            temperature: sensors.temperature,
            power_consumption: wattsBetween(sensorsBefore, sensors),
            per_socket_info: sockets(facts, cores, counters, sensors, isProbe),
            apple_silicon_info: null,
            per_core_utilization: counters.cpus.map((cpu) => ({
              core_id: cpu,
              core_type: facts.coreTypes.get(cpu) ?? "Standard",
              utilization: percentage(counters.ofCpu(cpu)),
            })),
            load_average: loadAverage(lines),
          })
        : null;
      sensorsBefore = sensors;
      return cpu;
    },
  };
}

/** The busy share of the time between two readings; null when no time passed. */
function percentage(usage: CpuUsage | null): number | null {
  return usage === null ? null : percentOf(usage.busy, usage.elapsed);
}

function cpuFacts(
  facts: LinuxFacts,
  cpuCount: number,
): Pick<
  Cpu,
  | "index"
  | "cpu_model"
  | "architecture"
  | "platform_type"
  | "socket_count"
  | "total_cores"
  | "total_threads"
  | "base_frequency_mhz"
  | "max_frequency_mhz"
  | "cache_size_mb"
> & { readonly physical_cores: number | null } {
  const { info } = facts;
  const threads = cpuCount > 0 ? cpuCount : info.processors;
  return {
    index: 0,
    cpu_model: info.model,
    architecture: facts.machine,
    platform_type: info.platform ?? { Other: "Unknown" },
    socket_count: socketCount(facts),
    total_cores: threads,
    total_threads: threads,
    base_frequency_mhz: facts.baseMhz,
    max_frequency_mhz: facts.maxMhz,
    cache_size_mb: facts.cacheMib,
    physical_cores: facts.physicalCores.length > 0 ? facts.physicalCores.length : info.physicalCores,
    ...(facts.offline > 0 ? { offline_cpus: facts.offline } : {}),
    ...(facts.allowed !== null && threads !== null && facts.allowed < threads
      ? { allowed_cpus: facts.allowed }
      : {}),
    ...(facts.cpuQuota === null ? {} : { cpu_quota: facts.cpuQuota }),
  };
}

function socketCount({ sockets, info }: LinuxFacts): number | null {
  return sockets.length > 0 ? sockets.length : info.sockets;
}

/** How many physical cores each socket has; null where the kernel does not report them. */
function coresOfSockets({ sockets, physicalCores }: LinuxFacts): readonly (number | null)[] {
  const socketOf = new Map(sockets.flatMap((cpus, socket) => cpus.map((cpu) => [cpu, socket] as const)));
  const counts = sockets.map(() => 0);
  for (const [first] of physicalCores) {
    const socket = first === undefined ? undefined : socketOf.get(first);
    if (socket !== undefined) counts[socket] = (counts[socket] ?? 0) + 1;
  }
  return counts.map((count) => count || null);
}

function sockets(
  facts: LinuxFacts,
  cores: readonly (number | null)[],
  counters: CpuCounters,
  sensors: CpuSensors,
  isProbe: boolean,
): readonly CpuSocket[] {
  const isOnly = facts.sockets.length === 1;
  return facts.sockets.map((cpus, id) => ({
    socket_id: id,
    utilization: percentage(counters.ofCpus(cpus)),
    cores: cores[id] ?? null,
    threads: cpus.length,
    // Nothing on the host maps several k10temp devices to their sockets.
    temperature: sensors.packages.get(id) ?? (isOnly ? sensors.temperature : null),
    frequency_mhz: isProbe && isOnly ? facts.info.currentMhz : null,
  }));
}

function loadAverage(lines: readonly string[]): readonly [number | null, number | null, number | null] {
  for (const line of lines) {
    // It begins with a digit; a large host has several hundred other lines.
    const first = line.charCodeAt(0);
    if (first < 0x30 || first > 0x39) continue;
    const match = /^(\d{1,6}\.\d\d) (\d{1,6}\.\d\d) (\d{1,6}\.\d\d) \d+\/\d+/.exec(line);
    if (match !== null) return [Number(match[1]), Number(match[2]), Number(match[3])];
  }
  return [null, null, null];
}
