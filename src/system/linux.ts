/** A Linux host's own sections, from /proc and /sys, `df` and `ps`. No special rights are needed. */
import type { Chassis, Section, SectionError, Sections } from "../contract/record.js";
import { sharedValue } from "../lib/shared-values.js";
import { partError } from "../shims/kit/part-output.js";
import type { Part, PartOutput, PartOutputs, Sampler } from "../shims/kit/shim.js";
import { CHASSIS_SENSORS, parseChassisSensors } from "./chassis-sensors.js";
import { LINUX_STORAGE, parseDf } from "./df.js";
import { HOST_STATE, parseHostState } from "./host-state.js";
import { unreadable, type HostSystem } from "./host-system.js";
import { createLinuxCpuReader } from "./linux-cpu.js";
import { LINUX_FACTS } from "./linux-facts-part.js";
import { parseLinuxFacts } from "./linux-facts.js";
import { NETWORK, parseNetwork } from "./network.js";
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
    ...(include.has("host") ? [HOST_STATE] : []),
    ...(include.has("network") ? [NETWORK] : []),
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

/** `parse` never throws: a section that cannot be read is left out, and has an entry in `errors`. */
function createLinuxSampler(probe: PartOutputs, include: Include): Sampler {
  const facts = parseLinuxFacts(probe.get(LINUX_FACTS.id)?.stdout ?? "");
  const cpuReader = createLinuxCpuReader(facts);
  const sensorsAtProbe = probe.get(CHASSIS_SENSORS.id);
  const hasNoSensors = sensorsAtProbe?.end.kind === "exit" && sensorsAtProbe.stdout.trim() === "";
  // A driver that hung once will hang again, and would delay every tick.
  const isHanging = sensorsAtProbe?.end.kind === "timeout";
  const partsAfter = (outputs: PartOutputs): readonly Part[] =>
    sharedValue(
      tickParts(include, tickProcPart(include, facts, outputs)).filter(
        ({ id }) => id !== CHASSIS_SENSORS.id || !(hasNoSensors || isHanging),
      ),
    );
  // A run of one tick never asks for them. The probe's outputs are not kept beyond that: a sampler lives for hours.
  let parts: readonly Part[] | null = null;
  let probed: PartOutputs | null = probe;

  return {
    get parts() {
      parts ??= partsAfter(probed ?? NO_OUTPUTS);
      probed = null;
      return parts;
    },
    parse(outputs) {
      const errors: SectionError[] = [];
      const proc = outputs.get(PROC_ID);
      const lines = (proc?.stdout ?? "").split("\n");
      const missing = (section: Section, what: string, output: PartOutput | undefined): void => {
        errors.push(partError(section, what, output) ?? unreadable(section, what));
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
        const lastOutput = isHanging ? sensorsAtProbe : sensors;
        if (!hasNoSensors && endedEarly(lastOutput)) missing("chassis", "/sys/class/hwmon", lastOutput);
        sections.chassis = [chassis(sensors?.stdout ?? "", facts.chassisDetail)];
      }
      if (include.has("storage")) {
        const df = outputs.get(LINUX_STORAGE.id);
        const storage = parseDf(df?.stdout ?? "");
        if (endedEarly(df) || (storage.length === 0 && df?.stdout !== "")) missing("storage", "df", df);
        if (storage.length > 0 || df?.end.kind === "exit") sections.storage = storage;
      }
      if (include.has("host")) {
        const output = outputs.get(HOST_STATE.id);
        const host = parseHostState(output?.stdout ?? "");
        if (host === null) missing("host", "/proc", output);
        else sections.host = [host];
      }
      if (include.has("network")) {
        const output = outputs.get(NETWORK.id);
        if (endedEarly(output)) missing("network", "/sys/class/net", output);
        else sections.network = parseNetwork(output?.stdout ?? "");
      }
      return { sections, errors };
    },
  };
}

const NO_OUTPUTS: PartOutputs = new Map();

/** A part that did not exit by itself. An exit status other than 0 is no failure here: one of many files may be missing. */
function endedEarly(output: PartOutput | undefined): boolean {
  return output?.end.kind !== "exit";
}

function chassis(sensors: string, detail: Readonly<Record<string, string>>): Chassis {
  return Object.assign(parseChassisSensors(sensors), { thermal_pressure: null, psu_status: [], detail });
}
