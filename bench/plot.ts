/** The figures as one SVG: bars with their spread for ratios, curves over the number of hosts. */
import { spreadOf } from "./measure/figures.js";
import type { Figure, Measured, Series } from "./measure/figures.js";
import { judge } from "./thresholds.js";

const WIDTH = 900;
const LEFT = 330;
const ROW = 22;
const CURVE_HEIGHT = 240;

/** A whole SVG document. */
export function plot({ figures, series = [] }: Measured): string {
  const bars = figures.filter((figure) => judge(figure).kind !== "free" || figure.unit === "x");
  const barsHeight = bars.length * ROW + 50;
  const height = barsHeight + series.length * (CURVE_HEIGHT + 40) + 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="10" y="20" font-weight="bold">Median and spread; where there is a limit, in parts of it (line = limit)</text>`,
    ...bars.map((figure, row) => bar(figure, 35 + row * ROW)),
    ...series.map((curve, i) => curveOf(curve, barsHeight + i * (CURVE_HEIGHT + 40))),
    "</svg>",
    "",
  ].join("\n");
}

/** The scale ends at twice the limit. */
function bar(figure: Figure, y: number): string {
  const verdict = judge(figure);
  const limit = verdict.kind === "free" ? 1 : verdict.limit === 0 ? 1 : verdict.limit;
  const { min, median, max } = spreadOf(figure.values);
  const at = (value: number): number => LEFT + (Math.min(2, value / limit) / 2) * (WIDTH - LEFT - 90);
  const fill = verdict.kind === "missed" ? "#c0392b" : verdict.kind === "kept" ? "#2e7d5b" : "#8899aa";
  return [
    `<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${escapeXml(figure.what)}</text>`,
    `<rect x="${LEFT}" y="${y + 2}" width="${Math.max(1, at(median) - LEFT)}" height="13" fill="${fill}"/>`,
    `<line x1="${at(min)}" x2="${at(max)}" y1="${y + 8.5}" y2="${y + 8.5}" stroke="black"/>`,
    `<line x1="${at(limit)}" x2="${at(limit)}" y1="${y}" y2="${y + 17}" stroke="black" stroke-width="2"/>`,
    `<text x="${WIDTH - 82}" y="${y + 12}">${median.toPrecision(3)} ${figure.unit}</text>`,
  ].join("");
}

function curveOf({ what, unit, points }: Series, top: number): string {
  const logs = points.map(([x, y]) => [Math.log10(x), Math.log10(Math.max(y, 1e-9))] as const);
  const range = (values: readonly number[]): readonly [number, number] => [
    Math.floor(Math.min(...values)),
    Math.ceil(Math.max(...values)),
  ];
  const [x0, x1] = range(logs.map(([x]) => x));
  const [y0, y1] = range(logs.map(([, y]) => y));
  const px = (x: number): number => 80 + ((x - x0) / Math.max(1, x1 - x0)) * (WIDTH - 160);
  const py = (y: number): number =>
    top + CURVE_HEIGHT - ((y - y0) / Math.max(1, y1 - y0)) * (CURVE_HEIGHT - 40);
  const decades = (from: number, to: number): readonly number[] =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return [
    `<text x="10" y="${top + 20}" font-weight="bold">${escapeXml(what)} (${unit}, both axes logarithmic)</text>`,
    ...decades(x0, x1).map(
      (x) => `<text x="${px(x)}" y="${top + CURVE_HEIGHT + 16}" text-anchor="middle">${10 ** x}</text>`,
    ),
    ...decades(y0, y1).map((y) => `<text x="70" y="${py(y) + 4}" text-anchor="end">${10 ** y}</text>`),
    `<polyline fill="none" stroke="#2e7d5b" stroke-width="2" points="${logs.map(([x, y]) => `${px(x)},${py(y)}`).join(" ")}"/>`,
    ...logs.map(([x, y]) => `<circle cx="${px(x)}" cy="${py(y)}" r="3" fill="#2e7d5b"/>`),
  ].join("\n");
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
