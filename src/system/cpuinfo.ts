/**
 * /proc/cpuinfo of x86, ARM, POWER, s390x, RISC-V and LoongArch. The host sends only the lines that are used, each with
 * its count: the file has 400 KiB for 256 CPUs, the counted lines fit on one screen.
 */
import type { Cpu } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import { armCoreName } from "./arm-cores.js";
import { wholeNumber } from "./numbers.js";

/**
 * Which lines are read of these files, as an extended regular expression of their beginnings. /proc/self/status and
 * /proc/mounts are read by the same program: which CPUs our processes may use, and whether /proc is the kernel's.
 * `processor :` without a digit is the model on old 32-bit ARM. s390x lists CPUs as `processor 0: version = ...`, and has
 * their number in `# processors`.
 */
export const CPUINFO_LINES =
  `vendor_id|model name|cpu model|cpu[[:blank:]]*:|cpu mhz|clock[[:blank:]]*:|machine[[:blank:]]*:|` +
  `model[[:blank:]]*:|platform[[:blank:]]*:|# processors|processor 0:|processor[[:blank:]]*:[[:blank:]]*[a-z]|` +
  `cpu implementer|cpu part|physical id|cpu cores|cache size|uarch|isa[[:blank:]]*:|bogomips|` +
  `Cpus_allowed_list:|proc /proc proc `;
export const CPUINFO_FILES = "/proc/cpuinfo /proc/self/status /proc/mounts";

export interface CpuInfo {
  readonly model: string | null;
  readonly platform: Cpu["platform_type"] | null;
  /** Processors that the kernel runs on; null when it does not report them. */
  readonly processors: number | null;
  readonly sockets: number | null;
  readonly physicalCores: number | null;
  /** Nominal clock, from the model's name or the kernel. */
  readonly baseMhz: number | null;
  /** Mean over all CPUs at the time of the reading. */
  readonly currentMhz: number | null;
  readonly cacheKib: number | null;
  /** The machine's model on POWER. */
  readonly machine: string | null;
}

/** By lower-case key: each value with the number of CPUs that have it, most frequent first. */
type Tallies = ReadonlyMap<string, readonly { readonly value: string; readonly count: number }[]>;

/** `machine`: from `uname -m`. `processorCount`: as older captures have it, counted separately. */
export function parseCpuinfo(
  tallyLines: readonly string[],
  processorCount: string | undefined,
  machine: string | null,
): CpuInfo {
  const tallies = tallied(tallyLines);
  const first = (key: string): string | null => tallies.get(key)?.[0]?.value ?? null;
  const s390Machine = /machine = (\w+)/.exec(first("processor 0") ?? "")?.[1];
  const model =
    s390Machine !== undefined
      ? `IBM ${Z_MODELS.get(s390Machine) ?? "Z"} (${s390Machine})`
      : modelName(tallies, machine);
  const powerMachine = first("cpu") === null ? null : (first("machine") ?? first("model"));
  const sockets = tallies.get("physical id")?.length ?? null;
  const coresPerSocket = wholeNumber(first("cpu cores") ?? undefined);
  const counted = wholeNumber(first("# processors") ?? processorCount?.trim()) ?? mostReported(tallies);
  return {
    model: model === null ? null : cleanText(model),
    platform: platformOf(first("vendor_id"), first("cpu implementer"), machine, s390Machine !== undefined),
    processors: counted === 0 ? null : counted,
    sockets,
    physicalCores: sockets === null || !coresPerSocket ? null : sockets * coresPerSocket,
    baseMhz: nominalMhz(model) ?? positive(first("cpu mhz static")),
    currentMhz:
      mean(tallies.get("cpu mhz")) ?? mean(tallies.get("cpu mhz dynamic")) ?? mean(tallies.get("clock")),
    // The last level of one socket on Intel; on AMD it is a core's second level.
    cacheKib:
      first("vendor_id") === "GenuineIntel"
        ? wholeNumber(/^(\d+) KB$/.exec(first("cache size") ?? "")?.[1])
        : null,
    machine: powerMachine === null || powerMachine === "" ? null : powerMachine,
  };
}

/** The number of processors: a property that every processor has is listed once for each. */
function mostReported(tallies: Tallies): number {
  const counts = [...tallies.values()].map((values) => values.reduce((sum, { count }) => sum + count, 0));
  return counts.reduce((max, count) => Math.max(max, count), 0);
}

function tallied(lines: readonly string[]): Tallies {
  const tallies = new Map<string, { value: string; count: number }[]>();
  for (const line of lines) {
    const match = /^\s*(\d+)\s([^:]+):(.*)$/.exec(line);
    const count = wholeNumber(match?.[1]);
    if (match === null || count === null) continue;
    const key = (match[2] ?? "").trim().toLowerCase();
    const values = tallies.get(key) ?? [];
    values.push({ value: (match[3] ?? "").trim(), count });
    tallies.set(key, values);
  }
  for (const values of tallies.values()) values.sort((a, b) => b.count - a.count);
  return tallies;
}

function modelName(tallies: Tallies, machine: string | null): string | null {
  const first = (key: string): string | null => tallies.get(key)?.[0]?.value || null;
  const implementer = first("cpu implementer");
  const parts = (tallies.get("cpu part") ?? []).map(({ value }) => value);
  const cores = implementer === null ? [] : parts.map((part) => armCoreName(implementer, part));
  const known = cores.filter((name) => name !== null);
  const arm = known.length > 0 ? known.join(" + ") : null;
  // 64-bit ARM kernels report no name, or only that of the instruction set (`ARMv8 Processor rev 1 (v8l)`).
  if (machine === "aarch64" && arm !== null) return arm;
  return (
    first("model name") ?? first("cpu model") ?? first("cpu") ?? first("uarch") ?? first("processor") ?? arm
  );
}

const VENDORS: ReadonlyMap<string, Cpu["platform_type"]> = new Map<string, Cpu["platform_type"]>([
  ["GenuineIntel", "Intel"],
  ["AuthenticAMD", "Amd"],
  ["HygonGenuine", { Other: "Hygon" }],
  ["CentaurHauls", { Other: "Zhaoxin" }],
  ["  Shanghai  ", { Other: "Zhaoxin" }],
]);

function platformOf(
  vendor: string | null,
  implementer: string | null,
  machine: string | null,
  isZ: boolean,
): Cpu["platform_type"] | null {
  const known = vendor === null ? undefined : VENDORS.get(vendor);
  if (known !== undefined) return known;
  if (implementer !== null || /^(aarch64|arm)/.test(machine ?? "")) return "Arm";
  if (isZ || machine?.startsWith("s390") === true) return { Other: "IBM Z" };
  if (machine?.startsWith("ppc") === true) return { Other: "POWER" };
  if (machine?.startsWith("riscv") === true) return { Other: "RISC-V" };
  if (machine?.startsWith("loongarch") === true) return { Other: "LoongArch" };
  const named = vendor ?? machine;
  return named === null ? null : { Other: cleanText(named) };
}

/** Machine types of s390x. Source: IBM's list "Machine types and models". */
const Z_MODELS = new Map([
  ["2097", "z10 EC"],
  ["2098", "z10 BC"],
  ["2817", "z196"],
  ["2818", "z114"],
  ["2827", "zEC12"],
  ["2828", "zBC12"],
  ["2964", "z13"],
  ["2965", "z13s"],
  ["3906", "z14"],
  ["3907", "z14 ZR1"],
  ["8561", "z15"],
  ["8562", "z15 T02"],
  ["3931", "z16"],
  ["3932", "z16 A02"],
  ["9175", "z17"],
]);

/** From the end of Intel's names: `@ 2.80GHz`. */
function nominalMhz(model: string | null): number | null {
  const match = /@ (\d+(?:\.\d+)?)\s?([GM])Hz/.exec(model ?? "");
  return match === null ? null : positive(String(Number(match[1]) * (match[2] === "G" ? 1000 : 1)));
}

function mean(values: readonly { value: string; count: number }[] | undefined): number | null {
  let sum = 0;
  let count = 0;
  for (const entry of values ?? []) {
    const mhz = positive(/^(\d{1,6}(?:\.\d+)?)(?:MHz)?$/.exec(entry.value)?.[1] ?? null);
    if (mhz === null) continue;
    sum += mhz * entry.count;
    count += entry.count;
  }
  return count === 0 ? null : Math.round((sum / count) * 1000) / 1000;
}

/** MHz; null when no CPU could have that clock. */
function positive(text: string | null): number | null {
  const value = Number(text);
  return text !== null && value > 0 && value < 100_000 ? Math.round(value * 1000) / 1000 : null;
}
