/** The line above the table: the time of the newest reading, and the fleet as a whole. */
import { counted, wattsText } from "./quantities.js";
import { mean, type Sum, type Summary } from "./summary.js";
import { textWidth } from "./text-width.js";

export interface HeadFacts {
  /** Of the newest record, in ms since the epoch. */
  readonly nowMs: number;
  /** Null: a recording, whose day matters too. */
  readonly intervalMs: number | null;
  readonly hosts: number;
  /** Of these, the ones that are shown; fewer with a condition. */
  readonly shownHosts: number;
  /** Of the readings of the last tick alone. */
  readonly summary: Summary;
}

interface Part {
  readonly text: string;
  /** Parts of a higher number go first where there is no space. */
  readonly drop: number;
}
const GAP = "  ";

export function headLine(facts: HeadFacts, width: number): string {
  let parts = partsOf(facts);
  const line = (): string => parts.map(({ text }) => text).join(GAP);
  while (textWidth(line()) > width && parts.length > 1) {
    const most = Math.max(...parts.map(({ drop }) => drop));
    parts = parts.filter(({ drop }) => drop !== most);
  }
  return line();
}

function partsOf({ nowMs, intervalMs, hosts, shownHosts, summary }: HeadFacts): readonly Part[] {
  const { gpus, utilization, watts } = summary;
  const average = mean(utilization);
  const shown = shownHosts === hosts ? counted(hosts, "host") : `${shownHosts} of ${counted(hosts, "host")}`;
  return [
    { text: timeText(nowMs, intervalMs === null), drop: 1 },
    ...(intervalMs === null ? [] : [{ text: `every ${intervalMs / 1000} s`, drop: 5 }]),
    { text: shown, drop: 0 },
    ...(gpus === 0 ? [] : [{ text: counted(gpus, "GPU"), drop: 2 }]),
    ...(average === null
      ? []
      : [{ text: `${Math.round(average)} % utilization${ofGpus(utilization, gpus)}`, drop: 3 }]),
    ...(watts.known === 0 ? [] : [{ text: wattsText(watts.total) + ofGpus(watts, gpus), drop: 4 }]),
  ];
}

/** What a mean or a sum is of, where readings are missing. */
function ofGpus({ known }: Sum, gpus: number): string {
  return known === gpus ? "" : ` of ${counted(known, "GPU")}`;
}

/** Local time, as a clock on the wall. */
function timeText(ms: number, withDay: boolean): string {
  const time = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
  if (!withDay) return clock;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`;
}
