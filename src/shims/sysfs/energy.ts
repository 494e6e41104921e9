/** Watts from the energy counters of two ticks (energyN_input, microjoules since an arbitrary start). */
import { numberCell } from "../kit/cells.js";
import { shifted } from "../kit/digits.js";
import type { SysfsDevice } from "./listing.js";

/**
 * A counter of 32 bits in units of 61 microjoules wraps after 262 kJ. The driver adds up what it has seen between two
 * reads: in this time no GPU below 870 W goes round once.
 */
const MAX_SECS = 300;
/** The kernel prints its uptime in hundredths of a second: in less time than this, power would be wrong by a tenth. */
const MIN_SECS = 0.1;

interface Count {
  /** `energy1_input` or `energy2_input`. */
  readonly counter: string;
  readonly microjoules: number;
  readonly uptimeSecs: number;
}

export interface Energy {
  /** As the counter has it; null where the device has none. */
  readonly joules: number | null;
  /** Mean since the last reading; null in the first, or where the counter started anew. */
  readonly watts: number | null;
}

/** The counters of one host's devices from tick to tick. */
export class EnergyCounters {
  readonly #last = new Map<string, Count>();

  read(device: SysfsDevice): Energy {
    const before = this.#last.get(device.address);
    const now = countOf(device);
    if (now === null) this.#last.delete(device.address);
    else this.#last.set(device.address, now);
    return { joules: now === null ? null : shifted(now.microjoules, -6), watts: wattsBetween(before, now) };
  }

  /** Drops the counters of devices that are not among these any more. */
  keepOnly(devices: readonly SysfsDevice[]): void {
    const there = new Set(devices.map(({ address }) => address));
    for (const address of this.#last.keys()) if (!there.has(address)) this.#last.delete(address);
  }
}

function wattsBetween(before: Count | undefined, now: Count | null): number | null {
  if (before === undefined || now?.counter !== before.counter) return null;
  const secs = now.uptimeSecs - before.uptimeSecs;
  if (secs < MIN_SECS || secs > MAX_SECS || now.microjoules < before.microjoules) return null;
  const watts = (now.microjoules - before.microjoules) / 1e6 / secs;
  return Math.round(watts * 100) / 100;
}

/** The whole card's counter, or that of its package where there is no other. */
function countOf({ values }: SysfsDevice): Count | null {
  const uptimeSecs = numberCell(values.get("uptime"));
  for (const counter of ["energy1_input", "energy2_input"]) {
    const text = values.get(counter);
    const microjoules = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : null;
    if (microjoules !== null && uptimeSecs !== null) return { counter, microjoules, uptimeSecs };
  }
  return null;
}
