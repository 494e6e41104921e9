/**
 * Rebellions' rbln-smi, earlier rbln-stat: `-j` prints one JSON document, otherwise it prints tables. Source: docs.rbln.ai
 * "Device Monitoring" (0.10 and 0.12) and all-smi's reader.
 */
import type { Gpu, Process } from "../contract/record.js";
import { accelerator, acceleratorProcess, freeOf } from "./kit/accelerator.js";
import { boxRows } from "./kit/box-table.js";
import {
  bytesCell,
  celsiusCell,
  integerCell,
  linkCell,
  percentCell,
  presentTexts,
  textCell,
  totalCell,
  wattsCell,
  type ByteUnit,
} from "./kit/cells.js";
import { distinctDevices } from "./kit/device-list.js";
import { cutErrors, deviceTool, stdoutOf, type DevicesRead } from "./kit/device-tool.js";
import { at, findJson, isObject, type JsonObject } from "./kit/json-text.js";
import { pcieGeneration } from "./kit/pcie.js";

const STATUS = "rbln-smi.status";

export const rblnSmiShim = deviceTool({
  id: "rbln-smi",
  maker: { vendor: "rebellions", pci: ["0x1eff"] },
  executables: ["rbln-smi", "rbln-stat"],
  probe: () => [{ id: STATUS, kind: "program", command: "{tool} -j" }],
  read: (outputs) => read(stdoutOf(outputs, STATUS)),
});

function read(stdout: string): DevicesRead {
  const { documents, cut } = findJson(stdout);
  const driver = documents
    .map((document) => textCell(at(document, "KMD_version")))
    .find((text) => text !== null);
  const devices = documents.flatMap((document) => listAt(document, "devices"));
  const found =
    devices.length > 0 ? devices.map((device) => gpuOf(device, driver ?? null)) : tableGpus(stdout);
  const gpus = distinctDevices(found.filter(isNamed), dieNumber);
  const unit = bareUnit(at(devices[0], "memory", "total"));
  // The dies of a card share its number, which then does not identify a context's die.
  const numbers = new Set(found.map(({ index }) => index));
  const deviceOf = deviceFinder(gpus, numbers.size === gpus.length);
  const processes = documents
    .flatMap((document) => listAt(document, "contexts"))
    .flatMap((context) => processOf(context, deviceOf(context), unit));
  return { gpus, processes, errors: cutErrors("rbln-smi", cut) };
}

// No host has that many.
const MAX_ENTRIES = 4096;

function listAt(document: unknown, key: string): readonly JsonObject[] {
  const list = at(document, key);
  return Array.isArray(list) ? list.slice(0, MAX_ENTRIES).filter(isObject) : [];
}

function isNamed(gpu: Gpu): boolean {
  return [gpu.index, gpu.uuid, gpu.pci_bus_id, gpu.detail["device"]].some((name) => (name ?? null) !== null);
}

/** `rbln12` -> 12. */
function dieNumber(gpu: Gpu): number | null {
  return integerCell(/^(?:\/dev\/)?rbln(\d{1,4})$/.exec(gpu.detail["device"] ?? "")?.[1]);
}

/** Finds a context's device by its device file, else by its number, if no two devices share one. */
function deviceFinder(gpus: readonly Gpu[], isUnique: boolean): (context: JsonObject) => Gpu | undefined {
  const byFile = new Map(gpus.map((gpu) => [gpu.detail["device"], gpu]));
  const byNumber = new Map(gpus.map((gpu) => [gpu.index, gpu]));
  return (context) => {
    const file = textCell(context["device"]);
    if (file !== null) return byFile.get(file);
    const number = integerCell(context["npu"]);
    return isUnique && number !== null ? byNumber.get(number) : undefined;
  };
}

function gpuOf(device: JsonObject, driver: string | null): Gpu {
  const unit = bareUnit(at(device, "memory", "total"));
  const total = totalCell(at(device, "memory", "total"), unit);
  const used = bytesCell(at(device, "memory", "used"), unit);
  return accelerator("NPU", {
    index: integerCell(device["npu"]),
    uuid: textCell(device["uuid"]),
    name: textCell(device["name"]),
    serial: textCell(device["sid"]),
    pci_bus_id: textCell(at(device, "pci", "bus_id")),
    driver_version: driver,
    utilization: percentCell(device["util"]),
    temperature: celsiusCell(device["temperature"]),
    power_consumption: wattsCell(device["card_power"]),
    total_memory: total,
    used_memory: used,
    memory_free: freeOf(total, used),
    performance_state: performanceState(device["pstate"]),
    numa_node_id: integerCell(at(device, "pci", "numa_node")),
    pcie_link_width: linkCell(at(device, "pci", "link_width")),
    pcie_link_gen: pcieGeneration(textCell(at(device, "pci", "link_speed"))),
    health_status: textCell(device["status"]),
    detail: presentTexts({
      device: textCell(device["device"]),
      status: textCell(device["status"]),
      firmware: textCell(device["fw_ver"]),
      board: textCell(device["board_info"]),
      link_speed: textCell(at(device, "pci", "link_speed")),
      group_id: textCell(device["group_id"]),
    }),
  });
}

/** The unit of bare numbers. A device has gigabytes, so that a total below 16 Mi cannot be bytes. */
function bareUnit(total: unknown): ByteUnit {
  const number = integerCell(total);
  return number !== null && number < 2 ** 24 ? "MiB" : "B";
}

/** `P14` */
function performanceState(raw: unknown): number | null {
  return integerCell(textCell(raw)?.replace(/^P/i, ""));
}

/** From the table of releases without JSON: `Memory(used/total)` as `2.4GiB / 15.7GiB`. */
function tableGpus(stdout: string): readonly Gpu[] {
  const driver = textCell(/KMD ver:\s*(\S+)/.exec(stdout)?.[1]);
  return boxRows(stdout).map((row) => {
    const [used, total] = (row["Memory(used/total)"] ?? "").split("/").map((cell) => bytesCell(cell, "B"));
    return accelerator("NPU", {
      index: integerCell(row["NPU"]),
      name: textCell(row["Name"]),
      pci_bus_id: textCell(row["PCI BUS ID"]),
      driver_version: driver,
      utilization: percentCell(row["Util"]),
      temperature: celsiusCell(row["Temp"]),
      power_consumption: wattsCell(row["Power"]),
      total_memory: total ?? null,
      used_memory: used ?? null,
      memory_free: freeOf(total ?? null, used ?? null),
      performance_state: performanceState(row["Perf"]),
      detail: presentTexts({ device: textCell(row["Device"]) }),
    });
  });
}

function processOf(context: JsonObject, device: Gpu | undefined, unit: ByteUnit): readonly Process[] {
  const pid = integerCell(context["pid"]);
  if (pid === null || pid === 0) return [];
  const command = textCell(context["cmd"]) ?? textCell(context["process"]);
  return [
    acceleratorProcess({
      pid,
      process_name: command?.split(" ")[0]?.replace(/^.*\//, "") ?? null,
      command,
      device_id: device?.index ?? null,
      device_uuid: device?.uuid ?? null,
      used_memory: bytesCell(context["memory"], unit),
    }),
  ];
}
