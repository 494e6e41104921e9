/** The hosts of the demo fleet. */
import { H100_ON_BUS, SCREEN, type DemoPciDevice } from "./bus.js";
import { allSmi, demoNvidiaSmi, kernelLog, rocmSmi } from "./tools.js";

export interface DemoHost {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly behaviour: "well" | "refuses-key" | "changed-key" | "drops";
  /** Programs by name, as sh scripts. */
  readonly tools: Readonly<Record<string, string>>;
  /** What is on its PCI bus; the screen of a server where it is left out. */
  readonly pci?: readonly DemoPciDevice[];
}

const H100 = {
  name: "NVIDIA H100 80GB HBM3",
  count: 4,
  memoryMiB: 81559,
  maxWatts: 700,
  hasEcc: true,
} as const;
const RTX = { name: "NVIDIA GeForce RTX 4090", count: 2, memoryMiB: 24564, maxWatts: 450 };
const MI300 = { name: "AMD Instinct MI300X OAM", count: 4, memoryMiB: 196592, maxWatts: 750 };

export const DEMO_HOSTS: readonly DemoHost[] = [
  { name: "dgx-01", labels: { rack: "a1" }, behaviour: "well", tools: { "all-smi": allSmi(H100) } },
  { name: "dgx-02", labels: { rack: "a1" }, behaviour: "well", tools: { "nvidia-smi": demoNvidiaSmi(H100) } },
  {
    name: "ws-01",
    labels: { rack: "desk" },
    behaviour: "well",
    tools: {
      "nvidia-smi": demoNvidiaSmi(RTX, { lost: 1 }),
      journalctl: kernelLog(["NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus."]),
    },
  },
  { name: "mi300-01", labels: { rack: "b2" }, behaviour: "well", tools: { "rocm-smi": rocmSmi(MI300) } },
  { name: "login-01", labels: { rack: "b2" }, behaviour: "well", tools: {} },
  { name: "new-01", labels: { rack: "b2" }, behaviour: "well", tools: {}, pci: [SCREEN, H100_ON_BUS] },
  { name: "locked-01", labels: { rack: "b2" }, behaviour: "refuses-key", tools: {} },
  { name: "reinstalled-01", labels: { rack: "b3" }, behaviour: "changed-key", tools: {} },
  {
    name: "slow-01",
    labels: { rack: "b3" },
    behaviour: "well",
    tools: { "nvidia-smi": demoNvidiaSmi({ ...RTX, count: 1 }, { sleepSecs: 3 }) },
  },
  {
    name: "flaky-01",
    labels: { rack: "b3" },
    behaviour: "drops",
    tools: { "nvidia-smi": demoNvidiaSmi({ ...RTX, count: 1 }) },
  },
];
