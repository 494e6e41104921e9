/**
 * Tenstorrent's tt-smi: `-s` prints one JSON document, with values as padded texts. It reports neither
 * utilization nor memory. Source: tt-smi's README, backend.py and recorded 3.0 snapshots; `smbus_telem` holds the
 * firmware's words as hexadecimal texts (tt-umd, telemetry tags, Blackhole; unread ones are null).
 */
import type { Gpu } from "../contract/record.js";
import { accelerator } from "./kit/accelerator.js";
import {
  celsiusCell,
  linkCell,
  megahertzCell,
  numberCell,
  presentTexts,
  readingText,
  textCell,
  wattsCell,
  wattsLimitCell,
} from "./kit/cells.js";
import { cutErrors, deviceTool, stdoutOf, type DevicesRead } from "./kit/device-tool.js";
import { at, findJson } from "./kit/json-text.js";

const SNAPSHOT = "tt-smi.snapshot";

export const ttSmiShim = deviceTool({
  id: "tt-smi",
  maker: { vendor: "tenstorrent", pci: ["0x1e52"] },
  executables: ["tt-smi"],
  probe: () => [{ id: SNAPSHOT, kind: "program", command: "{tool} -s" }],
  read: (outputs) => read(stdoutOf(outputs, SNAPSHOT)),
});

function read(stdout: string): DevicesRead {
  const { documents, cut } = findJson(stdout);
  const snapshot = documents.find((document) => Array.isArray(at(document, "device_info")));
  const driver = textCell(at(snapshot, "host_info", "Driver"));
  const devices = chipsOf(at(snapshot, "device_info"));
  const boards = devices.map((device) => textCell(at(device, "board_info", "board_id")));
  const chips = new Map<string | null, number>();
  for (const board of boards) chips.set(board, (chips.get(board) ?? 0) + 1);
  const gpus = devices.map((device, index) => {
    const board = boards[index] ?? null;
    // The chips of a multi-chip board or a Galaxy share one board id, which then identifies none of them.
    const unique = chips.get(board) === 1;
    return gpuOf(device, index, unique ? board : null, driver);
  });
  return { gpus, errors: cutErrors("tt-smi", cut) };
}

/** Each chip once: two entries with the same PCI address and place on the board are one chip. A chip behind another has no address. */
function chipsOf(list: unknown): readonly unknown[] {
  const devices: readonly unknown[] = Array.isArray(list) ? list : [];
  const seen = new Set<string>();
  return devices.filter((device) => {
    const board = at(device, "board_info");
    if (board === undefined) return false;
    const address = textCell(at(board, "bus_id"));
    if (address === null) return true;
    const key = `${address} ${textCell(at(board, "coords")) ?? ""}`;
    const isDuplicate = seen.has(key);
    seen.add(key);
    return !isDuplicate;
  });
}

/** A chip that no longer responds on the bus reads as all ones: 65535 A, 4294967 V. */
function below(limit: number): (raw: unknown) => number | null {
  return (raw) => {
    const value = numberCell(raw);
    return value !== null && value < limit ? value : null;
  };
}

function gpuOf(device: unknown, index: number, uuid: string | null, driver: string | null): Gpu {
  const of = (group: string, key: string): unknown => at(device, group, key);
  const word = (key: string): number | null | undefined => hexWord(of("smbus_telem", key));
  return accelerator("NPU", {
    index,
    uuid,
    name: textCell(of("board_info", "board_type")),
    serial: textCell(of("board_info", "board_id")),
    pci_bus_id: textCell(of("board_info", "bus_id")),
    driver_version: driver?.replace(/^TT-KMD\s+/i, "") ?? null,
    temperature: celsiusCell(of("telemetry", "asic_temperature")),
    power_consumption: wattsCell(of("telemetry", "power")),
    power_limit: wattsLimitCell(of("limits", "tdp_limit")),
    ...memoryTemperature(word("MAX_GDDR_TEMP")),
    frequency: megahertzCell(of("telemetry", "aiclk")),
    pcie_link_gen: linkCell(of("board_info", "pcie_speed")),
    pcie_link_width: linkCell(of("board_info", "pcie_width")),
    detail: presentTexts({
      coordinates: textCell(of("board_info", "coords")),
      dram_speed: textCell(of("board_info", "dram_speed")),
      voltage: readingText(of("telemetry", "voltage"), below(100)),
      current: readingText(of("telemetry", "current"), below(30_000)),
      heartbeat: textCell(of("telemetry", "heartbeat")),
      max_frequency: readingText(of("limits", "asic_fmax"), megahertzCell),
      // 0 stands for a limit that the firmware does not report.
      thm_limit: readingText(of("limits", "thm_limit"), positiveCelsius),
      therm_trip_l1_limit: readingText(of("limits", "therm_trip_l1_limit"), positiveCelsius),
      tdc_limit: readingText(of("limits", "tdc_limit"), below(30_000)),
      vdd_min: readingText(of("limits", "vdd_min"), below(100)),
      vdd_max: readingText(of("limits", "vdd_max"), below(100)),
      board_power: readingText(of("telemetry", "board_power"), wattsLimitCell),
      fan_rpm: readingText(of("telemetry", "fan_speed"), rpm),
      dram_status: dramStatus(of("board_info", "dram_status"), of("smbus_telem", "DDR_STATUS")),
      gddr_uncorrected: countText(word("GDDR_UNCORR_ERRS")),
      therm_trip_count: countText(word("THERM_TRIP_COUNT")),
      unique_id: uniqueId(word("ASIC_ID_HIGH"), word("ASIC_ID_LOW")),
      firmware_bundle: textCell(of("firmwares", "fw_bundle_version")),
      cm_firmware: textCell(of("firmwares", "cm_fw")),
      eth_firmware: textCell(of("firmwares", "eth_fw")),
    }),
  });
}

/** A word of 32 bits, `0x4cbffff`; null where it was not read, undefined where the firmware has no such word. */
function hexWord(raw: unknown): number | null | undefined {
  if (raw === undefined) return undefined;
  const digits = /^0x([0-9a-f]{1,8})$/i.exec(textCell(raw) ?? "")?.[1];
  return digits === undefined ? null : Number.parseInt(digits, 16);
}

/** Turns of a fan; the tool prints 0 for a board without one. */
function rpm(raw: unknown): number | null {
  const turns = below(65_535)(raw);
  return turns === 0 ? null : turns;
}

function countText(word: number | null | undefined): string | null {
  return word === null || word === undefined ? null : String(word);
}

function positiveCelsius(raw: unknown): number | null {
  const celsius = celsiusCell(raw);
  return celsius === 0 ? null : celsius;
}

/** The hottest GDDR, of Blackhole only. */
function memoryTemperature(word: number | null | undefined): { readonly temperature_memory?: number | null } {
  return word === undefined ? {} : { temperature_memory: positiveCelsius(word) };
}

/** `true` where the training of every DRAM channel passed. The tool prints `false` too where it could not read the word. */
function dramStatus(raw: unknown, word: unknown): string | null {
  if (typeof raw !== "boolean") return null;
  return raw || textCell(word) !== null ? String(raw) : null;
}

function uniqueId(high: number | null | undefined, low: number | null | undefined): string | null {
  const halves = [high, low].filter((half) => half !== null && half !== undefined);
  if (halves.length < 2 || halves.every((half) => half === 0)) return null;
  return `0x${halves.map((half) => half.toString(16).padStart(8, "0")).join("")}`;
}
