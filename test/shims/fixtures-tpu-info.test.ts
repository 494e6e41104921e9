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
        "detail.accelerator_type": "v6e",
        "detail.buffer_transfer_latency_8mb_p50": "108978.82 us",
        "detail.grpc_tcp_minimum_rtt_p999": "55.51 us",
      },
    },
    read,
  },
]);
