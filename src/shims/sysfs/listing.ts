/** The devices in what the commands printed: a line `@ADDRESS DRIVER STATUS` each, then lines `NAME VALUE`. */
import { cleanText } from "../../lib/text.js";
import { DRIVERS } from "./commands.js";

export type SysfsDriver = (typeof DRIVERS)[number];

export interface SysfsDevice {
  /** As the kernel writes it: `0000:c5:00.0`. */
  readonly address: string;
  readonly driver: SysfsDriver;
  /** power/runtime_status as printed: `active`, `suspended`; "" where the kernel has none. */
  readonly status: string;
  /** The first value of each name, trimmed and cleaned. */
  readonly values: ReadonlyMap<string, string>;
  /** All values of `vram_bytes`: one of each tile. */
  readonly tiles: readonly string[];
}

const DEVICE = /^@([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) (\w+)(?: (\w*))?$/;
/** More than any host has; a listing without end makes no devices without end. */
const MAX_DEVICES = 256;

/** In the order of the addresses, each once. Other lines are left out. */
export function devicesIn(stdout: string): readonly SysfsDevice[] {
  const found = new Map<string, SysfsDevice & { values: Map<string, string>; tiles: string[] }>();
  let values: Map<string, string> | null = null;
  let tiles: string[] = [];
  for (const line of stdout.split("\n")) {
    if (line.startsWith("@")) {
      const [, address = "", name, status = ""] = DEVICE.exec(line) ?? [];
      const driver = DRIVERS.find((known) => known === name);
      values = null;
      if (driver === undefined || found.has(address) || found.size >= MAX_DEVICES) continue;
      values = new Map();
      tiles = [];
      found.set(address, { address, driver, status, values, tiles });
      continue;
    }
    const blank = line.indexOf(" ");
    if (values === null || blank <= 0) continue;
    const [key, value] = [line.slice(0, blank), cleanText(line.slice(blank + 1).trim())];
    if (key === "vram_bytes" && tiles.length < MAX_DEVICES) tiles.push(value);
    else if (!values.has(key)) values.set(key, value);
  }
  return [...found.values()].sort((a, b) => compareAddresses(a.address, b.address));
}

/** Domains of more than four digits (VMD) come last. */
function compareAddresses(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}
