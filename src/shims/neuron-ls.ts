/**
 * AWS Neuron (Inferentia, Trainium): neuron-ls lists devices and processes, neuron-monitor has their use. It prints a line
 * of JSON a period, without end, of which the first is read. Source: "Neuron LS" and "Neuron Monitor" user guides of the
 * AWS Neuron SDK, 2.29.
 */
import type { Gpu, Process, SectionError } from "../contract/record.js";
import { oneLine } from "../lib/text.js";
import { accelerator, acceleratorProcess, freeOf } from "./kit/accelerator.js";
import { bytesCell, integerCell, percentCell, presentTexts, textCell, totalCell } from "./kit/cells.js";
import { distinctDevices } from "./kit/device-list.js";
import { cutErrors, deviceTool, stdoutOf, type DevicesRead } from "./kit/device-tool.js";
import { meanOf, sumOf } from "./kit/digits.js";
import { at, findJson, isObject, type JsonObject } from "./kit/json-text.js";
import type { Part, PartOutputs } from "./kit/shim.js";

const DEVICES: Part = { id: "neuron-ls.devices", kind: "program", command: "{tool} -j" };

// Its own period is 5 s, and it needs a configuration for a shorter one. The reader ends after one line, so that the second
// gives it SIGPIPE. If that does not end it, the deadline does.
const CONFIG = JSON.stringify({
  period: "1s",
  neuron_runtimes: [
    { tag_filter: ".*", metrics: [{ type: "neuroncore_counters" }, { type: "memory_used" }] },
  ],
  system_metrics: [{ type: "neuron_hw_counters" }],
});
const MONITOR: Part = {
  id: "neuron-ls.monitor",
  kind: "shell",
  command: `printf %s "${CONFIG.replaceAll('"', '\\"')}" | b neuron-monitor -c /dev/stdin 2>&1 | head -n 1`,
};

export const neuronLsShim = deviceTool({
  id: "neuron-ls",
  // Amazon's PCI vendor id is on the network cards and disks of every EC2 instance too, and so shows nothing.
  maker: { vendor: "aws", pci: [] },
  executables: ["neuron-ls"],
  // Only a shell can end neuron-monitor.
  probe: ({ mode }) => (mode === "shell" ? [DEVICES, MONITOR] : [DEVICES]),
  read,
});

function read(outputs: PartOutputs): DevicesRead {
  const { documents, cut } = findJson(stdoutOf(outputs, DEVICES.id));
  const devices = documents.flatMap((document) => objectsIn(document)).filter(isDevice);
  const printed = stdoutOf(outputs, MONITOR.id);
  const report = findJson(printed).documents.find((one) => at(one, "neuron_hardware_info") !== undefined);
  const gpus = devices.map((device) => gpuOf(device, report));
  return {
    gpus: distinctDevices(gpus),
    processes: devices.flatMap(processesOf),
    errors: [...cutErrors("neuron-ls", cut), ...monitorErrors(outputs.has(MONITOR.id), printed, report)],
  };
}

function objectsIn(document: unknown): readonly JsonObject[] {
  return (Array.isArray(document) ? (document as readonly unknown[]) : [document]).filter(isObject);
}

function isDevice(device: JsonObject): boolean {
  return integerCell(device["neuron_device"]) !== null;
}

/** Without a report, the devices have no readings. */
function monitorErrors(wasAsked: boolean, printed: string, report: unknown): readonly SectionError[] {
  if (!wasAsked) return [];
  const own = textCell(at(report, "neuron_hardware_info", "error"));
  if (report !== undefined && own === null) return [];
  const why = own ?? (printed.trim() === "" ? "it printed no report" : printed);
  return [{ section: "gpu", kind: "error", message: `neuron-monitor: ${oneLine(why)}` }];
}

function gpuOf(device: JsonObject, report: unknown): Gpu {
  const index = integerCell(device["neuron_device"]);
  const cores = coresOf(device);
  const total = totalCell(device["memory_size"], "B");
  const used = report === undefined ? null : memoryOf(report, cores);
  const counters = objectsIn(at(report, "system_data", "neuron_hw_counters", "neuron_devices")).find(
    (one) => integerCell(one["neuron_device_index"]) === index,
  );
  return accelerator("NPU", {
    index,
    name: textCell(at(report, "neuron_hardware_info", "neuron_device_type")),
    pci_bus_id: textCell(device["bdf"]),
    numa_node_id: integerCell(device["numa_node"]),
    utilization: report === undefined ? null : utilizationOf(report, cores),
    total_memory: total,
    used_memory: used,
    memory_free: freeOf(total, used),
    ecc_corrected_since_load: eccOf(counters, "corrected"),
    ecc_uncorrected_since_load: eccOf(counters, "uncorrected"),
    detail: presentTexts({
      neuron_cores: textCell(device["nc_count"]),
      neuroncore_ids: cores.join(","),
      logical_neuroncore_config: textCell(device["logical_neuroncore_config"]),
      neuron_device_version: textCell(at(report, "neuron_hardware_info", "neuron_device_version")),
      instance_type: textCell(at(report, "instance_info", "instance_type")),
    }),
  });
}

/** The host's numbers of the device's cores; earlier releases list none and number them in the order of the devices. */
function coresOf(device: JsonObject): readonly number[] {
  const listed = device["neuroncore_ids"];
  if (Array.isArray(listed)) return listed.map(integerCell).filter((core) => core !== null);
  const count = integerCell(device["nc_count"]);
  const index = integerCell(device["neuron_device"]);
  if (count === null || index === null || count > 64) return [];
  return Array.from({ length: count }, (_, place) => index * count + place);
}

/** What each application reports of itself; null where one could not be read. */
function reportsIn(report: unknown, group: string): readonly JsonObject[] | null {
  const groups: JsonObject[] = [];
  for (const application of objectsIn(at(report, "neuron_runtime_data"))) {
    const found = at(application, "report", group);
    const errors = [application["error"], at(found, "error")].map(textCell);
    if (!isObject(found) || errors.some((error) => error !== null)) return null;
    groups.push(found);
  }
  return groups;
}

/** Mean over the device's cores. Only cores in use are listed: one that is not listed is idle. */
function utilizationOf(report: unknown, cores: readonly number[]): number | null {
  const groups = reportsIn(report, "neuroncore_counters");
  if (groups === null) return null;
  const busy = cores.map((core) =>
    groups.map((group) => at(group, "neuroncores_in_use", String(core))).find((one) => one !== undefined),
  );
  const shares = busy.map((core) =>
    core === undefined ? 0 : percentCell(at(core, "neuroncore_utilization")),
  );
  const known = shares.filter((share) => share !== null);
  return known.length < cores.length ? null : meanOf(known);
}

/** Bytes that all applications together use on the device's cores. */
function memoryOf(report: unknown, cores: readonly number[]): number | null {
  const groups = reportsIn(report, "memory_used");
  if (groups === null || cores.length === 0) return null;
  const used: number[] = [];
  for (const group of groups) {
    const byCore = at(group, "neuron_runtime_used_bytes", "usage_breakdown", "neuroncore_memory_usage");
    if (!isObject(byCore)) return null;
    for (const core of cores) {
      const kinds = byCore[String(core)];
      if (isObject(kinds)) used.push(...Object.values(kinds).map((bytes) => bytesCell(bytes, "B") ?? 0));
    }
  }
  return bytesCell(sumOf(used), "B");
}

/** Events of the device's DRAM and SRAM together. */
function eccOf(counters: JsonObject | undefined, kind: "corrected" | "uncorrected"): number | null {
  const parts = ["mem", "sram"].map((memory) => integerCell(counters?.[`${memory}_ecc_${kind}`]));
  const known = parts.filter((part) => part !== null);
  return known.length === 0 ? null : sumOf(known);
}

function processesOf(device: JsonObject): readonly Process[] {
  return objectsIn(device["neuron_processes"]).flatMap((process) => {
    const pid = integerCell(process["pid"]);
    if (pid === null || pid === 0) return [];
    const command = textCell(process["command"]);
    return [
      acceleratorProcess({
        pid,
        process_name: command?.split(" ")[0]?.replace(/^.*\//, "") ?? null,
        command,
        device_id: integerCell(device["neuron_device"]),
        device_uuid: null,
        used_memory: null,
      }),
    ];
  });
}
