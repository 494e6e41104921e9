/** The sections that a Linux host tells of itself, from /proc and /sys alone, with no more rights than any account has. */
import type { Chassis, Section, SectionError, Sections } from "../contract/record.js";
import { partError } from "../shims/kit/part-output.js";
import type { Part, PartOutput, PartOutputs, Sampler } from "../shims/kit/shim.js";
import { CHASSIS_SENSORS, parseChassisSensors } from "./chassis-sensors.js";
import { LINUX_STORAGE, parseDf } from "./df.js";
import type { HostSystem } from "./host-system.js";
import { createLinuxCpuReader } from "./linux-cpu.js";
import { LINUX_FACTS, parseLinuxFacts } from "./linux-facts.js";
import { parseMeminfo } from "./proc-meminfo.js";
import { PROC_ID, probeProcPart, tickProcPart } from "./proc-part.js";
import { LINUX_PS } from "./ps.js";

type Include = ReadonlySet<Section>;

function tickParts(include: Include, proc: Part): readonly Part[] {
  return [
    ...(include.has("cpu") || include.has("memory") ? [proc] : []),
    ...(include.has("chassis") ? [CHASSIS_SENSORS] : []),
    ...(include.has("storage") ? [LINUX_STORAGE] : []),
    ...(include.has("process") ? [LINUX_PS] : []),
  ];
}

/** With `process`, `host.ps` is among the parts for PsReader. */
export const linux: HostSystem = {
  id: "linux",
  uname: "Linux",
  probe(include) {
    const tick = tickParts(include, probeProcPart(include));
    return tick.some(({ id }) => id === PROC_ID || id === CHASSIS_SENSORS.id) ? [LINUX_FACTS, ...tick] : tick;
  },
  sampler: createLinuxSampler,
};

/** `parse` never throws: what failed stands in `errors`, and its section is left out. */
function createLinuxSampler(probe: PartOutputs, include: Include): Sampler {
  const facts = parseLinuxFacts(probe.get(LINUX_FACTS.id)?.stdout ?? "");
  const cpuReader = createLinuxCpuReader(facts);
  const sensorsAtProbe = probe.get(CHASSIS_SENSORS.id);
  const hasNoSensors = sensorsAtProbe?.end.kind === "exit" && sensorsAtProbe.stdout.trim() === "";
  // A driver that hangs once does so again, and would make every tick wait.
  const isHanging = sensorsAtProbe?.end.kind === "timeout";

  return {
    parts: tickParts(include, tickProcPart(include, facts, probe)).filter(
      ({ id }) => id !== CHASSIS_SENSORS.id || !(hasNoSensors || isHanging),
    ),
    parse(outputs) {
      const errors: SectionError[] = [];
      const proc = outputs.get(PROC_ID);
      const lines = (proc?.stdout ?? "").split("\n");
      const missing = (section: Section, what: string, output: PartOutput | undefined): void => {
        const fallback: SectionError = {
          section,
          kind: "parse",
          message: `${what} told nothing that can be read`,
        };
        errors.push(partError(section, what, output) ?? fallback);
      };
      const sections: { -readonly [K in keyof Sections]: Sections[K] } = {};
      if (include.has("cpu")) {
        const cpu = cpuReader.read(lines, outputs.has(LINUX_FACTS.id));
        if (cpu === null) missing("cpu", "/proc/stat", proc);
        else sections.cpus = [cpu];
      }
      if (include.has("memory")) {
        const memory = parseMeminfo(lines, facts.memoryLimit);
        if (memory === null) missing("memory", "/proc/meminfo", proc);
        else sections.memory = [memory];
      }
      if (include.has("chassis")) {
        const sensors = outputs.get(CHASSIS_SENSORS.id);
        const asked = isHanging ? sensorsAtProbe : sensors;
        if (!hasNoSensors && endedEarly(asked)) missing("chassis", "/sys/class/hwmon", asked);
        sections.chassis = [chassis(sensors?.stdout ?? "", facts.chassisDetail)];
      }
      if (include.has("storage")) {
        const df = outputs.get(LINUX_STORAGE.id);
        const storage = parseDf(df?.stdout ?? "");
        if (endedEarly(df) || (storage.length === 0 && df?.stdout !== "")) missing("storage", "df", df);
        if (storage.length > 0 || df?.end.kind === "exit") sections.storage = storage;
      }
      return { sections, errors };
    },
  };
}

/** A part that did not come to its end by itself. A status other than 0 alone is no failure: one of many files is not there. */
function endedEarly(output: PartOutput | undefined): boolean {
  return output?.end.kind !== "exit";
}

function chassis(sensors: string, detail: Readonly<Record<string, string>>): Chassis {
  return Object.assign(parseChassisSensors(sensors), { thermal_pressure: null, psu_status: [], detail });
}
