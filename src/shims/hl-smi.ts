/** Intel Gaudi's hl-smi: CSV with units. Source: Habana's "System Management Interface Tool" guide and all-smi's tests. */
import type { Gpu, Process, SectionError } from "../contract/record.js";
import { oneLine } from "../lib/text.js";
import { accelerator, acceleratorProcess, freeOf, uuidsByIndex } from "./kit/accelerator.js";
import { cellsOf, textLines } from "./kit/box-table.js";
import {
  bytesCell,
  celsiusCell,
  integerCell,
  linkCell,
  megahertzCell,
  percentCell,
  presentTexts,
  readingText,
  textCell,
  totalCell,
  wattsCell,
  wattsLimitCell,
} from "./kit/cells.js";
import { readCsv } from "./kit/csv-rows.js";
import { distinctDevices } from "./kit/device-list.js";
import { deviceTool, stdoutOf, type DevicesRead } from "./kit/device-tool.js";
import { partError } from "./kit/part-output.js";
import type { Part, PartOutputs, ProbeContext } from "./kit/shim.js";

// Fields that every release has: the whole query fails for an unknown field.
const COLUMNS =
  "index,uuid,name,driver_version,memory.total,memory.used,memory.free,power.draw,power.max,temperature.aip,utilization.aip";
const ID_COLUMNS = "index,bus_id,serial";
// Fields of the guide since 1.8. The probe asks for them alone; where they are known, a tick adds them to its one query.
const MORE_COLUMNS =
  "ecc.mode.current,ecc.errors.corrected.aggregate.total,ecc.errors.uncorrected.aggregate.total," +
  "ecc.errors.corrected.volatile.total,ecc.errors.uncorrected.volatile.total," +
  "ecc.errors.dram.volatile.total,ecc.errors.dram-corrected.volatile.total," +
  "clocks.current.soc,pcie.link.gen.current,pcie.link.width.current";
const ALL_COLUMNS = `${COLUMNS},${MORE_COLUMNS}`;

const query = (id: string, columns: string): Part => ({
  id,
  kind: "program",
  command: `{tool} -Q ${columns} -f csv,noheader`,
});
const QUERY = query("hl-smi.query", COLUMNS);
const QUERY_ALL = query(QUERY.id, ALL_COLUMNS);
const IDS = query("hl-smi.ids", ID_COLUMNS);
const MORE = query("hl-smi.more", `index,${MORE_COLUMNS}`);
// Only the human-readable table has processes.
const TABLE: Part = { id: "hl-smi.table", kind: "program", command: "{tool}" };

function tick(context: ProbeContext, query: Part): readonly Part[] {
  return context.include.has("process") ? [query, TABLE] : [query];
}

export const hlSmiShim = deviceTool({
  id: "hl-smi",
  maker: { vendor: "habana", pci: ["0x1da3"] },
  executables: ["hl-smi"],
  probe: (context) => [...tick(context, QUERY), IDS, MORE],
  tick: (context, probed) => tick(context, moreIn(stdoutOf(probed, MORE.id)).size > 0 ? QUERY_ALL : QUERY),
  read(outputs): DevicesRead {
    const { gpus, errors } = devicesIn(outputs);
    const table = outputs.get(TABLE.id);
    const failed = table === undefined ? null : partError("process", "hl-smi", table);
    return {
      gpus,
      processes: table === undefined ? undefined : processesIn(table.stdout, gpus),
      errors: failed === null ? errors : [...errors, failed],
    };
  },
});

type Cells = ReadonlyMap<string, string>;

function devicesIn(outputs: PartOutputs): {
  readonly gpus: readonly Gpu[];
  readonly errors: readonly SectionError[];
} {
  const text = stdoutOf(outputs, QUERY.id);
  const isAll = text.split("\n").some((line) => line.split(",").length >= ALL_COLUMNS.split(",").length);
  const ids = rowsOf(stdoutOf(outputs, IDS.id), ID_COLUMNS).rows;
  const idsOf = new Map(ids.map((row) => [row.get("index"), row]));
  // The probe's own answer is used in its own reading only: in a tick, the query has these columns.
  const moreOf = isAll ? null : moreIn(stdoutOf(outputs, MORE.id));
  const { rows, broken } = rowsOf(text, isAll ? ALL_COLUMNS : COLUMNS);
  const gpus = rows.map((row) =>
    gpuOf(row, idsOf.get(row.get("index")), moreOf === null ? row : moreOf.get(row.get("index"))),
  );
  return { gpus: distinctDevices(gpus), errors: gpus.length === 0 ? [] : broken };
}

/** By index; empty where the release does not know one of the fields. */
function moreIn(text: string): ReadonlyMap<string | undefined, Cells> {
  return new Map(rowsOf(text, `index,${MORE_COLUMNS}`).rows.map((row) => [row.get("index"), row]));
}

function rowsOf(text: string, columns: string): { rows: readonly Cells[]; broken: readonly SectionError[] } {
  const rows: Cells[] = [];
  const broken: SectionError[] = [];
  for (const line of readCsv(text, columns.split(","), "name").lines) {
    if (line.kind === "row" && integerCell(line.cells.get("index")) !== null) rows.push(line.cells);
    else {
      const shown = line.kind === "text" ? line.text : [...line.cells.values()].join(", ");
      broken.push({ section: "gpu", kind: "error", message: `hl-smi: ${oneLine(shown)}` });
    }
  }
  return { rows, broken };
}

function gpuOf(row: Cells, ids: Cells | undefined, more: Cells | undefined): Gpu {
  const total = totalCell(row.get("memory.total"), "MiB");
  const used = bytesCell(row.get("memory.used"), "MiB");
  return accelerator("NPU", {
    index: integerCell(row.get("index")),
    uuid: textCell(row.get("uuid")),
    name: textCell(row.get("name")),
    serial: textCell(ids?.get("serial")),
    pci_bus_id: textCell(ids?.get("bus_id")),
    driver_version: textCell(row.get("driver_version")),
    utilization: percentCell(row.get("utilization.aip")),
    temperature: celsiusCell(row.get("temperature.aip")),
    total_memory: total,
    used_memory: used,
    memory_free: bytesCell(row.get("memory.free"), "MiB") ?? freeOf(total, used),
    power_consumption: wattsCell(row.get("power.draw")),
    power_limit: wattsLimitCell(row.get("power.max")),
    ...(more === undefined ? {} : moreOf(more)),
  });
}

/** The names are nvidia-smi's: volatile counts begin when the driver is loaded. */
function moreOf(row: Cells): Partial<Gpu> {
  return {
    frequency: megahertzCell(row.get("clocks.current.soc")),
    ecc_corrected_total: integerCell(row.get("ecc.errors.corrected.aggregate.total")),
    ecc_uncorrected_total: integerCell(row.get("ecc.errors.uncorrected.aggregate.total")),
    ecc_corrected_since_load: integerCell(row.get("ecc.errors.corrected.volatile.total")),
    ecc_uncorrected_since_load: integerCell(row.get("ecc.errors.uncorrected.volatile.total")),
    pcie_link_gen: linkCell(row.get("pcie.link.gen.current")),
    pcie_link_width: linkCell(row.get("pcie.link.width.current")),
    detail: presentTexts({
      ecc_mode: textCell(row.get("ecc.mode.current")),
      ecc_errors_dram: readingText(row.get("ecc.errors.dram.volatile.total"), integerCell),
      ecc_errors_dram_corrected: readingText(
        row.get("ecc.errors.dram-corrected.volatile.total"),
        integerCell,
      ),
    }),
  };
}

/** Below `Compute Processes`: `|   1        3105  C      python3              14318MiB   |`; N/A where there is none. */
function processesIn(table: string, gpus: readonly Gpu[]): readonly Process[] {
  const uuidOf = uuidsByIndex(gpus);
  return textLines(table).flatMap((line) => {
    const [index, pid, , ...rest] = (cellsOf(line)?.[0] ?? "").split(/\s+/);
    const memory = /^(\d+)MiB$/.exec(rest.at(-1) ?? "")?.[1];
    const device = integerCell(index);
    const number = integerCell(pid);
    if (device === null || number === null || number === 0 || memory === undefined) return [];
    return [
      acceleratorProcess({
        pid: number,
        process_name: textCell(rest.slice(0, -1).join(" ")),
        device_id: device,
        device_uuid: uuidOf(device),
        used_memory: bytesCell(memory, "MiB"),
      }),
    ];
  });
}
