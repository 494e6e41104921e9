/** One host's reading of a tick, from what its vendor tool and its operating system told. */
import { ParseError } from "../contract/errors.js";
import type { SampleOptions } from "../contract/options.js";
import {
  isRecordKey,
  KEY_OF_SECTION,
  type Cpu,
  type Section,
  type SectionError,
  type Sections,
} from "../contract/record.js";
import { setOwn } from "../lib/host-json.js";
import type { PartOutputs, Reading, Sampler } from "../shims/kit/shim.js";
import { joinProcesses, type KnownProcess, redact } from "./processes.js";
import { fillUnifiedMemory } from "./unified-memory.js";

/** Sections that only a vendor tool can tell; the rest is the operating system's where the tool does not tell it. */
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
  /** The host's processes by pid, for what the vendor tool does not know of its own. */
  readonly ps: ReadonlyMap<number, KnownProcess>;
  /** Why an asked section is neither in what was read nor among the errors. */
  unread(section: Section): string;
}

/**
 * Joins what both told: the tool's word wins where both tell a section, and sections that this program does not know are
 * passed on. The host's process table fills what the tool's processes lack, its memory stands in for accelerators that
 * have none of their own, and its processor load for all-smi's (one snapshot of 0.22 tells the average since boot).
 * An asked section is in the result, or among its errors: this is the one place that all readings of a host go through.
 */
export function composeReading({ include, redact: isRedacted }: SampleOptions, told: Contribution): Reading {
  const [own, tools] = [told.system.sections, told.tool.sections];
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
    const joined = joinProcesses(processes, told.ps, told.tool.areOurPids);
    sections.processes = isRedacted ? redact(joined) : joined;
  }
  if (storage && include.has("storage")) sections.storage = storage;
  passOn(own, sections);
  passOn(tools, sections);
  const errors = [...told.system.errors, ...told.tool.errors].filter((error) => include.has(error.section));
  for (const section of include)
    if (sections[KEY_OF_SECTION[section]] === undefined && !errors.some((error) => error.section === section))
      errors.push({ section, kind: "error", message: told.unread(section) });
  return { sections, errors };
}

function passOn(told: Sections, sections: Sections): void {
  for (const key of Object.keys(told)) if (!isRecordKey(key)) setOwn(sections, key, Reflect.get(told, key));
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
