/** A host's PCI bus, made up in a folder, and a shell that shows it to the script instead of this machine's own. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** `at` is the address in /sys/bus/pci/devices. A file that is left out cannot be read. */
export interface FakePciDevice {
  readonly at: string;
  readonly class?: string;
  readonly vendor?: string;
  readonly device?: string;
}

/** `class vendor:device` as `lspci -n` has them, `0302 10de:2330`; the address follows, or is made up. */
export function pciDevice(text: string, place = 0): FakePciDevice {
  const [code = "", ids = "", at = `0000:${(place + 0x40).toString(16)}:00.0`] = text.split(" ");
  const [vendor = "", device = ""] = ids.split(":");
  return { at, class: `0x${code.padEnd(6, "0")}`, vendor: `0x${vendor}`, device: `0x${device}` };
}

/** Writes the bus below `dir`; null: there is none. `family`: of the system on chip, as `Tegra`. */
export function makeBus(dir: string, devices: readonly FakePciDevice[] | null, family?: string): void {
  mkdirSync(dir, { recursive: true });
  for (const { at, ...files } of devices ?? []) {
    const folder = join(dir, "pci", "devices", at);
    mkdirSync(folder, { recursive: true });
    for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), `${value}\n`);
  }
  if (family === undefined) return;
  mkdirSync(join(dir, "soc0"));
  writeFileSync(join(dir, "soc0", "family"), `${family}\n`);
}

/** The script with the folders of the bus below `dir`. */
export function onBus(script: string, dir: string): string {
  return script.replaceAll("/sys/bus/pci/", `${dir}/pci/`).replaceAll("/sys/devices/soc", `${dir}/soc`);
}

/**
 * Writes a program that runs commands by `shell` on the bus below `dir`: the login shell of a local connection, or sshd's
 * ForceCommand. Returns its path.
 */
export function shellOnBus(dir: string, shell: readonly string[] = ["/bin/sh"]): string {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, "shell-on-bus");
  const places = `s#/sys/bus/pci/#${dir}/pci/#g;s#/sys/devices/soc#${dir}/soc#g`;
  const script = [
    "#!/bin/sh",
    'command=${SSH_ORIGINAL_COMMAND:-"$2"}',
    `command=$(printf %s "$command" | sed "${places}")`,
    `exec ${shell.join(" ")} -c "$command"`,
  ];
  writeFileSync(path, `${script.join("\n")}\n`);
  chmodSync(path, 0o755);
  return path;
}
