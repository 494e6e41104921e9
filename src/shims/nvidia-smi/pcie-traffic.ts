/**
 * `nvidia-smi dmon -s et`: PCIe replays and traffic, a row for each GPU. Source: nvidia-smi(1), driver 580, "Device
 * Monitoring" (-s e: ECC errors and PCIe replay errors, -s t: PCIe Rx and Tx throughput in MB/s); the columns as drivers
 * 418 to 590 print them. No other command has both without the whole state (-q). NVML counts the bytes of 20 ms for each
 * direction of each GPU (nvmlDeviceGetPcieThroughput), so the command sleeps.
 */
import type { PcieLink } from "../../contract/record.js";
import { integerCell } from "../kit/cells.js";
import { bytesPerSecond } from "./cells.js";

export const PCIE_COMMAND = "{tool} dmon -c 1 -s et";

export interface GpuTraffic {
  readonly index: number;
  readonly link: Omit<PcieLink, "ticks_ago">;
}

// More than any host has, and more columns than any driver prints.
const MAX_GPUS = 1024;
const MAX_COLUMNS = 32;

/** By GPU, each once; null where the text has no header of dmon's. A GPU without any of the counters has no link. */
export function readPcieTraffic(text: string): readonly GpuTraffic[] | null {
  const lines = text.split(/[\r\n]+/);
  const header = lines.find((line) => /^# ?gpu\s/i.test(line));
  if (header === undefined) return null;
  const names = cellsOf(header.replace(/^# ?/, ""));
  const found = new Map<number, GpuTraffic>();
  for (const line of lines) {
    const cells = cellsOf(line);
    const index = integerCell(cells[0]);
    // A row that is cut has no last cells, or half a number in the last one it has.
    if (index === null || cells.length !== names.length || found.has(index)) continue;
    if (found.size === MAX_GPUS) break;
    const link = linkIn((name) => cells[names.indexOf(name)]);
    if (Object.values(link).some((value) => value !== null)) found.set(index, { index, link });
  }
  return [...found.values()];
}

function linkIn(cell: (name: string) => string | undefined): GpuTraffic["link"] {
  return {
    replay_errors: integerCell(cell("pci")),
    rx_bytes_per_second: bytesPerSecond(cell("rxpci")),
    tx_bytes_per_second: bytesPerSecond(cell("txpci")),
  };
}

function cellsOf(line: string): readonly string[] {
  return line.trim().split(/\s+/, MAX_COLUMNS);
}
