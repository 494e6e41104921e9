/** Memory and descriptors over the time of the soak, as one SVG: a panel for each gauge, with the seconds below. */
import { GAUGES } from "./gauges.js";
import type { Gauge } from "./gauges.js";
import type { Soaked } from "./soak.js";

const WIDTH = 900;
const LEFT = 70;
const PANEL = 110;

const TITLES: Readonly<Record<Gauge, string>> = {
  rssMib: "Resident memory of the watcher (MiB)",
  heapMib: "Live heap after a collection (MiB)",
  descriptors: "Open descriptors",
  children: "Child processes of the watcher",
  sockets: "Socket objects",
  channels: "Channels and other streams",
  timers: "Timers",
  abortListeners: "Listeners on abort signals",
  remoteProcesses: "Processes of the sessions on the hosts",
};

/** The seconds in which there were faults are grey. */
export function plotOf({ readings, faultsFrom, faultsTo }: Soaked, title: string): string {
  const lastSecs = Math.max(1, ...readings.map(({ secs }) => secs));
  const px = (secs: number): number => LEFT + (secs / lastSecs) * (WIDTH - LEFT - 20);
  const height = 40 + GAUGES.length * (PANEL + 30) + 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="10" y="20" font-weight="bold">${title}</text>`,
    ...GAUGES.flatMap((gauge, row) => {
      const top = 50 + row * (PANEL + 30);
      const most = Math.max(1, ...readings.map((reading) => reading[gauge]));
      const py = (value: number): number => top + PANEL - (value / most) * (PANEL - 10);
      const points = readings.map(
        (reading) => `${px(reading.secs).toFixed(1)},${py(reading[gauge]).toFixed(1)}`,
      );
      return [
        `<rect x="${px(faultsFrom).toFixed(1)}" y="${top}" width="${(px(faultsTo) - px(faultsFrom)).toFixed(1)}" height="${PANEL}" fill="#eef1f4"/>`,
        `<text x="10" y="${top - 4}">${TITLES[gauge]}</text>`,
        `<text x="${LEFT - 6}" y="${py(most) + 4}" text-anchor="end">${most.toFixed(0)}</text>`,
        `<text x="${LEFT - 6}" y="${top + PANEL}" text-anchor="end">0</text>`,
        `<line x1="${LEFT}" x2="${WIDTH - 20}" y1="${top + PANEL}" y2="${top + PANEL}" stroke="#8899aa"/>`,
        `<polyline fill="none" stroke="#2e7d5b" stroke-width="2" points="${points.join(" ")}"/>`,
      ];
    }),
    `<text x="${LEFT}" y="${height - 8}">0 to ${lastSecs.toFixed(0)} s; grey: a fault a second</text>`,
    "</svg>",
    "",
  ].join("\n");
}
