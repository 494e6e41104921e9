/** A host as one row: its GPUs as counts, means and one mark each. */
import { bySeverity } from "../../contract/health.js";
import type { FrameRecord } from "../../contract/record.js";
import { cleanText } from "../../lib/text.js";
import { bar, glances, model, strip, temperature, type Cell } from "./cells.js";
import {
  gpuDevices,
  headCells,
  healthCell,
  hostCells,
  judged,
  type Cells,
  type RowContext,
} from "./gpu-rows.js";
import { holdersOf } from "./holders.js";
import { gpuErrors, hostErrors, notesOf, stateNote } from "./notes.js";
import { gib, pair, rounded, UNKNOWN } from "./quantities.js";
import type { NamedHost } from "./roster.js";
import type { TableRow } from "./row.js";
import { glanceOf, mean, sumOrNull, type Sum, type Summary } from "./summary.js";

/** `isAmongGroups`: a mark stands for a host there, and columns that groups have nothing in are left out. */
export function hostRow(named: NamedHost, context: RowContext, isAmongGroups = false): TableRow {
  const { host } = named;
  const { last } = host;
  const status = last.health?.status;
  const row = { state: last.state, ...judged(status) };
  const cells = { ...headCells(named, context), ...healthCell(status) };
  const reading = host.reading(context.nowMs);
  if (last.record === "state") {
    const message = cleanText(stateNote(last));
    if (reading === null) return { ...row, cells, message };
    return {
      ...row,
      cells: { ...readingCells(named, reading, context, isAmongGroups), ...cells, note: { text: message } },
      isLate: true,
    };
  }
  const readings = readingCells(named, last, context, isAmongGroups);
  return { ...row, cells: { ...cells, ...readings, note: noteOf(last) } };
}

/** What several GPUs come to; also of several hosts. A sum that lacks readings has a plus. */
export function summaryCells(summary: Summary, { look, isScreen }: RowContext): Cells {
  const { gpus, utilization, usedBytes, totalBytes, watts, hottest, heat } = summary;
  const average = mean(utilization);
  const used = pair(gib(sumOrNull(usedBytes)), gib(sumOrNull(totalBytes)));
  return {
    gpus: { text: String(gpus) },
    utilization: { text: rounded(average) },
    ...(isScreen ? { bar: bar(average, look) } : {}),
    memory: { text: used + plusOf(usedBytes, gpus) },
    temperature: temperature(hottest, heat, look),
    power: { text: rounded(sumOrNull(watts)) + plusOf(watts, gpus) },
  };
}

function plusOf({ known }: Sum, gpus: number): string {
  return known > 0 && known < gpus ? "+" : "";
}

const DASH: Cell = { text: UNKNOWN };

function readingCells(
  { host }: NamedHost,
  frame: FrameRecord,
  context: RowContext,
  isAmongGroups: boolean,
): Cells {
  const { look, nowMs, isScreen } = context;
  const shared = hostCells(frame, context);
  const gpus = frame.gpus ?? [];
  if (frame.gpus === undefined) return shared;
  if (gpus.length === 0)
    return { gpus: { text: "0" }, ...(isAmongGroups ? {} : { device: DASH }), ...shared };
  const utilizations = gpus.map(({ utilization }) => utilization);
  const each = {
    ...(isScreen ? { strip: strip(utilizations, look) } : {}),
    ...(isScreen && !isAmongGroups ? { glances: glances(gpus.map(glanceOf), look) } : {}),
  };
  return {
    ...summaryCells(host.summary(nowMs), context),
    ...(isAmongGroups ? {} : { device: models(gpus.map(({ name }) => name ?? "")) }),
    ...each,
    ...holders(frame),
    ...shared,
  };
}

/** The models that are there, each once. */
function models(names: readonly string[]): Cell {
  const cells = [...new Set(names.filter((name) => name !== ""))].map((name) => model(cleanText(name)));
  if (cells.length === 0) return DASH;
  return {
    text: cells.map(({ text }) => text).join(", "),
    short: cells.map(({ text, short }) => short ?? text).join(", "),
  };
}

/** Who holds the host's GPUs, each once. */
function holders(frame: FrameRecord): Cells {
  const texts = (frame.gpus ?? []).map((gpu) => holdersOf(frame, gpu));
  const all = new Set(texts.flatMap((text) => (text === null || text === "" ? [] : text.split(", "))));
  return texts.every((text) => text === null) ? {} : { holders: { text: [...all].join(", ") } };
}

/** What is wrong, worst first, with its device. */
function noteOf(frame: FrameRecord): Cell {
  const devices = gpuDevices(frame);
  const findings = bySeverity(frame.health?.findings ?? []).map((finding) => ({
    ...finding,
    message: finding.device === null ? finding.message : `${finding.device}: ${finding.message}`,
  }));
  const errors = [
    ...devices.flatMap((gpu) =>
      gpuErrors(gpu).map(({ message, text }) => ({ message, text: `gpu ${gpu.index}: ${text}` })),
    ),
    ...hostErrors(frame, devices),
  ];
  return { text: cleanText(notesOf(findings, errors).join("; ")) };
}
