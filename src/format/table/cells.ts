/** A cell of the table and what several views put into cells: bars, strips, temperatures, models. */
import type { Heat } from "../../health/heat.js";
import type { Look, Paint } from "./look.js";
import { isNumber, rounded } from "./quantities.js";

export interface Cell {
  readonly text: string;
  /** Stands in for `text` where the column is too narrow for all of its texts. */
  readonly short?: string;
  /** Takes the text as it is shown. */
  readonly paint?: Paint;
}

const BAR_CELLS = 10;
/** Follows a temperature for which a health rule fires, so that it shows without colour. */
const HOT_MARK = "!";
const VENDOR =
  /^(?:NVIDIA|AMD Instinct|AMD Radeon|AMD|Intel\(R\)|Intel|Tenstorrent|Huawei|Habana|Google)\s+(?=\S)/i;

/** A share of 100 % as a bar; empty where it is not known. */
export function bar(percent: number | null, { symbols, bar: paint, faint }: Look): Cell {
  if (!isNumber(percent)) return { text: "" };
  const full = Math.round((Math.min(100, Math.max(0, percent)) / 100) * BAR_CELLS);
  return {
    text: symbols.full.repeat(full) + symbols.empty.repeat(BAR_CELLS - full),
    paint: (text) => {
      const rest = text.slice(full);
      return paint(text.slice(0, full)) + (rest === "" ? "" : faint(rest));
    },
  };
}

/** One character for each share of 100 %. */
export function strip(percents: readonly (number | null)[], { symbols, bar: paint }: Look): Cell {
  const { steps, missing } = symbols;
  const step = (percent: number | null): string => {
    if (!isNumber(percent)) return missing;
    const at = Math.floor((Math.min(100, Math.max(0, percent)) / 100) * steps.length);
    return steps[Math.min(at, steps.length - 1)] ?? missing;
  };
  return { text: percents.map(step).join(""), paint };
}

export function temperature(degrees: unknown, heat: Heat, look: Look): Cell {
  const text = rounded(degrees);
  if (heat === "normal") return { text };
  return { text: heat === "hot" ? `${text}${HOT_MARK}` : text, paint: look.heat[heat] };
}

export interface GpuGlance {
  readonly utilization: number | null;
  readonly temperature: number | null;
  readonly heat: Heat;
  readonly isFailed: boolean;
}

/** Utilization and temperature of each GPU, as `97/61 100/84! failed`. */
export function glances(gpus: readonly GpuGlance[], look: Look): Cell {
  const texts = gpus.map((gpu) => {
    if (gpu.isFailed) return "failed".padStart(6);
    const degrees = temperature(gpu.temperature, gpu.heat, look).text;
    return `${rounded(gpu.utilization).padStart(3)}/${degrees.padEnd(2)}`;
  });
  const paint: Paint = (text) =>
    text.replace(new RegExp(`\\S+${HOT_MARK}|failed`, "g"), (found) => look.heat.hot(found));
  return { text: texts.join(" "), paint };
}

/** `NVIDIA H100 80GB HBM3` is `H100 80GB HBM3` where there is no space for all of it. */
export function model(name: string): Cell {
  const short = name.replace(VENDOR, "");
  return short === name ? { text: name } : { text: name, short };
}
