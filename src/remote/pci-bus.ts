/**
 * The accelerators that a host's PCI bus shows, by the list of sh/pci-devices.sh. Class codes: PCI Code and ID Assignment
 * Specification 1.15, sections 1.4 (03, displays), 1.12 (0b40, co-processors) and 1.19 (12, processing accelerators).
 * Vendors and devices: pci.ids. TPUs: `_TPU_PCI_DEVICE_IDS` in JAX, jax/_src/hardware_utils.py.
 */
import type { PartOutput } from "../shims/kit/shim.js";

export interface PciBus {
  /** Every device of the bus was read. False where there is no bus, or a container hides it. */
  readonly isWhole: boolean;
  readonly accelerators: readonly Accelerator[];
}

export interface Accelerator {
  /** As /sys has it: `0x10de`. */
  readonly vendor: string;
  /** For a message: `10de:2330 at 0000:18:00.0`. */
  readonly name: string;
}

interface PciDevice {
  /** Six hexadecimal digits: class, subclass, interface. */
  readonly classCode: string;
  readonly vendor: string;
  readonly device: string;
  readonly address: string;
}

/** Not read: nothing is known of the bus. */
export const UNKNOWN_BUS: PciBus = { isWhole: false, accelerators: [] };

/** `output`: the part's; undefined where the host was not asked. */
export function readPciBus(output: PartOutput | undefined): PciBus {
  if (output === undefined) return UNKNOWN_BUS;
  const lines = output.stdout.split("\n").slice(0, -1);
  const ofChip = lines.filter((line) => line.startsWith("soc "));
  const ofBus = lines.filter((line) => !line.startsWith("soc "));
  const shown = ofBus.filter((line) => line !== "");
  const devices = shown.map(parseDevice).filter((device) => device !== null);
  const wasRead = output.end.kind === "exit" && output.end.code === 0;
  return {
    isWhole: wasRead && ofBus.length > 0 && devices.length === shown.length,
    accelerators: [
      ...devices.filter(isAccelerator).map(({ vendor, device, address }) => ({
        vendor,
        name: `${vendor.slice(2)}:${device.slice(2)} at ${address}`,
      })),
      ...(ofChip.includes("soc Tegra") ? [{ vendor: "0x10de", name: "the GPU of a Tegra chip" }] : []),
    ],
  };
}

/** Whether it is certain that the host has none. */
export function hasNoAccelerator({ isWhole, accelerators }: PciBus): boolean {
  return isWhole && accelerators.length === 0;
}

const DEVICE =
  /^0x(?<classCode>[0-9a-f]{6}) (?<vendor>0x[0-9a-f]{4}) (?<device>0x[0-9a-f]{4}) (?<address>[0-9a-f:.]+)$/;

function parseDevice(line: string): PciDevice | null {
  const { classCode, vendor, device, address } = DEVICE.exec(line)?.groups ?? {};
  if (classCode === undefined || vendor === undefined || device === undefined || address === undefined)
    return null;
  return { classCode, vendor, device, address };
}

/** What is not known to be something else counts: then the host is not reported as one without accelerators. */
function isAccelerator(pci: PciDevice): boolean {
  const { classCode, vendor, device } = pci;
  if (isPartOfProcessor(pci)) return false;
  switch (classCode.slice(0, 2)) {
    case "03":
      return !ONLY_SCREENS.has(vendor) && !ONLY_SCREENS.has(`${vendor} ${device}`);
    case "0b":
      return true;
    case "12":
      // Engines for ZIP and encryption in Kunpeng processors.
      return !(vendor === "0x19e5" && device.startsWith("0xa2"));
    default:
      return isOfCloud(pci);
  }
}

/**
 * Intel's own places: graphics of a processor are 0000:00:02.0, its NPU 0000:00:0b.0, and QAT is a co-processor. No tool
 * reads them, and nearly every server and desktop of Intel has one. GPUs of Intel on a card have another address.
 */
function isPartOfProcessor({ classCode, vendor, address }: PciDevice): boolean {
  if (vendor !== "0x8086") return false;
  if (classCode.startsWith("03")) return address === "0000:00:02.0";
  if (classCode.startsWith("12")) return address === "0000:00:0b.0";
  return classCode.startsWith("0b40");
}

/** Screens of management controllers and of virtual machines: a vendor, or one device of a vendor that makes GPUs too. */
const ONLY_SCREENS: ReadonlySet<string> = new Set([
  "0x1a03", // ASPEED, the management controller of most servers
  "0x102b", // Matrox G200, the same
  "0x126f", // Silicon Motion, the same
  "0x18ca", // XGI, the same
  "0x19e5 0x1711", // Huawei iBMC
  "0x1002 0x515e", // ATI ES1000, servers of before 2012
  "0x1002 0x4752", // ATI Rage XL, the same
  "0x1013", // Cirrus Logic, emulated
  "0x1234", // QEMU and Bochs
  "0x1af4", // virtio-gpu
  "0x1b36", // Red Hat QXL
  "0x15ad", // VMware
  "0x80ee", // VirtualBox
  "0x1ab8", // Parallels
  "0xfb5d", // bhyve
  "0x1d0f", // Amazon EC2
  "0x1414 0x5353", // Hyper-V; 1414:008e is the Windows host's GPU in WSL
]);

/** TPUs and Neuron devices have classes of their own. Disks (01) and networks (02) of the same vendors are in each of their machines. */
function isOfCloud({ classCode, vendor, device }: PciDevice): boolean {
  const kind = classCode.slice(0, 2);
  if (vendor === "0x1ae0") return kind !== "01" && kind !== "02";
  // Neuron is a system peripheral (08); so is Nitro Enclaves.
  return vendor === "0x1d0f" && kind === "08" && device !== "0xe4c1";
}
