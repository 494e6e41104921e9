/** Whose devices a tool reports: two tools of one vendor report the same ones, two vendors' tools never do. */

interface Maker {
  readonly vendor: string;
  /** PCI vendor ids of the devices, as /sys/bus/pci/devices has them. */
  readonly pci: readonly string[];
  /** It is asked beside the vendor's other tools, not only where they fail: it is cheap, or there is no other way. */
  readonly isAlways?: true;
}

// prettier-ignore
const MAKERS: Readonly<Record<string, Maker>> = {
  "nvidia-smi": { vendor: "nvidia", pci: ["0x10de"] },
  // Only a Jetson has it, where nvidia-smi alone never reports all.
  tegrastats: { vendor: "nvidia", pci: ["0x10de"], isAlways: true },
  "amd-smi": { vendor: "amd", pci: ["0x1002"] },
  "rocm-smi": { vendor: "amd", pci: ["0x1002", "0x1d94"] },
  "tt-smi": { vendor: "tenstorrent", pci: ["0x1e52"] },
  "hl-smi": { vendor: "habana", pci: ["0x1da3"] },
  "furiosa-smi": { vendor: "furiosa", pci: ["0x1ed2"] },
  "rbln-smi": { vendor: "rebellions", pci: ["0x1eff"] },
  "xpu-smi": { vendor: "intel", pci: ["0x8086"] },
  "npu-smi": { vendor: "huawei", pci: ["0x19e5"] },
  "tpu-info": { vendor: "google", pci: ["0x1ae0"] },
};

/** The maker of a tool's devices; a tool without a line here is a vendor of its own. */
export function makerOf(shimId: string): Maker {
  return MAKERS[shimId] ?? { vendor: shimId, pci: [] };
}
