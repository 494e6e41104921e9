/** The vendor tools, in the order in which they are tried. A new tool is one file beside this one and one line here. */
import type { Shim } from "./kit/shim.js";

/** A tool by name. Its module is loaded when a run tries it, not for `--help`. */
export interface Tool {
  readonly id: string;
  /** Other spellings that `--ssh-fallback` takes. */
  readonly aliases: readonly string[];
  load(): Promise<Shim>;
}

// prettier-ignore
/** Native comes first: it is always tried. The rest is the default order of `--ssh-fallback`. */
export const TOOLS: readonly Tool[] = [
  { id: "native", aliases: ["all-smi"], load: async () => (await import("./native/native.js")).nativeShim },
  { id: "nvidia-smi", aliases: ["nvidia", "nvidia_smi"], load: async () => (await import("./nvidia-smi.js")).nvidiaSmiShim },
  { id: "amd-smi", aliases: ["amdsmi"], load: async () => (await import("./amd-smi/amd-smi.js")).amdSmiShim },
  { id: "rocm-smi", aliases: ["rocm", "hy-smi"], load: async () => (await import("./rocm-smi/rocm-smi.js")).rocmSmiShim },
  { id: "tt-smi", aliases: ["tenstorrent", "ttsmi"], load: async () => (await import("./tt-smi.js")).ttSmiShim },
  { id: "hl-smi", aliases: ["gaudi", "habana", "hlsmi"], load: async () => (await import("./hl-smi.js")).hlSmiShim },
  { id: "furiosa-smi", aliases: ["furiosa", "furiosactl"], load: async () => (await import("./furiosa-smi.js")).furiosaSmiShim },
  { id: "rbln-smi", aliases: ["rbln-stat", "rbln", "rebellions"], load: async () => (await import("./rbln-smi.js")).rblnSmiShim },
  { id: "xpu-smi", aliases: ["xpum", "xpumcli", "intel"], load: async () => (await import("./xpu-smi/xpu-smi.js")).xpuSmiShim },
  { id: "tegrastats", aliases: ["tegra", "jetson"], load: async () => (await import("./tegrastats.js")).tegrastatsShim },
  { id: "npu-smi", aliases: ["ascend", "npusmi"], load: async () => (await import("./npu-smi.js")).npuSmiShim },
  { id: "tpu-info", aliases: ["tpu", "tpuinfo"], load: async () => (await import("./tpu-info.js")).tpuInfoShim },
  { id: "neuron-ls", aliases: ["neuron", "neuron-monitor", "aws-neuron"], load: async () => (await import("./neuron-ls.js")).neuronLsShim },
  { id: "sysfs", aliases: ["sys", "kernel"], load: async () => (await import("./sysfs/sysfs.js")).sysfsShim },
];

const NATIVE = "native";

/** The ids that `--ssh-fallback` takes, in the default order, without native. */
export const FALLBACK_IDS: readonly string[] = TOOLS.map((tool) => tool.id).filter((id) => id !== NATIVE);

/** The tool with this id or alias, case ignored; undefined for an unknown name. */
export function toolNamed(name: string): Tool | undefined {
  const asked = name.trim().toLowerCase();
  return TOOLS.find((tool) => tool.id === asked || tool.aliases.includes(asked));
}

/** The shims that a probe tries: native and the given fallbacks (ids, in the operator's order), each once. */
export async function shimsToTry(fallback: readonly string[]): Promise<readonly Shim[]> {
  const named = [NATIVE, ...fallback].map(toolNamed).filter((tool) => tool !== undefined);
  return Promise.all([...new Set(named)].map((tool) => tool.load()));
}

/** The shims of all tools. */
export function allShims(): Promise<readonly Shim[]> {
  return Promise.all(TOOLS.map((tool) => tool.load()));
}
