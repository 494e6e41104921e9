import { xpuSmiShim } from "../../../src/shims/xpu-smi/xpu-smi.js";
import { testFixtures } from "../../support/fixture-table.js";
import { firstReading, partOutputs } from "../../support/shim-outputs.js";

const JSON_HAS_IT = "human-readable text; every 1.x has -j with the same values";

testFixtures(
  "xpu-smi",
  [
    {
      file: "discovery__v1.json",
      count: 1,
      devices: {
        0: {
          uuid: "00000000-0000-0000-0000-020a00008086",
          pci_bus_id: "0000:4d:00.0",
          name: "Intel(R) Graphics [0x020a]",
          utilization: null,
          total_memory: null,
        },
      },
      read: (stdout) => firstReading(xpuSmiShim, partOutputs({ "xpu-smi.discovery": stdout })),
    },
  ],
  [
    { file: "discovery__v1.txt", why: JSON_HAS_IT },
    { file: "stats__v1_flex.txt", why: JSON_HAS_IT },
    { file: "dump__v1_util-power-freq.csv", why: "a stream; `stats -j` prints the same at once" },
    { file: "table__v2.0_b580.txt", why: "human-readable text; 2.0 has --query-gpu" },
    { file: "version__v1.txt", why: "the output of the other commands shows the release" },
  ],
);
