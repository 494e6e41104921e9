/**
 * Fans, labelled inlet and outlet temperatures and the power meter, from hwmon. The part has a deadline: drivers that ask
 * the firmware (ACPI, SMI, I2C) can take seconds or hang. Sensors of drives, network cards and GPUs are not read: each
 * reading would be a command to the device, and may wake it.
 */
import type { Chassis } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import type { Part } from "../shims/kit/shim.js";
import { wholeNumber } from "./numbers.js";

/** Drivers of such devices, of CPUs (see cpu-sensors.ts) and of memory modules. */
const EXCLUDED_DRIVERS =
  "nvme|drivetemp|amdgpu|radeon|nouveau|i915|xe|mlx*|bnxt*|i40e|ice|iwlwifi*|ath*|mt7*|coretemp|k10temp|spd5118|jc42";

/** Prints `PATH:CONTENT` lines; nothing when the host has no such sensor. */
export const CHASSIS_SENSORS: Part = {
  id: "host.sensors",
  kind: "buffered-shell",
  // A function has positional parameters of its own, without a copy of the shell.
  command:
    `hs() { set --; for hd in /sys/class/hwmon/hwmon*; do hn=; if [ -r $hd/name ]; then read -r hn <$hd/name; fi; hc=$#; ` +
    `case "$hn" in ""|${EXCLUDED_DRIVERS}) ;; *) ` +
    `for hf in $hd/fan*_input $hd/fan*_max $hd/fan*_label; do if [ -r $hf ]; then set -- "$@" $hf; fi; done; ` +
    `for hf in $hd/temp*_label; do hl=; if [ -r $hf ]; then read -r hl <$hf; fi; case "$hl" in ` +
    `*[Ii]nlet*|*INLET*|*[Oo]utlet*|*OUTLET*|*[Ee]xhaust*|*EXHAUST*) set -- "$@" $hf \${hf%_label}_input;; esac; done; ` +
    `case "$hn" in power_meter) set -- "$@" $hd/power1_average;; ` +
    `ibmpowernv) set -- "$@" $hd/power[1-9]_label $hd/power[1-9]_input;; esac;; esac; ` +
    `if [ $# -gt $hc ]; then set -- "$@" $hd/name; fi; done 2>/dev/null; ` +
    `if [ $# -gt 0 ]; then f; b grep -s "" /dev/null "$@"; fi; }; hs`,
};

type Readings = Pick<
  Chassis,
  "total_power_watts" | "inlet_temperature" | "outlet_temperature" | "fan_speeds"
>;

/** Temperatures in degrees C, power in watts; null for a sensor that the host does not have. */
export function parseChassisSensors(stdout: string): Readings {
  if (stdout === "")
    return { total_power_watts: null, inlet_temperature: null, outlet_temperature: null, fan_speeds: [] };
  const files = new Map<string, string>();
  for (const line of stdout.split("\n")) {
    const match = /^\/sys\/class\/hwmon\/(hwmon\d+\/\w+):(.*)$/.exec(line);
    if (match?.[1] !== undefined) files.set(match[1], (match[2] ?? "").trim());
  }
  return {
    total_power_watts: watts(files),
    inlet_temperature: labelled(files, /inlet/i),
    outlet_temperature: labelled(files, /outlet|exhaust/i),
    fan_speeds: fans(files),
  };
}

type Files = ReadonlyMap<string, string>;

/** Degrees C; of several sensors with such a label, the hottest. */
function labelled(files: Files, label: RegExp): number | null {
  let hottest: number | null = null;
  for (const [path, text] of files) {
    const sensor = /^(hwmon\d+\/temp\d+)_label$/.exec(path)?.[1];
    if (sensor === undefined || !label.test(text)) continue;
    const millidegrees = wholeNumber(files.get(`${sensor}_input`));
    if (millidegrees === null || millidegrees === 0 || millidegrees > 150_000) continue;
    hottest = Math.max(hottest ?? 0, millidegrees / 1000);
  }
  return hottest;
}

/** A fan that stands still reads 0 rpm, and so does a socket without a fan: the driver cannot distinguish them. */
function fans(files: Files): Chassis["fan_speeds"] {
  const found: Chassis["fan_speeds"][number][] = [];
  for (const [path, text] of files) {
    const match = /^(hwmon\d+)\/fan(\d{1,4})_input$/.exec(path);
    if (match === null) continue;
    const [, device = "", number = ""] = match;
    const driver = files.get(`${device}/name`) ?? device;
    const label = files.get(`${device}/fan${number}_label`);
    const max = rpm(files.get(`${device}/fan${number}_max`));
    found.push({
      id: found.length,
      name: cleanText(label === undefined || label === "" ? `${driver} fan${number}` : label),
      speed_rpm: rpm(text),
      max_rpm: max === 0 ? null : max,
    });
  }
  return found;
}

function rpm(text: string | undefined): number | null {
  const value = wholeNumber(text);
  return value !== null && value <= 200_000 ? value : null;
}

/** The ACPI power meter, or POWER's "System": the whole machine's input, averaged by the firmware. */
function watts(files: Files): number | null {
  for (const [path, text] of files) {
    const system = text === "System" ? /^(hwmon\d+\/power\d+)_label$/.exec(path)?.[1] : undefined;
    const isMeter = /^hwmon\d+\/power1_average$/.test(path);
    const microwatts = wholeNumber(
      isMeter ? text : system === undefined ? undefined : files.get(`${system}_input`),
    );
    if (microwatts !== null && microwatts > 0 && microwatts < 1e12) return microwatts / 1e6;
  }
  return null;
}
