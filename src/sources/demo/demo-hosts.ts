/** The hosts of the demo fleet: each shows something, and as many are there as the screen has space for. */
import { H100_ON_BUS, SCREEN, type DemoPciDevice } from "./bus.js";
import { allSmi, demoNvidiaSmi, kernelLog, rocmSmi } from "./tools.js";

export interface DemoHost {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly behaviour: "well" | "refuses-key" | "changed-key" | "drops";
  /** Rows of the table, a line a GPU. */
  readonly rows: number;
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

/** For so long the GPU that heals is too hot. */
const HOT_SECS = 6;
/** The head, the title and the line of the fleet; a quarter of the screen is for what is wrong. */
const OTHER_ROWS = 3;
const DETAIL_SHARE = 0.25;
/** The promises: a sick GPU, one that drops and returns, a slow one, one that heals. */
const MIN_HOSTS = 4;
/** Without a screen. */
const FIRST_HOSTS = 11;

/** Those that fit on a screen of this many rows; null: no screen. `nowSecs`: when the demo starts. */
export function demoHosts(screenRows: number | null, nowSecs: number): readonly DemoHost[] {
  const all = [...firstHosts(nowSecs), ...moreHosts()];
  if (screenRows === null) return all.slice(0, FIRST_HOSTS);
  let rows = Math.floor(screenRows * (1 - DETAIL_SHARE)) - OTHER_ROWS;
  const fitting = all.filter((host, place) => {
    if (place >= MIN_HOSTS && host.rows > rows) return false;
    rows -= host.rows;
    return true;
  });
  return fitting;
}

/** What shows most comes first. */
function firstHosts(nowSecs: number): readonly DemoHost[] {
  return [
    {
      name: "ws-01",
      labels: { rack: "desk" },
      behaviour: "well",
      rows: 2,
      tools: {
        "nvidia-smi": demoNvidiaSmi(RTX, { lost: 1 }),
        journalctl: kernelLog(["NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus."]),
      },
    },
    {
      name: "flaky-01",
      labels: { rack: "b3" },
      behaviour: "drops",
      rows: 1,
      tools: { "nvidia-smi": demoNvidiaSmi({ ...RTX, count: 1 }) },
    },
    {
      name: "slow-01",
      labels: { rack: "b3" },
      behaviour: "well",
      rows: 1,
      tools: { "nvidia-smi": demoNvidiaSmi({ ...RTX, count: 1 }, { sleepSecs: 3 }) },
    },
    {
      name: "healing-01",
      labels: { rack: "b3" },
      behaviour: "well",
      rows: 2,
      tools: { "nvidia-smi": demoNvidiaSmi(RTX, { hotUntilSecs: nowSecs + HOT_SECS }) },
    },
    {
      name: "dgx-01",
      labels: { rack: "a1" },
      behaviour: "well",
      rows: 4,
      tools: { "all-smi": allSmi(H100) },
    },
    { name: "locked-01", labels: { rack: "b2" }, behaviour: "refuses-key", rows: 1, tools: {} },
    {
      name: "mi300-01",
      labels: { rack: "b2" },
      behaviour: "well",
      rows: 4,
      tools: { "rocm-smi": rocmSmi(MI300) },
    },
    {
      name: "new-01",
      labels: { rack: "b2" },
      behaviour: "well",
      rows: 1,
      tools: {},
      pci: [SCREEN, H100_ON_BUS],
    },
    { name: "reinstalled-01", labels: { rack: "b3" }, behaviour: "changed-key", rows: 1, tools: {} },
    { name: "login-01", labels: { rack: "b2" }, behaviour: "well", rows: 1, tools: {} },
    dgx(2),
  ];
}

/** For large screens. */
function moreHosts(): readonly DemoHost[] {
  return [3, 4, 5, 6].map(dgx);
}

function dgx(number: number): DemoHost {
  const tools = { "nvidia-smi": demoNvidiaSmi(H100) };
  return { name: `dgx-0${number}`, labels: { rack: "a1" }, behaviour: "well", rows: H100.count, tools };
}
