/**
 * Huawei Ascend's npu-smi: no JSON, a table with two lines a chip whose columns differ between 20.2, 21.x and 22 on.
 * Source: "npu-smi info" in the Ascend driver guides, and recorded tables.
 *
 *     | NPU   Name       | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
 *     | Chip  [Device]   | Bus-Id        | AICore(%)   Memory-Usage(MB)  [HBM-Usage(MB)]      |
 */
import type { Process, SectionError } from "../contract/record.js";
import { oneLine } from "../lib/text.js";
import { accelerator, acceleratorProcess, freeOf } from "./kit/accelerator.js";
import { cellsOf, textLines } from "./kit/box-table.js";
import {
  bytesCell,
  celsiusCell,
  integerCell,
  percentCell,
  presentTexts,
  readingText,
  textCell,
  totalCell,
  wattsCell,
} from "./kit/cells.js";
import { deviceTool, stdoutOf, type DevicesRead } from "./kit/device-tool.js";

const INFO = "npu-smi.info";

export const npuSmiShim = deviceTool({
  id: "npu-smi",
  maker: { vendor: "huawei", pci: ["0x19e5"] },
  executables: ["npu-smi"],
  probe: () => [{ id: INFO, kind: "program", command: "{tool} info" }],
  read: (outputs) => read(stdoutOf(outputs, INFO)),
});

interface Chip {
  readonly npu: number;
  readonly chip: number;
  /** The chip's number on the host, where a release prints it. */
  readonly device: number | null;
  readonly gpu: Omit<Parameters<typeof accelerator>[1], "index">;
}

function read(stdout: string): DevicesRead {
  const version = /\bnpu-smi \S+\s+Version: (\S+)/.exec(stdout)?.[1];
  const { chips, errors } = chipsIn(stdout, textCell(version));
  // Without such numbers, the card's own number identifies the chip if every card has one chip.
  const isOnePerCard = new Set(chips.map(({ npu }) => npu)).size === chips.length;
  const hasNumbers = new Set(chips.map(({ device }) => device)).size === chips.length;
  const numbered = chips.map(({ npu, device, gpu, chip }, place) => ({
    npu,
    chip,
    gpu: accelerator("NPU", { index: (hasNumbers ? device : null) ?? (isOnePerCard ? npu : place), ...gpu }),
  }));
  const gpus = numbered.map(({ gpu }) => gpu).sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
  const indices = new Map(numbered.map(({ npu, chip, gpu }) => [`${npu} ${chip}`, gpu.index ?? null]));
  const indexOf = (npu: number | null, chip: number | null): number | null =>
    indices.get(`${npu} ${chip}`) ?? null;
  return { gpus, processes: processesIn(stdout, indexOf), errors: chips.length === 0 ? [] : errors };
}

function chipsIn(
  stdout: string,
  version: string | null,
): { readonly chips: readonly Chip[]; readonly errors: readonly SectionError[] } {
  const chips = new Map<string, Chip>();
  const errors: SectionError[] = [];
  let upper: UpperLine | null = null;
  const unpaired = (line: UpperLine | null): void => {
    if (line !== null)
      errors.push({
        section: "gpu",
        kind: "parse",
        message: `npu-smi: NPU ${String(line.npu)} has no second line`,
        device: `NPU ${String(line.npu)}`,
      });
  };
  for (const line of textLines(stdout)) {
    const cells = cellsOf(line);
    if (cells === null && /\berror\b|\bfailed\b/i.test(line))
      errors.push({ section: "gpu", kind: "error", message: `npu-smi: ${oneLine(line)}` });
    if (cells?.length !== 3) continue;
    const nextUpper = upperLine(cells);
    if (nextUpper !== null) {
      unpaired(upper);
      upper = nextUpper;
      continue;
    }
    const lower = lowerLine(cells);
    if (lower === null) {
      // The two header lines have no numbers.
      if (/^\d/.test(cells[0] ?? ""))
        errors.push({ section: "gpu", kind: "parse", message: `npu-smi: ${oneLine(cells.join(" | "))}` });
      continue;
    }
    if (upper === null) continue;
    const key = `${String(upper.npu)} ${String(lower.chip)} ${lower.busId ?? ""}`;
    if (!chips.has(key)) chips.set(key, chipOf(upper, lower, version));
    upper = null;
  }
  unpaired(upper);
  const ordered = [...chips.values()].sort((a, b) => a.npu - b.npu || a.chip - b.chip);
  return { chips: ordered, errors };
}

interface UpperLine {
  readonly npu: number;
  readonly name: string | null;
  readonly health: string | null;
  readonly power: string;
  readonly temperature: string;
  /** Pages in use and in all; absent where the release has no such column, or none are set up. */
  readonly hugepages: Usage | null;
}

/** `0 910B3 | OK | 101.8 43 0 / 0`; 20.2 has no hugepages. */
function upperLine([id = "", health = "", readings = ""]: readonly string[]): UpperLine | null {
  const names = /^(\d{1,4})\s+(\S.*)$/.exec(id);
  const values = /^([^\s/]+)\s+([^\s/]+)(?:\s+([^\s/]+)\s*\/\s*([^\s/]+))?$/.exec(readings);
  if (names === null || values === null) return null;
  return {
    npu: Number(names[1]),
    name: textCell(names[2]),
    health: textCell(health),
    power: values[1] ?? "",
    temperature: values[2] ?? "",
    hugepages: (integerCell(values[4]) ?? 0) > 0 ? { used: values[3] ?? "", total: values[4] ?? "" } : null,
  };
}

interface LowerLine {
  readonly chip: number;
  readonly device: number | null;
  readonly busId: string | null;
  readonly busy: string;
  readonly memory: Usage;
  readonly hbm: Usage | null;
}
interface Usage {
  readonly used: string;
  readonly total: string;
}

/** `0 [3] | 0000:C1:00.0 | 0 0 / 0 3318 / 65536`; the last pair is HBM, from 22 on. */
function lowerLine([id = "", busId = "", readings = ""]: readonly string[]): LowerLine | null {
  const ids = /^(\d{1,4})(?:\s+(\d{1,4}))?$/.exec(id);
  const usage = /\s+([^\s/]+)\s*\/\s*([^\s/]+)/.source;
  const values = new RegExp(`^([^\\s/]+)${usage}(?:${usage})?$`).exec(readings);
  if (ids === null || values === null) return null;
  const [, busy = "", used = "", total = ""] = values;
  const hbmUsed = values[4];
  const hbmTotal = values[5];
  return {
    chip: Number(ids[1]),
    device: integerCell(ids[2]),
    busId: textCell(busId),
    busy,
    memory: { used, total },
    hbm: hbmUsed === undefined || hbmTotal === undefined ? null : { used: hbmUsed, total: hbmTotal },
  };
}

/** The memory is the chip's HBM, where it has some; DDR beside HBM goes into `detail`. */
function chipOf(upper: UpperLine, lower: LowerLine, version: string | null): Chip {
  const hbm = lower.hbm !== null && (integerCell(lower.hbm.total) ?? 0) > 0 ? lower.hbm : null;
  const memory = hbm ?? lower.memory;
  const total = totalCell(memory.total, "MiB");
  const used = total === null ? null : bytesCell(memory.used, "MiB");
  const hasDdr = hbm !== null && (integerCell(lower.memory.total) ?? 0) > 0;
  return {
    npu: upper.npu,
    chip: lower.chip,
    device: lower.device,
    gpu: {
      name: upper.name,
      pci_bus_id: lower.busId,
      driver_version: version,
      utilization: percentCell(lower.busy),
      temperature: celsiusCell(upper.temperature),
      power_consumption: wattsCell(upper.power),
      total_memory: total,
      used_memory: used,
      memory_free: freeOf(total, used),
      health_status: upper.health,
      detail: presentTexts({
        npu_id: String(upper.npu),
        chip_id: String(lower.chip),
        health: upper.health,
        hugepages_used: readingText(upper.hugepages?.used, integerCell),
        hugepages_total: readingText(upper.hugepages?.total, integerCell),
        ddr_used: hasDdr ? `${lower.memory.used} MB` : null,
        ddr_total: hasDdr ? `${lower.memory.total} MB` : null,
      }),
    },
  };
}

/** `2 0 | 1333928 | python | 37709`: NPU and chip, pid, name (often empty), MB. */
function processesIn(
  stdout: string,
  indexOf: (npu: number | null, chip: number | null) => number | null,
): readonly Process[] {
  const found = new Map<string, Process>();
  for (const line of textLines(stdout)) {
    const cells = cellsOf(line);
    if (cells?.length !== 4) continue;
    const [id = "", pidCell = "", name = "", memory = ""] = cells;
    const ids = /^(\d{1,4})(?:\s+(\d{1,4}))?$/.exec(id);
    const pid = integerCell(pidCell);
    if (ids === null || pid === null || pid === 0) continue;
    const index = indexOf(integerCell(ids[1]), integerCell(ids[2] ?? "0"));
    found.set(
      `${id} ${pidCell}`,
      acceleratorProcess({
        pid,
        process_name: textCell(name),
        device_id: index,
        device_uuid: null,
        used_memory: bytesCell(memory, "MiB"),
      }),
    );
  }
  return [...found.values()];
}
