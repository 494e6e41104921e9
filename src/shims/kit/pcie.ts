/** The PCIe link of a device: its generation by the speed that tools print (PCI Express Base Specification 6.0, 1.2), its replays. */
import type { Gpu } from "../../contract/record.js";
import { numberCell } from "./cells.js";

const GENERATION_OF_SPEED = new Map([
  [2.5, 1],
  [5, 2],
  [8, 3],
  [16, 4],
  [32, 5],
  [64, 6],
]);

/** PCIe generation, from `16 GT/s`, `16.0GT/s PCIe` or a bare number of GT/s or MT/s; null for any other speed. */
export function pcieGeneration(speed: string | null): number | null {
  const value = numberCell(speed?.replace(/ ?[GM]T\/s(?: PCIe)?$/i, ""));
  if (value === null) return null;
  return GENERATION_OF_SPEED.get(value > 1000 ? value / 1000 : value) ?? null;
}

/** The link of a tool that counts replays in every tick and no traffic. Nothing where the device has no such counter. */
export function replaysOf(count: number | null): Pick<Gpu, "pcie"> {
  return count === null ? {} : { pcie: { replay_errors: count, ticks_ago: 0 } };
}
