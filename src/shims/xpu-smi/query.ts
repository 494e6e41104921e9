/**
 * xpu-smi 2.0's `--query-gpu`: CSV without a header, a row for each GPU. Source: docs/sphinx/xpu-smi/overview.rst
 * ("--query-gpu Field Reference") and ial/cmn/metrics of xpumanager 2.0.0, which has every field named here.
 */
import type { Gpu, SectionError } from "../../contract/record.js";
import { oneLine } from "../../lib/text.js";
import { accelerator, freeOf } from "../kit/accelerator.js";
import {
  bytesCell,
  celsiusCell,
  fanCell,
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
} from "../kit/cells.js";
import { readCsv } from "../kit/csv-rows.js";
import { distinctDevices } from "../kit/device-list.js";
import { replaysOf } from "../kit/pcie.js";

const COLUMNS = [
  "index",
  "uuid",
  "name",
  "serial",
  "driver_version",
  "pci.bus_id",
  "utilization.gpu",
  "utilization.memory",
  "memory.total",
  "memory.used",
  "memory.free",
  "temperature.gpu",
  "temperature.memory",
  "power.draw",
  "power.limit",
  "clocks.current.graphics",
  "fan.speed",
  "pcie.link.gen.current",
  "pcie.link.width.current",
  "ecc.errors.corrected.aggregate.total",
  "ecc.errors.uncorrected.aggregate.total",
  "ecc.mode.current",
  "vbios_version",
  "utilization.compute",
  "utilization.media",
  "utilization.copy",
  "ras.reset",
  "ras.programming.errors",
  "ras.driver.errors",
  "ras.non_compute.errors.total",
  "pcie.replay.counter",
  "clocks.throttle.reason",
] as const;
/** The argument of `--query-gpu`. */
export const XPU_QUERY_FIELDS = COLUMNS.join(",");

/** Rows that are no GPU, such as messages of the tool, become errors. */
export function gpusInCsv(text: string): {
  readonly gpus: readonly Gpu[];
  readonly errors: readonly SectionError[];
} {
  const gpus: Gpu[] = [];
  const errors: SectionError[] = [];
  for (const line of readCsv(withoutReasonCommas(text), COLUMNS, "name").lines) {
    const index = line.kind === "row" ? integerCell(line.cells.get("index")) : null;
    if (line.kind === "row" && index !== null) gpus.push(gpuOfRow(index, line.cells));
    else {
      const shown = line.kind === "text" ? line.text : [...line.cells.values()].join(", ");
      errors.push({ section: "gpu", kind: "error", message: `xpu-smi: ${oneLine(shown)}` });
    }
  }
  return { gpus: distinctDevices(gpus), errors };
}

// zes_freq_throttle_reason_flags_t as clock.cpp names them: several are one cell of the last column, with commas.
const REASON = "(?:Thermal|Power|PowerBurst|Current|SW|HW|Voltage|ThermalAlert|PowerAlert)";
const REASONS = new RegExp(`, ?(${REASON}(?:, ?${REASON})+) ?$`, "gm");

function withoutReasonCommas(text: string): string {
  return text.replace(REASONS, (_, reasons: string) => `, ${reasons.replace(/, ?/g, "+")}`);
}

function throttleReasons(raw: string | undefined): readonly string[] | null {
  const text = textCell(raw);
  if (text === null) return null;
  return text === "None" ? [] : text.split("+");
}

function gpuOfRow(index: number, row: ReadonlyMap<string, string>): Gpu {
  const cell = (column: (typeof COLUMNS)[number]): string | undefined => row.get(column);
  const total = totalCell(cell("memory.total"), "MiB");
  const used = bytesCell(cell("memory.used"), "MiB");
  return accelerator("GPU", {
    index,
    uuid: textCell(cell("uuid")),
    name: textCell(cell("name")),
    serial: textCell(cell("serial")),
    driver_version: textCell(cell("driver_version")),
    pci_bus_id: textCell(cell("pci.bus_id")),
    utilization: percentCell(cell("utilization.gpu")),
    memory_utilization: percentCell(cell("utilization.memory")),
    total_memory: total,
    used_memory: used,
    memory_free: bytesCell(cell("memory.free"), "MiB") ?? freeOf(total, used),
    temperature: celsiusCell(cell("temperature.gpu")),
    temperature_memory: celsiusCell(cell("temperature.memory")),
    power_consumption: wattsCell(cell("power.draw")),
    power_limit: wattsLimitCell(cell("power.limit")),
    frequency: megahertzCell(cell("clocks.current.graphics")),
    fan_speed_percent: fanCell(cell("fan.speed")),
    pcie_link_gen: linkCell(cell("pcie.link.gen.current")),
    pcie_link_width: linkCell(cell("pcie.link.width.current")),
    ecc_corrected_total: integerCell(cell("ecc.errors.corrected.aggregate.total")),
    ecc_uncorrected_total: integerCell(cell("ecc.errors.uncorrected.aggregate.total")),
    // Level Zero counts from the load of the driver on (zesRasGetState).
    ecc_corrected_since_load: integerCell(cell("ecc.errors.corrected.aggregate.total")),
    ecc_uncorrected_since_load: integerCell(cell("ecc.errors.uncorrected.aggregate.total")),
    throttle_reasons: throttleReasons(cell("clocks.throttle.reason")),
    ...replaysOf(integerCell(cell("pcie.replay.counter"))),
    detail: presentTexts({
      ecc_mode: textCell(cell("ecc.mode.current")),
      vbios_version: textCell(cell("vbios_version")),
      compute_utilization: readingText(cell("utilization.compute"), percentCell),
      media_utilization: readingText(cell("utilization.media"), percentCell),
      copy_utilization: readingText(cell("utilization.copy"), percentCell),
      ras_reset: readingText(cell("ras.reset"), integerCell),
      ras_programming_errors: readingText(cell("ras.programming.errors"), integerCell),
      ras_driver_errors: readingText(cell("ras.driver.errors"), integerCell),
      ras_non_compute_errors: readingText(cell("ras.non_compute.errors.total"), integerCell),
      pcie_replay_count: readingText(cell("pcie.replay.counter"), integerCell),
    }),
  });
}
