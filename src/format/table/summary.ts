/** What the GPUs of a host, or of several, come to: counts, means, sums. Missing readings are left out, and counted. */
import type { FrameRecord, Gpu } from "../../contract/record.js";
import { heatOf, type Heat } from "../../health/heat.js";
import type { GpuGlance } from "./cells.js";
import { isNumber } from "./quantities.js";

/** Of the readings that are there. */
export interface Sum {
  readonly total: number;
  readonly known: number;
}

export interface Summary {
  readonly gpus: number;
  readonly utilization: Sum;
  readonly usedBytes: Sum;
  readonly totalBytes: Sum;
  readonly watts: Sum;
  /** °C; null: none is known. */
  readonly hottest: number | null;
  /** Of the GPU that is worst off. */
  readonly heat: Heat;
}

const NOTHING: Sum = { total: 0, known: 0 };
export const NO_SUMMARY: Summary = {
  gpus: 0,
  utilization: NOTHING,
  usedBytes: NOTHING,
  totalBytes: NOTHING,
  watts: NOTHING,
  hottest: null,
  heat: "normal",
};
const HEATS: readonly Heat[] = ["normal", "warm", "hot"];

class Adder {
  total = 0;
  known = 0;
  add(value: unknown): void {
    if (!isNumber(value)) return;
    this.total += value;
    this.known += 1;
  }
  join({ total, known }: Sum): void {
    this.total += total;
    this.known += known;
  }
}

export function summaryOf({ gpus = [] }: FrameRecord): Summary {
  const [utilization, usedBytes, totalBytes, watts] = [new Adder(), new Adder(), new Adder(), new Adder()];
  let hottest: number | null = null;
  let heat: Heat = "normal";
  for (const gpu of gpus) {
    utilization.add(gpu.utilization);
    // Only together: else the share of memory that is used would be wrong.
    if (isNumber(gpu.used_memory) && isNumber(gpu.total_memory)) {
      usedBytes.add(gpu.used_memory);
      totalBytes.add(gpu.total_memory);
    }
    watts.add(gpu.power_consumption);
    if (isNumber(gpu.temperature)) hottest = Math.max(hottest ?? -Infinity, gpu.temperature);
    if (heat !== "hot") heat = worse(heat, heatOf(gpu));
  }
  return { gpus: gpus.length, utilization, usedBytes, totalBytes, watts, hottest, heat };
}

export function sumOfSummaries(parts: readonly Summary[]): Summary {
  const [utilization, usedBytes, totalBytes, watts] = [new Adder(), new Adder(), new Adder(), new Adder()];
  let [gpus, hottest, heat]: [number, number | null, Heat] = [0, null, "normal"];
  for (const part of parts) {
    gpus += part.gpus;
    utilization.join(part.utilization);
    usedBytes.join(part.usedBytes);
    totalBytes.join(part.totalBytes);
    watts.join(part.watts);
    if (part.hottest !== null) hottest = Math.max(hottest ?? -Infinity, part.hottest);
    heat = worse(heat, part.heat);
  }
  return { gpus, utilization, usedBytes, totalBytes, watts, hottest, heat };
}

export function mean({ total, known }: Sum): number | null {
  return known === 0 ? null : total / known;
}

export function sumOrNull({ total, known }: Sum): number | null {
  return known === 0 ? null : total;
}

export function glanceOf(gpu: Gpu): GpuGlance {
  return {
    utilization: gpu.utilization,
    temperature: gpu.temperature,
    heat: heatOf(gpu),
    isFailed: gpu.error !== undefined,
  };
}

function worse(one: Heat, other: Heat): Heat {
  return HEATS[Math.max(HEATS.indexOf(one), HEATS.indexOf(other))] ?? one;
}
