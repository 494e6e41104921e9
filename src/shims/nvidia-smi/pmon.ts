/**
 * `nvidia-smi pmon`: graphics processes beside the compute ones, and each one's share of its GPU since the last sample. The
 * header names the columns, which differ by driver: `fb` up to 5xx, then `jpg`, `ofa` and `ccpm` as well. Drivers up to 4xx
 * report four GPUs at most.
 */
import type { Gpu, Process } from "../../contract/record.js";
import { acceleratorProcess, uuidsByIndex } from "../kit/accelerator.js";
import { integerCell, percentCell, textCell, totalCell } from "../kit/cells.js";

export const PMON_COMMAND = "{tool} pmon -c 1 -s um";

type Share = Pick<
  Process,
  | "gpu_utilization"
  | "gpu_memory_utilization"
  | "encoder_utilization"
  | "decoder_utilization"
  | "gpu_process_type"
>;

interface PmonRow {
  /** The GPU's index. */
  readonly gpu: number;
  readonly pid: number;
  /** At most fifteen characters. */
  readonly name: string | null;
  readonly usedMemory: number | null;
  readonly share: Share;
}

const NO_SHARE: Share = {
  gpu_process_type: null,
  gpu_utilization: null,
  gpu_memory_utilization: null,
  encoder_utilization: null,
  decoder_utilization: null,
};

/** The rows of one sample; null where the text has no header of pmon's. A GPU without processes has a row of dashes. */
export function readPmon(text: string): readonly PmonRow[] | null {
  const lines = text.split(/[\r\n]+/);
  const names = columnsOf(lines.find((line) => line.startsWith("# gpu ")) ?? "");
  if (names === null) return null;
  const rows = new Map<string, PmonRow>();
  for (const line of lines) {
    const row = rowOf(line, names);
    // A driver may list a process once more for another context of it.
    if (row !== null && !rows.has(keyOf(row.gpu, row.pid))) rows.set(keyOf(row.gpu, row.pid), row);
  }
  return [...rows.values()];
}

/** The column names of `# gpu  pid  type  sm ... command`, in which `command` is the last. */
function columnsOf(line: string): readonly string[] | null {
  const [mark, ...names] = line.trim().split(/\s+/);
  return mark === "#" && names[0] === "gpu" && names[1] === "pid" && names.at(-1) === "command"
    ? names
    : null;
}

const MAX_COLUMNS = 32;

function rowOf(line: string, names: readonly string[]): PmonRow | null {
  const cells = line.trim().split(/\s+/, MAX_COLUMNS + names.length);
  if (cells.length < names.length) return null;
  // Only the command may hold blanks.
  const command = cells.slice(names.length - 1).join(" ");
  const cell = (name: string): string | undefined =>
    name === "command" ? command : cells[names.indexOf(name)];
  const [gpu, pid] = [integerCell(cell("gpu")), integerCell(cell("pid"))];
  if (gpu === null || pid === null || pid === 0) return null;
  return {
    gpu,
    pid,
    name: textCell(command),
    // Windows (WDDM) prints 0 for every process: it manages their memory itself.
    usedMemory: totalCell(cell("fb"), "MiB"),
    share: {
      gpu_process_type: typeOf(cell("type")),
      gpu_utilization: percentCell(cell("sm")),
      gpu_memory_utilization: percentCell(cell("mem")),
      encoder_utilization: percentCell(cell("enc")),
      decoder_utilization: percentCell(cell("dec")),
    },
  };
}

/** `C`, `G`, `C+G`, or with MPS `M+C`. */
function typeOf(cell: string | undefined): string | null {
  return cell !== undefined && /^[CGM](?:\+[CGM])*$/.test(cell) ? cell : null;
}

/** The compute processes with their share of the GPU, and after them the other processes of pmon. */
export function withPmon(
  processes: readonly Process[],
  rows: readonly PmonRow[],
  gpus: readonly Gpu[],
): readonly Process[] {
  const left = new Map(rows.map((row) => [keyOf(row.gpu, row.pid), row]));
  const known = processes.map((process): Process => {
    const key = process.device_id === null ? "" : keyOf(process.device_id, process.pid);
    const row = left.get(key);
    left.delete(key);
    return { ...process, ...(row?.share ?? NO_SHARE) };
  });
  const uuidOf = uuidsByIndex(gpus);
  const more = [...left.values()].map(({ gpu, pid, name, usedMemory, share }): Process => ({
    ...acceleratorProcess({
      pid,
      process_name: name,
      device_id: gpu,
      device_uuid: uuidOf(gpu),
      used_memory: usedMemory,
    }),
    ...share,
  }));
  return [...known, ...more];
}

function keyOf(gpu: number, pid: number): string {
  return `${gpu} ${pid}`;
}
