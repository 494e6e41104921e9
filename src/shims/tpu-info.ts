/**
 * Google's tpu-info: box tables that change with each version. Source: tpu_info/README.md and cli.py of
 * AI-Hypercomputer/cloud-accelerator-diagnostics, 0.1 (2024) to 0.7. Chips are listed by device file. Readings have
 * the runtime's own numbers, in the same order, and are there only while a workload runs.
 */
import type { Process, SectionError } from "../contract/record.js";
import { accelerator, acceleratorProcess, freeOf } from "./kit/accelerator.js";
import { boxTables, type BoxTable } from "./kit/box-table.js";
import { bytesCell, integerCell, percentCell, presentTexts, textCell, totalCell } from "./kit/cells.js";
import { distinctDevices } from "./kit/device-list.js";
import { deviceTool, stdoutOf, type DevicesRead } from "./kit/device-tool.js";

const TABLES = "tpu-info.tables";

export const tpuInfoShim = deviceTool({
  id: "tpu-info",
  maker: { vendor: "google", pci: ["0x1ae0"] },
  executables: ["tpu-info"],
  probe: () => [{ id: TABLES, kind: "program", command: "{tool}" }],
  read: (outputs) => read(stdoutOf(outputs, TABLES)),
});

interface Chip {
  readonly file: string;
  readonly type: string | null;
  readonly cores: number;
  readonly pid: number | null;
}

function read(stdout: string): DevicesRead {
  const tables = boxTables(stdout);
  const chips = chipsIn(tables);
  const memory = readings(tables, /(?:HBM|memory) usage/i);
  const duty = readings(tables, /duty cycle/i);
  const tensor = readings(tables, /TensorCore util/i);
  const latencies = latenciesIn(tables);
  const version = textCell(/^Libtpu version:\s*(\S+)/im.exec(stdout)?.[1]);
  const type = textCell(/^Accelerator type:\s*(\S+)/im.exec(stdout)?.[1]);
  const numbered = memory.size >= duty.size ? memory : duty;
  // On v2 and v3 each core is a device, later each chip.
  const devices = chips.flatMap((chip) =>
    Array.from({ length: numbered.size > chips.length ? chip.cores : 1 }, () => chip),
  );
  // Chips are matched with readings by their order. Where the counts differ, none is matched, but all chips are kept.
  const isPartial = numbered.size > 0 && numbered.size < devices.length;
  const ids = numbered.size > 0 && !isPartial ? [...numbered.keys()] : devices.map((_, place) => place);
  const matched = devices.length === ids.length;
  const cores = tensor.size === ids.length && !isPartial ? [...tensor.values()] : [];
  const gpus = ids.map((index, place) => {
    const chip = matched ? devices[place] : undefined;
    const [used, total] = usage(isPartial ? undefined : memory.get(index));
    return accelerator("TPU", {
      index,
      name: chip?.type ?? typeOfAll(chips),
      utilization: isPartial ? null : percentCell(duty.get(index)),
      tensorcore_utilization: percentCell(cores[place]),
      used_memory: used,
      total_memory: total,
      memory_free: freeOf(total, used),
      detail: presentTexts({
        device_file: chip?.file ?? null,
        libtpu_version: version,
        accelerator_type: type,
        ...latencies,
      }),
    });
  });
  const count = `${String(numbered.size)} readings for ${String(devices.length)} devices`;
  const errors: readonly SectionError[] = isPartial
    ? [{ section: "gpu", kind: "parse", message: `tpu-info: ${count}, which cannot be matched` }]
    : [];
  return {
    gpus: distinctDevices(gpus),
    errors,
    areOurPids: true,
    processes: processesOf(tables, chips, matched ? devices : [], ids),
  };
}

function chipsIn(tables: readonly BoxTable[]): readonly Chip[] {
  const rows = tables.filter(({ columns }) => columns.includes("Type")).flatMap((table) => table.rows);
  const chips = new Map<string, Chip>();
  for (const row of rows) {
    const file = textCell(row["Chip"] ?? row["Device"]);
    if (file === null || !file.startsWith("/dev/") || chips.has(file)) continue;
    const cores = integerCell(row["Devices"] ?? row["Cores"]);
    chips.set(file, {
      file,
      type: textCell(row["Type"]),
      cores: cores === null || cores < 1 || cores > 16 ? 1 : cores,
      pid: integerCell(row["PID"]),
    });
  }
  return [...chips.values()];
}

/** Number of the device or core -> cell, from every table with such a column. */
function readings(tables: readonly BoxTable[], column: RegExp): ReadonlyMap<number, string> {
  const cells = new Map<number, string>();
  for (const table of tables) {
    const [idColumn = "", ...others] = table.columns;
    const name = others.find((other) => column.test(other));
    if (name === undefined || !/^(?:chip|device|core)/i.test(idColumn)) continue;
    for (const row of table.rows) {
      const id = integerCell(row[idColumn]);
      if (id !== null && !cells.has(id)) cells.set(id, row[name] ?? "");
    }
  }
  return cells;
}

// A release prints five such tables of at most four rows.
const MAX_LATENCIES = 40;

/**
 * Median and 99.9th percentile of the runtime's transfers, as `buffer_transfer_latency_8mb_p50`. The tables are about all
 * chips of the host together.
 */
function latenciesIn(tables: readonly BoxTable[]): Readonly<Record<string, string | null>> {
  const entries = tables.flatMap(({ title, columns, rows }) => {
    if (!/latency|\bRTT\b|delivery rate/i.test(title)) return [];
    const label = columns.find((column) => !/^P\d+$/.test(column));
    return rows.flatMap((row) => {
      const name = keyOf(`${title.replace(/^TPU /, "")} ${label === undefined ? "" : (row[label] ?? "")}`);
      return ["P50", "P999"].map(
        (column) => [`${name}_${column.toLowerCase()}`, textCell(row[column])] as const,
      );
    });
  });
  return Object.fromEntries(entries.slice(0, MAX_LATENCIES));
}

function keyOf(text: string): string {
  return text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((part) => part !== "")
    .join("_")
    .slice(0, 80);
}

/** `18.45 GiB / 31.25 GiB` */
function usage(cell: string | undefined): readonly [used: number | null, total: number | null] {
  const [used, total, ...more] = (cell ?? "").split("/");
  if (total === undefined || more.length > 0) return [null, null];
  const size = totalCell(total, "GiB");
  return [size === null ? null : bytesCell(used, "GiB"), size];
}

function typeOfAll(chips: readonly Chip[]): string | null {
  const [first, ...others] = new Set(chips.map(({ type }) => type));
  return others.length === 0 ? (first ?? null) : null;
}

/** Each chip lists the process that uses it; 0.7 and later name it in a separate table. */
function processesOf(
  tables: readonly BoxTable[],
  chips: readonly Chip[],
  devices: readonly Chip[],
  ids: readonly number[],
): readonly Process[] {
  const names = new Map(
    tables.flatMap(({ rows }) => rows).map((row) => [integerCell(row["PID"]), textCell(row["Process Name"])]),
  );
  const places = new Map<Chip, number>();
  for (const [place, chip] of devices.entries()) if (!places.has(chip)) places.set(chip, place);
  return chips.flatMap((chip) => {
    if (chip.pid === null || chip.pid === 0) return [];
    const place = places.get(chip);
    return [
      acceleratorProcess({
        pid: chip.pid,
        process_name: names.get(chip.pid) ?? null,
        device_id: place === undefined ? null : (ids[place] ?? null),
        device_uuid: null,
        used_memory: null,
      }),
    ];
  });
}
