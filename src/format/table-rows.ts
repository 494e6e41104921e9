/** Records as the table's cells: texts and numbers, without colour and widths. */
import { HEALTH_STATUSES, type Finding, type HealthStatus } from "../contract/health.js";
import type { FrameRecord, HostState, StateRecord, StreamRecord } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import { holdersOf, type IdleGpus } from "./holders.js";
import { deviceRows, sectionErrorText, stateText, type DeviceRow } from "./device-rows.js";

export const COLUMN_NAMES = [
  ...([
    "host",
    "state",
    "health",
    "index",
    "device",
    "utilization",
    "memory",
    "temperature",
    "power",
  ] as const),
  ...(["holders", "idle", "cpu", "ram", "note"] as const),
] as const;
export type ColumnName = (typeof COLUMN_NAMES)[number];

export interface TableRow {
  readonly state: HostState;
  /** Of the host and of the row's device. Absent: not judged. */
  readonly health?: HealthStatus;
  /** Absent: the host has no such reading to show, and no row of the table need show the column. */
  readonly cells: Readonly<Partial<Record<ColumnName, string>>>;
  /** For a host without readings: why. Shown in their place, right of the state. */
  readonly message?: string;
}

const UNKNOWN = "-";
const GIB = 2 ** 30;

/** How many rows `tableRows` gives. */
export function countRows(record: StreamRecord): number {
  return record.record === "frame" ? Math.max(1, record.gpus?.length ?? 0) : 1;
}

/** One row a GPU; one for a host that has none or no frame. `label` is how the host is called. */
export function tableRows(
  record: StreamRecord,
  label: string,
  idle: IdleGpus | null = null,
): readonly TableRow[] {
  const { state, health } = record;
  const host = { host: cleanText(label), state };
  if (record.record === "state") {
    const cells = health === undefined ? host : { ...host, health: health.status };
    return [{ ...judged(health?.status), state, cells, message: cleanText(stateNote(record)) }];
  }
  const all = deviceRows(record, ["gpu"]);
  const gpus = all.filter((row) => row.device !== null);
  const shared = { ...host, ...hostCells(record) };
  const findings = health?.findings ?? [];
  const ofHost = findings.filter(({ device }) => !gpus.some((row) => device === deviceName(row)));
  const hostNotes = notesOf(ofHost, hostErrors(record, gpus));
  const rowOf = (found: readonly Finding[], cells: TableRow["cells"], notes: readonly string[]): TableRow => {
    const status = health === undefined ? undefined : worstOf(found);
    const note = cleanText(notes.join("; "));
    return {
      ...judged(status),
      state,
      cells: { ...shared, ...(status === undefined ? {} : { health: status }), ...cells, note },
    };
  };
  if (gpus.length === 0) return [rowOf(ofHost, record.gpus === undefined ? {} : NO_GPU, hostNotes)];
  return gpus.map((row, place) => {
    const own = findings.filter(({ device }) => device === deviceName(row));
    const notes = notesOf(own, gpuErrors(row));
    const cells = { ...gpuCells(row), ...holderCells(record, place, idle) };
    return rowOf([...own, ...ofHost], cells, place === 0 ? [...notes, ...hostNotes] : notes);
  });
}

function judged(health: HealthStatus | undefined): Pick<TableRow, "health"> {
  return health === undefined ? {} : { health };
}

function worstOf(findings: readonly Finding[]): HealthStatus {
  const ranks = findings.map(({ severity }) => HEALTH_STATUSES.indexOf(severity));
  return HEALTH_STATUSES[Math.max(0, ...ranks)] ?? HEALTH_STATUSES[0];
}

/** As findings name a device. */
function deviceName({ section, index }: DeviceRow): string {
  return `${section} ${index}`;
}

/** What was found, worst first, and the errors that no finding is about. */
function notesOf(findings: readonly Finding[], errors: readonly RowError[]): readonly string[] {
  const isFound = ({ message }: RowError): boolean =>
    message !== "" && findings.some((finding) => finding.message.includes(message));
  const rest = errors.filter((error) => !isFound(error));
  return [...findings.map(({ message }) => message), ...rest.map(({ text }) => text)];
}

interface RowError {
  /** The tool's own. */
  readonly message: string;
  /** The same as a note. */
  readonly text: string;
}

/** How each host is called: its name as typed, or its id where two hosts have the same name. */
export function hostLabels(records: Iterable<StreamRecord>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const uses = new Map<string, Set<string>>();
  for (const { host_id: id, hostname } of records) {
    names.set(id, hostname);
    const ids = uses.get(hostname) ?? new Set();
    uses.set(hostname, ids.add(id));
  }
  return new Map(
    [...names].map(([id, name]) => [id, (uses.get(name)?.size ?? 0) > 1 || name === "" ? id : name]),
  );
}

const NO_GPU = {
  index: UNKNOWN,
  device: UNKNOWN,
  utilization: UNKNOWN,
  memory: UNKNOWN,
  temperature: UNKNOWN,
  power: UNKNOWN,
};

function gpuCells({ device, index }: DeviceRow): Partial<Record<ColumnName, string>> {
  const name = device?.["name"];
  return {
    index: index === null ? UNKNOWN : String(index),
    device: typeof name === "string" && name !== "" ? cleanText(name) : UNKNOWN,
    utilization: rounded(device?.["utilization"]),
    memory: pair(gib(device?.["used_memory"]), gib(device?.["total_memory"])),
    temperature: rounded(device?.["temperature"]),
    power: pair(rounded(device?.["power_consumption"]), rounded(device?.["power_limit"])),
  };
}

/** `place`: of the GPU in the frame. None where processes were not read. */
function holderCells(
  frame: FrameRecord,
  place: number,
  idle: IdleGpus | null,
): Partial<Record<ColumnName, string>> {
  const gpu = frame.gpus?.[place];
  const holders = gpu === undefined ? null : holdersOf(frame, gpu);
  if (gpu === undefined || holders === null) return {};
  return { holders, idle: idle?.text(frame, gpu) ?? "" };
}

function hostCells(frame: FrameRecord): Partial<Record<ColumnName, string>> {
  const cpu = frame.cpus?.[0];
  const memory = frame.memory?.[0];
  return {
    ...(frame.cpus === undefined ? {} : { cpu: rounded(cpu?.utilization) }),
    ...(frame.memory === undefined ? {} : { ram: pair(gib(memory?.used_bytes), gib(memory?.total_bytes)) }),
  };
}

function gpuErrors({ failure, errors }: DeviceRow): readonly RowError[] {
  const own = failure === null ? [] : [{ message: failure, text: failure }];
  return [...own, ...errors.map((error) => ({ message: error.message, text: sectionErrorText(error) }))];
}

/** The errors of a frame that are in no GPU's row. */
function hostErrors(frame: FrameRecord, gpus: readonly DeviceRow[]): readonly RowError[] {
  const shown = new Set(gpus.flatMap((row) => row.errors));
  return (frame.errors ?? [])
    .filter((error) => !shown.has(error))
    .map((error) => ({
      message: error.message,
      text: `${error.section} ${sectionErrorText(error)}`,
    }));
}

/** The state's text, without what the row shows already: the host's id, and a code that is the state's name. */
function stateNote(record: StateRecord): string {
  const text = [`${record.state}: `, `${record.state}, `, `${record.host_id}: `].reduce(
    (rest, known) => (rest.startsWith(known) ? rest.slice(known.length) : rest),
    stateText(record),
  );
  if (record.retry_in_ms === null || record.state === "connected") return text;
  return `${text}; retry in ${Math.max(0, Math.ceil(record.retry_in_ms / 1000))} s`;
}

function rounded(value: unknown): string {
  return typeof value === "number" && Number.isFinite(value) ? String(Math.round(value)) : UNKNOWN;
}

function gib(value: unknown): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return UNKNOWN;
  const amount = value / GIB;
  return amount >= 100 ? String(Math.round(amount)) : amount.toFixed(1);
}

function pair(now: string, limit: string): string {
  return limit === UNKNOWN ? now : `${now}/${limit}`;
}
