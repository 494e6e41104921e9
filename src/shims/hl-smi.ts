/** Intel Gaudi's hl-smi: CSV with units. Source: Habana's "System Management Interface Tool" guide and all-smi's tests. */
import type { Gpu, Process, SectionError } from "../contract/record.js";
import { oneLine } from "../lib/text.js";
import { accelerator, acceleratorProcess, freeOf, uuidsByIndex } from "./kit/accelerator.js";
import { cellsOf, textLines } from "./kit/box-table.js";
import {
  bytesCell,
  celsiusCell,
  integerCell,
  percentCell,
  textCell,
  totalCell,
  wattsCell,
  wattsLimitCell,
} from "./kit/cells.js";
import { readCsv } from "./kit/csv-rows.js";
import { distinctDevices } from "./kit/device-list.js";
import { deviceTool, stdoutOf, type DevicesRead } from "./kit/device-tool.js";
import { partError } from "./kit/part-output.js";
import type { Part, ProbeContext } from "./kit/shim.js";

// Fields that every release has: the whole query fails for an unknown field.
const COLUMNS =
  "index,uuid,name,driver_version,memory.total,memory.used,memory.free,power.draw,power.max,temperature.aip,utilization.aip";
const ID_COLUMNS = "index,bus_id,serial";

const query = (id: string, columns: string): Part => ({
  id,
  kind: "program",
  command: `{tool} -Q ${columns} -f csv,noheader`,
});
const QUERY = query("hl-smi.query", COLUMNS);
const IDS = query("hl-smi.ids", ID_COLUMNS);
// Only the human-readable table has processes.
const TABLE: Part = { id: "hl-smi.table", kind: "program", command: "{tool}" };

function tick(context: ProbeContext): readonly Part[] {
  return context.include.has("process") ? [QUERY, TABLE] : [QUERY];
}

export const hlSmiShim = deviceTool({
  id: "hl-smi",
  maker: { vendor: "habana", pci: ["0x1da3"] },
  executables: ["hl-smi"],
  probe: (context) => [...tick(context), IDS],
  tick,
  read(outputs): DevicesRead {
    const { gpus, errors } = devicesIn(stdoutOf(outputs, QUERY.id), stdoutOf(outputs, IDS.id));
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

function devicesIn(
  query: string,
  ids: string,
): { readonly gpus: readonly Gpu[]; readonly errors: readonly SectionError[] } {
  const idsOf = new Map(rowsOf(ids, ID_COLUMNS).rows.map((row) => [row.get("index"), row]));
  const { rows, broken } = rowsOf(query, COLUMNS);
  const gpus = rows.map((row) => gpuOf(row, idsOf.get(row.get("index"))));
  return { gpus: distinctDevices(gpus), errors: gpus.length === 0 ? [] : broken };
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

function gpuOf(row: Cells, ids: Cells | undefined): Gpu {
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
  });
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
