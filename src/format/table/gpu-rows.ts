/** A host as a row for each of its GPUs; one row for a host that has none, or no reading. */
import type { Finding } from "../../contract/health.js";
import type { FrameRecord, Gpu, HostState } from "../../contract/record.js";
import { heatOf } from "../../health/heat.js";
import { memoryLow } from "../../health/host-rules.js";
import { cleanText } from "../../lib/text.js";
import { deviceRows, type DeviceRow } from "../rows/device-rows.js";
import { bar, model, temperature, type Cell } from "./cells.js";
import type { ColumnName } from "./column-names.js";
import { holdersOf, type IdleGpus } from "./holders.js";
import type { Look } from "./look.js";
import { deviceName, gpuErrors, hostErrors, notesOf, stateNote, worstOf } from "./notes.js";
import { gib, isNumber, pair, rounded, UNKNOWN } from "./quantities.js";
import type { NamedHost } from "./roster.js";
import type { TableRow } from "./row.js";
import { ageText } from "./seen-host.js";

export type Cells = Partial<Record<ColumnName, Cell>>;

/** What all rows of a picture are made with. */
export interface RowContext {
  readonly look: Look;
  readonly nowMs: number;
  /** Which GPUs are held and idle, for their column; null: it is not shown. */
  readonly idle: IdleGpus | null;
  /** On a screen there are bars, and where it is wide clocks, PCIe and ECC. */
  readonly isScreen: boolean;
}

/** How many rows `gpuRows` returns. */
export function countGpuRows({ host }: NamedHost, nowMs: number): number {
  return Math.max(1, host.reading(nowMs)?.gpus?.length ?? 0);
}

export function gpuRows(named: NamedHost, context: RowContext): readonly TableRow[] {
  const { host } = named;
  const { last } = host;
  const reading = host.reading(context.nowMs);
  if (last.record === "state") {
    const message = cleanText(stateNote(last));
    const row = { state: last.state, ...judged(last.health?.status) };
    const cells = { ...headCells(named, context), ...healthCell(last.health?.status) };
    if (reading === null) return [{ ...row, cells, message }];
    return rowsOfReading(reading, context).map((own, place): TableRow => ({
      ...row,
      cells: { ...own, ...cells, note: { text: place === 0 ? message : "" } },
      isLate: true,
    }));
  }
  const gpus = gpuDevices(last);
  const findings = last.health?.findings ?? [];
  const ofHost = findings.filter(({ device }) => !gpus.some((gpu) => device === deviceName(gpu)));
  const hostNotes = notesOf(ofHost, hostErrors(last, gpus));
  const rowOf = (found: readonly Finding[], own: Cells, notes: readonly string[]): TableRow => {
    const status = last.health === undefined ? undefined : worstOf(found);
    const note = { text: cleanText(notes.join("; ")) };
    const cells = { ...headCells(named, context), ...healthCell(status), ...own, note };
    return { state: last.state, ...judged(status), cells };
  };
  const readings = rowsOfReading(last, context);
  if (gpus.length === 0) return readings.map((own) => rowOf(ofHost, own, hostNotes));
  return readings.map((own, place) => {
    const gpu = gpus[place];
    const found = findings.filter(({ device }) => gpu !== undefined && device === deviceName(gpu));
    const notes = notesOf(found, gpu === undefined ? [] : gpuErrors(gpu));
    return rowOf([...found, ...ofHost], own, place === 0 ? [...notes, ...hostNotes] : notes);
  });
}

/** What every row of the host has: its name, and its state or how old a late reading is. */
export function headCells({ label, host }: NamedHost, { nowMs }: RowContext): Cells {
  return { host: { text: cleanText(label) }, state: stateCell(host.last.state, host.lateMs(nowMs)) };
}

function stateCell(state: HostState, lateMs: number | null): Cell {
  if (lateMs === null) return { text: state, short: SHORT_STATES[state] ?? state };
  const age = ageText(lateMs);
  return state === "connected" ? { text: age } : { text: `${state} ${age}`, short: age };
}

/** Where the whole name costs columns with readings. */
const SHORT_STATES: Partial<Record<HostState, string>> = { "host-key-rejected": "host-key" };

export function healthCell(status: TableRow["health"]): Cells {
  return status === undefined ? {} : { health: { text: status } };
}

export function judged(health: TableRow["health"]): Pick<TableRow, "health"> {
  return health === undefined ? {} : { health };
}

export function gpuDevices(frame: FrameRecord): readonly DeviceRow[] {
  return deviceRows(frame, ["gpu"]).filter((row) => row.device !== null);
}

/** The readings of a host's CPUs and memory. */
export function hostCells(frame: FrameRecord, { look }: RowContext): Cells {
  const memory = frame.memory?.[0];
  const ram = pair(gib(memory?.used_bytes), gib(memory?.total_bytes));
  const isLow = frame.memory !== undefined && memoryLow(frame).kind === "found";
  return {
    ...(frame.cpus === undefined ? {} : { cpu: { text: rounded(frame.cpus[0]?.utilization) } }),
    ...(frame.memory === undefined
      ? {}
      : { ram: isLow ? { text: ram, paint: look.heat.warm } : { text: ram } }),
  };
}

const DASH: Cell = { text: UNKNOWN };
const NO_GPU: Cells = {
  index: DASH,
  device: DASH,
  utilization: DASH,
  memory: DASH,
  temperature: DASH,
  power: DASH,
};

function rowsOfReading(frame: FrameRecord, context: RowContext): readonly Cells[] {
  const shared = hostCells(frame, context);
  const gpus = frame.gpus ?? [];
  if (gpus.length === 0) return [{ ...(frame.gpus === undefined ? {} : NO_GPU), ...shared }];
  const devices = gpuDevices(frame);
  return gpus.map((gpu, place) => ({
    ...gpuCells(gpu, devices[place]?.index ?? place, context),
    ...holderCells(frame, gpu, context.idle),
    ...shared,
  }));
}

function gpuCells(gpu: Gpu, index: number, { look, isScreen }: RowContext): Cells {
  const { name } = gpu;
  return {
    index: { text: String(index) },
    device: typeof name === "string" && name !== "" ? model(cleanText(name)) : DASH,
    utilization: { text: rounded(gpu.utilization) },
    memory: { text: pair(gib(gpu.used_memory), gib(gpu.total_memory)) },
    temperature: temperature(gpu.temperature, heatOf(gpu), look),
    power: { text: pair(rounded(gpu.power_consumption), rounded(gpu.power_limit)) },
    ...(isScreen ? { bar: bar(gpu.utilization, look), ...wideCells(gpu, look) } : {}),
  };
}

/** For wide screens; absent where the tool has no such field. */
function wideCells(gpu: Gpu, look: Look): Cells {
  const { pcie_link_gen: gen, pcie_link_width: width, ecc_uncorrected_since_load: ecc } = gpu;
  return {
    ...(isNumber(gpu.frequency) ? { clock: { text: rounded(gpu.frequency) } } : {}),
    ...(isNumber(gen) && isNumber(width) ? { pcie: { text: `${gen}x${width}` } } : {}),
    // The rule ecc-uncorrected fires for any.
    ...(isNumber(ecc) ? { ecc: { text: String(ecc), ...(ecc > 0 ? { paint: look.heat.hot } : {}) } } : {}),
  };
}

/** None where processes were not read. */
function holderCells(frame: FrameRecord, gpu: Gpu, idle: IdleGpus | null): Cells {
  const holders = holdersOf(frame, gpu);
  if (holders === null) return {};
  return { holders: { text: holders }, idle: { text: idle?.text(frame, gpu) ?? "" } };
}
