/**
 * Furiosa's furiosa-smi (RNGD, and Warboy's with --output instead of --format), and its predecessor furiosactl, which
 * prints only a table. Source: Furiosa's "SMI CLI" pages, 2024.1 to 2026.1, and the furiosa-sdk's cli.rst.
 */
import type { Gpu, Process } from "../contract/record.js";
import { accelerator, acceleratorProcess, freeOf, uuidsByIndex } from "./kit/accelerator.js";
import { boxRows } from "./kit/box-table.js";
import {
  bytesCell,
  celsiusCell,
  integerCell,
  megahertzCell,
  percentCell,
  presentTexts,
  textCell,
  totalCell,
  wattsCell,
} from "./kit/cells.js";
import { distinctDevices } from "./kit/device-list.js";
import { cutErrors, deviceTool, stdoutOf, type DevicesRead } from "./kit/device-tool.js";
import { meanOf } from "./kit/digits.js";
import { at, findJson, firstOf, isObject, type JsonObject } from "./kit/json-text.js";
import type { Part, PartOutputs, ProbeContext } from "./kit/shim.js";

/**
 * The flag is --format; Warboy's releases had --output, and furiosactl has neither. Exit status 2 means an unknown
 * argument, so that the next form is tried. Any other status, a timeout too, is the result.
 */
function partFor(id: string, subcommand: string, context: ProbeContext): Part {
  const json = `{tool} ${subcommand} --format json`;
  if (context.mode === "plain") return { id, kind: "program", command: json };
  const otherwise = (command: string): string => `if [ $q -eq 2 ]; then b ${command}; q=$?; fi`;
  const command =
    `( b ${json}; q=$?; ${otherwise(`{tool} ${subcommand} --output json`)}; ` +
    `${otherwise(`{tool} ${subcommand}`)}; exit $q ) 2>&1`;
  return { id, kind: "shell", command };
}

export const furiosaSmiShim = deviceTool({
  id: "furiosa-smi",
  maker: { vendor: "furiosa", pci: ["0x1ed2"] },
  executables: ["furiosa-smi", "furiosactl"],
  probe: (context) => [
    partFor("furiosa-smi.info", "info", context),
    partFor("furiosa-smi.status", "status", context),
    ...(context.include.has("process") ? [partFor("furiosa-smi.ps", "ps", context)] : []),
  ],
  read,
});

function read(outputs: PartOutputs): DevicesRead {
  const info = findJson(stdoutOf(outputs, "furiosa-smi.info"));
  const devices = objectsIn(info.documents);
  const rows = devices.length > 0 ? devices : boxRows(stdoutOf(outputs, "furiosa-smi.info"));
  const states = new Map(
    objectsIn(findJson(stdoutOf(outputs, "furiosa-smi.status")).documents).map((state) => [
      textCell(firstOf(state, ["device", "dev_name", "npu"])),
      state,
    ]),
  );
  const gpus = distinctDevices(
    rows.flatMap((row) => {
      const device = textCell(firstOf(row, ["dev_name", "device", "Device", "NPU"]));
      const index = indexOf(device);
      return index === null ? [] : [gpuOf(row, index, states.get(device))];
    }),
  );
  return {
    gpus,
    processes: processesOf(stdoutOf(outputs, "furiosa-smi.ps"), gpus),
    errors: cutErrors("furiosa-smi", info.cut),
  };
}

function objectsIn(documents: readonly unknown[]): readonly JsonObject[] {
  const items = documents.flatMap((document) =>
    Array.isArray(document) ? (document as readonly unknown[]) : [document],
  );
  return items.filter(isObject);
}

/** `npu0` -> 0. */
function indexOf(device: string | null): number | null {
  return integerCell(/^npu(\d{1,4})$/i.exec(device ?? "")?.[1]);
}

/** A device of `info`, as JSON or as a row of the table, with its `status`. */
function gpuOf(info: JsonObject, index: number, state: JsonObject | undefined): Gpu {
  const total = totalCell(at(state, "memory", "DRAM", "total_size"), "B");
  const used = bytesCell(at(state, "memory", "DRAM", "used_size"), "B");
  const arch = textCell(firstOf(info, ["arch", "Arch"]));
  const governor = textCell(info["governor"]);
  return accelerator("NPU", {
    index,
    uuid: textCell(info["device_uuid"]),
    name: textCell(info["Name"]) ?? (arch === null ? null : `Furiosa ${arch.toUpperCase()}`),
    serial: textCell(info["device_sn"]),
    pci_bus_id: textCell(firstOf(info, ["pci_bdf", "PCI-BDF"])),
    utilization: meanUtilization(state),
    temperature: celsiusCell(firstOf(info, ["temperature", "Temp."])),
    power_consumption: wattsCell(firstOf(info, ["power", "Power"])),
    frequency: megahertzCell(info["core_clock"]),
    total_memory: total,
    used_memory: used,
    memory_free: freeOf(total, used),
    ...(state === undefined ? {} : { health_status: textCell(state["liveness"]) }),
    detail: presentTexts({
      firmware: textCell(firstOf(info, ["firmware", "Firmware"])),
      pert: textCell(firstOf(info, ["pert", "PERT"])),
      governor,
      liveness: textCell(state?.["liveness"]),
    }),
  });
}

/** Mean percentage of the processing elements, which are listed one by one. */
function meanUtilization(state: JsonObject | undefined): number | null {
  const elements = state?.["pe_utilizations"];
  if (!Array.isArray(elements)) return null;
  const busy = elements
    .map((element: unknown) => percentCell(firstOf(element, ["pe_utilization", "utilization"])))
    .filter((value) => value !== null);
  return meanOf(busy);
}

/** A row per device and process: RNGD's `npu4:[0, 7], npu5:[0, 7]` names several devices. */
function processesOf(stdout: string, gpus: readonly Gpu[]): readonly Process[] {
  const uuidOf = uuidsByIndex(gpus);
  return objectsIn(findJson(stdout).documents).flatMap((row) => {
    const pid = integerCell(row["pid"]);
    const devices = textCell(firstOf(row, ["dev_name", "npu", "device"])) ?? "";
    if (pid === null || pid === 0) return [];
    const command = textCell(firstOf(row, ["cmdline", "cmd"]));
    const indices = [...new Set([...devices.matchAll(/npu(\d{1,4})/gi)].map((match) => Number(match[1])))];
    return (indices.length === 0 ? [null] : indices).map((index) =>
      acceleratorProcess({
        pid,
        process_name: command?.split(" ")[0]?.replace(/^.*\//, "") ?? null,
        command,
        device_id: index,
        device_uuid: index === null ? null : uuidOf(index),
        used_memory: indices.length > 1 ? null : bytesCell(row["memory"], "MiB"),
      }),
    );
  });
}
