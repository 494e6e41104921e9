/** One host's reading of a tick, composed from its vendor tool's and its operating system's. */
import { ParseError } from "../contract/errors.js";
import type { SampleOptions } from "../contract/options.js";
import {
  isRecordKey,
  KEY_OF_SECTION,
  type Cpu,
  type Gpu,
  type Memory,
  type Section,
  type SectionError,
  type Sections,
} from "../contract/record.js";
import { setOwn } from "../lib/host-json.js";
import type { PartOutputs, Reading, Sampler } from "../shims/kit/shim.js";
import { joinProcesses, type KnownProcess, redact } from "./processes.js";

/** Sections that only a vendor tool reports. The operating system reports the others where the tool does not. */
export const TOOL_SECTIONS: readonly Section[] = ["gpu", "process"];

/** Parses; a ParseError becomes one entry for each section that the sampler was asked for. */
export function readSampler(sampler: Sampler, outputs: PartOutputs, sections: readonly Section[]): Reading {
  try {
    return sampler.parse(outputs);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { sections: {}, errors: failedSections(sections, "parse", error.message) };
  }
}

/** The same error for several sections. */
export function failedSections(
  sections: readonly Section[],
  kind: SectionError["kind"],
  message: string,
): readonly SectionError[] {
  return sections.map((section) => ({ section, kind, message }));
}

export interface Contribution {
  readonly system: Reading;
  readonly tool: Reading;
  /** The host's processes by pid: they fill in what the vendor tool does not report. */
  readonly ps: ReadonlyMap<number, KnownProcess>;
  /** Why an asked section is neither in what was read nor among the errors; null: the host has nothing of it. */
  unread(section: Section): string | null;
}

/**
 * Joins both readings. The tool wins where both report a section, and sections that this program does not know are passed
 * on. The host's process table fills in what the tool's processes lack, its memory is used for accelerators that have
 * none of their own, and its processor load replaces all-smi's (a snapshot of 0.22 holds the average since boot).
 * An asked section is in the result, or among its errors: all readings of a host go through this one place.
 */
export function composeReading({ include, redact: isRedacted }: SampleOptions, from: Contribution): Reading {
  const [own, tools] = [from.system.sections, from.tool.sections];
  const load = tools.cpus && own.cpus;
  // One by one: taking the known sections out of a copy of all costs as much as reading the host's /proc.
  const gpus = tools.gpus ?? own.gpus;
  const cpus = tools.cpus ?? own.cpus;
  const memory = tools.memory ?? own.memory;
  const chassis = tools.chassis ?? own.chassis;
  const processes = tools.processes ?? own.processes;
  const storage = tools.storage ?? own.storage;
  const sections: { -readonly [Key in keyof Sections]: Sections[Key] } = {};
  if (gpus && include.has("gpu")) sections.gpus = fillUnifiedMemory(gpus, memory);
  if (cpus && include.has("cpu")) sections.cpus = load === undefined ? cpus : withLoad(cpus, load);
  if (memory && include.has("memory")) sections.memory = memory;
  if (chassis && include.has("chassis")) sections.chassis = chassis;
  if (processes && include.has("process")) {
    const joined = joinProcesses(processes, from.ps, from.tool.areOurPids);
    sections.processes = isRedacted ? redact(joined) : joined;
  }
  if (storage && include.has("storage")) sections.storage = storage;
  if (own.host && include.has("host")) sections.host = own.host;
  if (own.network && include.has("network")) sections.network = own.network;
  passOn(own, sections);
  passOn(tools, sections);
  const errors = [...from.system.errors, ...from.tool.errors].filter((error) => include.has(error.section));
  for (const section of include) {
    const key = KEY_OF_SECTION[section];
    if (sections[key] !== undefined || errors.some((error) => error.section === section)) continue;
    const why = from.unread(section);
    if (why === null) sections[key] = [];
    else errors.push({ section, kind: "error", message: why });
  }
  return { sections, errors };
}

function passOn(from: Sections, sections: Sections): void {
  for (const key of Object.keys(from)) if (!isRecordKey(key)) setOwn(sections, key, Reflect.get(from, key));
}

function withLoad(cpus: readonly Cpu[], measured: readonly Cpu[]): readonly Cpu[] {
  return cpus.map((cpu, position) => {
    const own = measured[position];
    if (own === undefined) return cpu;
    const busy = new Map(own.per_socket_info.map((socket) => [socket.socket_id, socket.utilization]));
    return {
      ...cpu,
      utilization: own.utilization,
      per_core_utilization: own.per_core_utilization,
      per_socket_info: cpu.per_socket_info.map((socket) => ({
        ...socket,
        utilization: busy.get(socket.socket_id) ?? null,
      })),
    };
  });
}

/**
 * Accelerators that share the host's memory (GB10, Grace, Orin, APUs) have none of their own to report. GPUs whose
 * `memory_source` is "host" get the host's memory; the others stay as they are. Does nothing without the host's memory,
 * or where the tool itself gave a size.
 */
export function fillUnifiedMemory(
  gpus: readonly Gpu[],
  memory: readonly Memory[] | undefined,
): readonly Gpu[] {
  const host = memory?.[0];
  if (host === undefined || !gpus.some(lacksMemory)) return gpus;
  return gpus.map((gpu) => {
    if (!lacksMemory(gpu)) return gpu;
    return {
      ...gpu,
      total_memory: host.total_bytes,
      used_memory: gpu.used_memory ?? host.used_bytes,
      memory_free: gpu.memory_free ?? host.available_bytes,
    };
  });
}

function lacksMemory(gpu: Gpu): boolean {
  return gpu.memory_source === "host" && gpu.total_memory === null;
}
