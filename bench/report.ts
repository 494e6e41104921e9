/** What was measured, as a text table, JSON and a plot. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { spreadOf } from "./measure/figures.js";
import type { Figure, Measured } from "./measure/figures.js";
import { plot } from "./plot.js";
import { judge, THRESHOLDS } from "./thresholds.js";

export const RESULTS = fileURLToPath(new URL("results", import.meta.url));

/** The table's text, figures with a threshold first. */
export function tableOf({ figures, notes = [] }: Measured): string {
  const judged = figures.map((figure) => ({ figure, verdict: judge(figure) }));
  const held = judged.filter(({ verdict }) => verdict.kind !== "free");
  const free = judged.filter(({ verdict }) => verdict.kind === "free");
  const rows = [...held, ...free].map(({ figure, verdict }) => {
    const { min, median, max } = spreadOf(figure.values);
    const limit = verdict.kind === "free" ? "" : `<= ${verdict.limit}`;
    const word = verdict.kind === "free" ? "" : verdict.kind === "kept" ? "ok" : "MISSED";
    return [
      figure.what,
      shown(min),
      shown(median),
      shown(max),
      figure.unit,
      limit,
      word,
      String(figure.values.length),
    ];
  });
  const heads = ["figure", "min", "median", "max", "unit", "limit", "", "runs"];
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 0 || i > 3 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  const missing = notMeasured(figures);
  return [
    line(heads),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map(line),
    "",
    ...notes.map((note) => `* ${note}`),
    ...(missing.length === 0 ? [] : [`* not measured in this run: ${missing.join(", ")}`]),
    "",
  ].join("\n");
}

/** Whether every threshold that was measured was kept. */
export function isKept({ figures }: Measured): boolean {
  return figures.every((figure) => judge(figure).kind !== "missed");
}

/** Writes `DIR/<stamp>.json`, `.svg` and `.txt`; returns their common name. */
export function writeResults(
  dir: string,
  measured: Measured,
  facts: Readonly<Record<string, unknown>>,
): string {
  mkdirSync(dir, { recursive: true });
  const base = join(dir, new Date().toISOString().replace(/[:.]/g, "-"));
  const figures = measured.figures.map((figure) => ({
    ...figure,
    ...spreadOf(figure.values),
    verdict: judge(figure),
  }));
  writeFileSync(`${base}.json`, `${JSON.stringify({ ...facts, ...measured, figures }, null, 1)}\n`);
  writeFileSync(`${base}.svg`, plot(measured));
  writeFileSync(`${base}.txt`, tableOf(measured));
  return base;
}

function notMeasured(figures: readonly Figure[]): readonly string[] {
  return THRESHOLDS.map(({ id }) => id).filter((id) => figures.every((figure) => figure.id !== id));
}

function shown(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
