import { npuSmiShim } from "../../src/shims/npu-smi.js";
import { testFixtures } from "../support/fixture-table.js";
import { firstReading, partOutputs } from "../support/shim-outputs.js";

const read = (stdout: string) => firstReading(npuSmiShim, partOutputs({ "npu-smi.info": stdout }));
const MIB = 1024 ** 2;

testFixtures(
  "npu-smi",
  [
    {
      file: "info__8x-910a_22.0.3.1.txt",
      count: 8,
      devices: {
        0: {
          name: "910A",
          power_consumption: 67.2,
          temperature: 43,
          utilization: 0,
          health_status: "OK",
          "detail.hugepages_used": "15",
          "detail.hugepages_total": "15",
          "detail.ddr_used": "1867 MB",
          "detail.ddr_total": "15077 MB",
          used_memory: 0,
          total_memory: 32768 * MIB,
        },
        3: { power_consumption: 191.7 },
      },
      read,
    },
    {
      file: "info__8x-910b3_24.1.rc1.txt",
      count: 8,
      devices: {
        0: {
          name: "910B3",
          power_consumption: 101.8,
          temperature: 43,
          utilization: 0,
          used_memory: 3318 * MIB,
          total_memory: 65536 * MIB,
          pci_bus_id: "0000:C1:00.0",
        },
        7: { power_consumption: 98.2, temperature: 44, used_memory: 3315 * MIB, total_memory: 65536 * MIB },
      },
      read,
    },
    {
      file: "info__atlas300-310_21.0.4.txt",
      count: 4,
      devices: {
        3: {
          name: "310",
          "detail.npu_id": "6",
          "detail.chip_id": "0",
          health_status: "OK",
          "detail.hugepages_used": "0",
          "detail.hugepages_total": "970",
          power_consumption: 12.8,
          temperature: 73,
          utilization: 0,
          used_memory: 2703 * MIB,
          total_memory: 8192 * MIB,
        },
      },
      read,
    },
  ],
  [{ file: "info-m__310_21.0.4.txt", why: "`info` itself numbers the chips; this file has no readings" }],
);
