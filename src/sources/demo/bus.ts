/** The PCI buses of demo hosts: the remote script lists a host's devices where no tool is on it, and all run on this machine. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** As /sys has a device's files. */
export interface DemoPciDevice {
  readonly class: string;
  readonly vendor: string;
  readonly device: string;
}

/** The screen of a server's management controller. */
export const SCREEN: DemoPciDevice = { class: "0x030000", vendor: "0x1a03", device: "0x2000" };
export const H100_ON_BUS: DemoPciDevice = { class: "0x030200", vendor: "0x10de", device: "0x2330" };

/** Writes the bus below `dir`. Returns what changes a command so that it reads this bus. */
export function makeDemoBus(dir: string, devices: readonly DemoPciDevice[]): (command: string) => string {
  devices.forEach((files, place) => {
    const folder = join(dir, "pci", "devices", `0000:${String(place + 10)}:00.0`);
    mkdirSync(folder, { recursive: true });
    for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), `${value}\n`);
  });
  return (command) =>
    command.replaceAll("/sys/bus/pci/", `${dir}/pci/`).replaceAll("/sys/devices/soc", `${dir}/soc`);
}
