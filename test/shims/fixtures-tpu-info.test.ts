import { tpuInfoShim } from "../../src/shims/tpu-info.js";
import { testFixtures } from "../support/fixture-table.js";
import { firstReading, partOutputs } from "../support/shim-outputs.js";

const read = (stdout: string) => firstReading(tpuInfoShim, partOutputs({ "tpu-info.tables": stdout }));
const GIB = 1024 ** 3;

testFixtures("tpu-info", [
  {
    file: "v4_2024-09.txt",
    count: 4,
    devices: {
      0: { name: "TPU v4 chip", used_memory: 0, total_memory: 31.75 * GIB, utilization: 0 },
    },
    read,
  },
  {
    file: "v6e_2025-10.txt",
    count: 4,
    devices: {
      8: {
        name: "TPU v6e chip",
        used_memory: Math.round(18.45 * GIB),
        total_memory: 31.25 * GIB,
        utilization: 100,
        tensorcore_utilization: 13.6,
      },
    },
    read,
  },
]);
