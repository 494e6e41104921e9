/**
 * CPU temperatures (hwmon) and, where the account may read it, package energy (RAPL). The shell's own `read` is used,
 * which starts no process. The chosen drivers read registers of the CPU and cannot hang.
 */
import { cleanText } from "../lib/text.js";
import { wholeNumber } from "./numbers.js";

/** Drivers with the package among their first two inputs: Intel, AMD (Tctl, Tdie), thermal zones of ARM boards. */
const CPU_DRIVERS = "coretemp|k10temp|zenpower|cpu*therm*|CPU*therm*|bigcore*therm*";

/**
 * Prints `@temps` and lines of `DRIVER DEVICE INPUT MILLIDEGREES LABEL`, then `@energy` and lines of
 * `NAME MICROJOULES UPTIME`.
 */
export const CPU_SENSORS_COMMAND =
  `w "@temps$n"; for hd in /sys/class/hwmon/hwmon*; do hn=; if [ -r $hd/name ]; then read -r hn <$hd/name; fi; ` +
  `case "$hn" in ${CPU_DRIVERS}) for hi in 1 2; do hv=; hl=; ` +
  `if [ -r $hd/temp\${hi}_input ]; then read -r hv <$hd/temp\${hi}_input; fi; ` +
  `if [ -r $hd/temp\${hi}_label ]; then read -r hl <$hd/temp\${hi}_label; fi; ` +
  `if [ -n "$hv" ]; then w "$hn $hd $hi $hv $hl$n"; fi; done;; esac; done 2>/dev/null; ` +
  `w "@energy$n"; for hd in /sys/class/powercap/intel-rapl:?; do if [ -r $hd/energy_uj ]; then ` +
  `read -r hn <$hd/name; read -r hv <$hd/energy_uj; read -r hl </proc/uptime; w "$hn $hv $hl$n"; fi; done 2>/dev/null`;

const AT = 0x40;
const NO_PACKAGES: CpuSensors["packages"] = new Map();
const NO_ENERGY: CpuSensors["energy"] = new Map();

export interface CpuSensors {
  /** Degrees C, the hottest package; null when there is no sensor. */
  readonly temperature: number | null;
  /** Degrees C by package id, where the driver labels it so. */
  readonly packages: ReadonlyMap<number, number>;
  /** By domain name (`package-0`): microjoules since an arbitrary start, and the host's uptime in seconds at the reading. */
  readonly energy: ReadonlyMap<string, { readonly microjoules: number; readonly atSecs: number }>;
}

/** `lines`: what CPU_SENSORS_COMMAND printed, other lines among them. */
export function parseCpuSensors(lines: readonly string[]): CpuSensors {
  let block: "temps" | "energy" | null = null;
  let temperatures: Temperatures | null = null;
  let energy: Energy | null = null;
  for (const line of lines) {
    if (line.charCodeAt(0) === AT) block = line === "@temps" ? "temps" : line === "@energy" ? "energy" : null;
    else if (block === "temps")
      readTemperature(line, (temperatures ??= { packages: new Map(), byDevice: new Map() }));
    else if (block === "energy") readEnergy(line, (energy ??= new Map<string, Reading>()));
  }
  if (temperatures === null) return { temperature: null, packages: NO_PACKAGES, energy: energy ?? NO_ENERGY };
  const hottest = [...temperatures.byDevice.values()].reduce((max, value) => Math.max(max, value), 0);
  return {
    temperature: hottest === 0 ? null : hottest,
    packages: temperatures.packages,
    energy: energy ?? NO_ENERGY,
  };
}

interface Temperatures {
  readonly packages: Map<number, number>;
  readonly byDevice: Map<string, number>;
}

function readTemperature(line: string, { packages, byDevice }: Temperatures): void {
  const match = /^(\S+) (\S+) ([12]) (-?\d{1,7})(?: (.*))?$/.exec(line);
  if (match === null) return;
  const [, driver = "", device = "", input = "", value = "", label = ""] = match;
  const celsius = Number(value) / 1000;
  // A sensor that is off reads 0 or below; none is rated above 150.
  if (celsius <= 0 || celsius > 150) return;
  const packageId = wholeNumber(/^(?:Package|Physical) id (\d+)$/.exec(label)?.[1]);
  if (packageId !== null) packages.set(packageId, celsius);
  // coretemp's second input is a core. k10temp's is Tdie, the die itself; its first, Tctl, may have an offset.
  const isPackage = input === "1" || (driver !== "coretemp" && label === "Tdie");
  if (isPackage) byDevice.set(device, celsius);
}

interface Reading {
  readonly microjoules: number;
  readonly atSecs: number;
}
type Energy = Map<string, Reading>;

function readEnergy(line: string, energy: Energy): void {
  const match = /^(package-\d+) (\d+) (\d{1,10}(?:\.\d+)?)(?: .*)?$/.exec(line);
  const microjoules = wholeNumber(match?.[2]);
  if (match?.[1] === undefined || microjoules === null) return;
  energy.set(cleanText(match[1]), { microjoules, atSecs: Number(match[3]) });
}

/** Mean watts of all packages between two readings; null when one is missing or a counter has, or may have, wrapped. */
export function wattsBetween(before: CpuSensors | null, after: CpuSensors): number | null {
  if (before === null || after.energy.size === 0) return null;
  let watts = 0;
  for (const [domain, now] of after.energy) {
    const earlier = before.energy.get(domain);
    const elapsed = now.atSecs - (earlier?.atSecs ?? now.atSecs);
    // The counter of a busy package wraps after some minutes.
    if (earlier === undefined || elapsed <= 0 || elapsed > 60 || now.microjoules < earlier.microjoules)
      return null;
    watts += (now.microjoules - earlier.microjoules) / 1e6 / elapsed;
  }
  return Math.round(watts * 100) / 100;
}
