/** The answer to `--query-gpu`: a row for each GPU, and between the rows sentences about GPUs that failed. */
import type { Gpu, SectionError } from "../../contract/record.js";
import { oneLine } from "../../lib/text.js";
import { textCell } from "../kit/cells.js";
import { type CsvTable, readCsv } from "../kit/csv-rows.js";
import { explainFailure, lostGpu } from "./failures.js";
import { BUS_ID, TEN_FIELDS, UUID } from "./fields.js";
import { EXIT_MARK, FIELDS_MARK, KEPT_MARK, STATE_MARK } from "./probe-command.js";
import { type Cells, failedGpu, gpuFromCells, isBlankRow } from "./gpu.js";

export interface QueryAnswer {
  /** Healthy and failed ones, in the order printed. */
  readonly gpus: readonly Gpu[];
  /** One for each failed GPU and for each line that is neither. */
  readonly errors: readonly SectionError[];
  /** Names of the columns, as the header or the probe script gives them. */
  readonly columns: readonly string[];
  /** The query's exit status that the probe script prints; null where only the part's own is known. */
  readonly exitCode: number | null;
  /** Absent where no probe script asked. */
  readonly probe?: ProbeMarks;
}

/** What the probe script prints beside the answer. */
export interface ProbeMarks {
  /** The fields that it asked for in the end. */
  readonly asked: readonly string[];
  /** They are those that an earlier run has kept. */
  readonly isOfKept: boolean;
  /** By which the tool's facts may be kept; null where they may not. */
  readonly toolState: string | null;
}

/** Reads one answer. `columns`: the names for an answer without a header. */
export type ReadQuery = (text: string, columns: readonly string[]) => QueryAnswer;

/** A ReadQuery. fast/quick-query.ts has a quicker one for the ticks of one host. */
export function readQuery(text: string, columns: readonly string[]): QueryAnswer {
  const { probe, exitCode, rest } = withoutMarks(text);
  const table = tableIn(rest, probe?.asked ?? columns);
  const gpus: Gpu[] = [];
  const errors: SectionError[] = [];
  const seen = new Set<string>();
  let lostBefore = false;

  for (const line of table.lines) {
    if (line.kind === "row" && isBlankRow(line.cells)) {
      // Some drivers print it after the sentence that names the same GPU, others without the sentence.
      if (!lostBefore) {
        const reason = oneLine([...line.cells.values()][0]?.replace(/[[\]]/g, "") ?? "") || "Unknown Error";
        gpus.push(failedGpu(reason, { index: null }));
        errors.push({ section: "gpu", kind: "error", message: `a GPU gave no readings: ${reason}` });
      }
      lostBefore = false;
      continue;
    }
    lostBefore = false;
    if (line.kind === "row") {
      const problem = problemOf(line.cells);
      if (problem !== null) {
        errors.push({ section: "gpu", kind: "parse", message: problem });
        continue;
      }
      const gpu = gpuFromCells(line.cells);
      if (isKnown(seen, gpu)) continue;
      gpus.push(gpu);
      if (gpu.error !== undefined) errors.push(errorOf(gpu, gpu.error));
      continue;
    }
    const lost = lostGpu(line.text);
    if (lost === null) {
      errors.push({ section: "gpu", kind: "error", message: explainFailure(line.text, null) });
      continue;
    }
    lostBefore = true;
    const gpu = failedGpu(lost.reason, {
      pci_bus_id: lost.busId,
      index: lost.index,
    });
    if (isKnown(seen, gpu)) continue;
    gpus.push(gpu);
    errors.push({ ...errorOf(gpu, lost.reason), message: oneLine(line.text) });
  }
  return { gpus, errors, columns: table.columns, exitCode, ...(probe === null ? {} : { probe }) };
}

/** A wrapper may print the ten columns whatever it is asked for; its rows are then read as ten columns. */
function tableIn(text: string, columns: readonly string[]): CsvTable {
  const table = readCsv(text, columns, "name");
  const fits = (line: CsvTable["lines"][number]): boolean =>
    line.kind === "row" && (isBlankRow(line.cells) || !isShifted(line.cells));
  if (table.lines.some(fits)) return table;
  const ten = readCsv(text, TEN_FIELDS, "name");
  const isTen = ten.lines.some(
    (line) => line.kind === "row" && !isBlankRow(line.cells) && problemOf(line.cells) === null,
  );
  return isTen ? ten : table;
}

/** Whether there is a driver version where a percentage should be: ten columns were printed, and none of those asked for is a version. */
function isShifted(cells: Cells): boolean {
  return /^\d{3}(?:\.\d+)+$/.test(cells.get("utilization.gpu") ?? "");
}

function errorOf(gpu: Gpu, reason: string): SectionError {
  const device = gpu.pci_bus_id ?? gpu.uuid ?? undefined;
  const message = `${gpu.name ?? "GPU"} ${device ?? "without an address"}: ${reason}`;
  return { section: "gpu", kind: "error", message, ...(device === undefined ? {} : { device }) };
}

// A row whose cells are in the wrong columns has a uuid, version or address of the wrong shape.
const SHAPES: readonly { readonly field: string; readonly shape: RegExp }[] = [
  { field: "index", shape: /^\d{1,4}$/ },
  { field: "uuid", shape: UUID },
  { field: "driver_version", shape: /^\d+(?:\.\d+)+$/ },
  { field: "kmd_version", shape: /^\d+(?:\.\d+)+$/ },
  { field: "pci.bus_id", shape: BUS_ID },
];

function problemOf(cells: Cells): string | null {
  for (const { field, shape } of SHAPES) {
    const value = textCell(cells.get(field));
    if (value !== null && !shape.test(value))
      return `nvidia-smi: a row with ${field} "${oneLine(value, 80)}"`;
  }
  return null;
}

/** Whether this GPU was seen before (loop mode, a duplicate row); if not, it is added to `seen`. */
function isKnown(seen: Set<string>, gpu: Gpu): boolean {
  const key = [gpu.index, gpu.uuid, gpu.pci_bus_id].join(" ");
  if (gpu.uuid === null && (gpu.pci_bus_id ?? null) === null && (gpu.index ?? null) === null) return false;
  if (seen.has(key)) return true;
  seen.add(key);
  return false;
}

interface WithoutMarks {
  readonly probe: ProbeMarks | null;
  readonly exitCode: number | null;
  readonly rest: string;
}

function withoutMarks(text: string): WithoutMarks {
  const marks: { asked?: readonly string[]; exitCode?: number; isOfKept?: true; toolState?: string } = {};
  const rest = text
    .split(/\r?\n/)
    .filter((line) => {
      if (line.startsWith(FIELDS_MARK)) marks.asked = line.slice(FIELDS_MARK.length).trim().split(",");
      else if (line.startsWith(EXIT_MARK) && /^\d{1,3}$/.test(line.slice(EXIT_MARK.length)))
        marks.exitCode = Number(line.slice(EXIT_MARK.length));
      else if (line.startsWith(KEPT_MARK)) marks.isOfKept = true;
      else if (line.startsWith(STATE_MARK)) marks.toolState = line.slice(STATE_MARK.length);
      else return true;
      return false;
    })
    .join("\n");
  const { asked, exitCode = null, isOfKept = false, toolState = null } = marks;
  return { probe: asked === undefined ? null : { asked, isOfKept, toolState }, exitCode, rest };
}
