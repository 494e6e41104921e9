import { tegrastatsShim } from "../../src/shims/tegrastats.js";
import { testFixtures } from "../support/fixture-table.js";
import { firstReading, partOutputs } from "../support/shim-outputs.js";

const read = (stdout: string) => firstReading(tegrastatsShim, partOutputs({ "tegrastats.line": stdout }));
const MIB = 1024 ** 2;

testFixtures("tegrastats", [
  {
    file: "orin-nano_2024-11.txt",
    count: 1,
    devices: {
      0: {
        used_memory: 6185 * MIB,
        total_memory: 7620 * MIB,
        utilization: 63,
        frequency: 621,
        temperature: 53.343,
        power_consumption: 4.667,
        "detail.power_rail": "VDD_CPU_GPU_CV",
        "detail.module_power": "12479mW",
        "detail.power_VDD_SOC": "2817mW",
        "detail.temperature_tj": "53.968 C",
        "detail.engine_NVDEC": "off",
        "detail.engine_APE": "200",
        memory_source: "host",
      },
    },
    read,
  },
  {
    file: "tx2.txt",
    count: 1,
    devices: {
      0: {
        used_memory: 3276 * MIB,
        total_memory: 7859 * MIB,
        utilization: 0,
        frequency: 114,
        temperature: 39.5,
        power_consumption: 0.182,
        "detail.power_rail": "VDD_SYS_GPU",
        "detail.module_power": "5297mW",
        "detail.power_VDD_SYS_DDR": "1241mW",
        "detail.temperature_Tdiode": "39.25 C",
      },
    },
    read,
  },
  {
    file: "tx2_full_2019.txt",
    count: 1,
    devices: {
      0: {
        used_memory: 4722 * MIB,
        total_memory: 7844 * MIB,
        utilization: 71,
        frequency: 1300,
        temperature: 51,
        power_consumption: 6.854,
        "detail.module_power": "14025mW",
      },
    },
    read,
  },
]);
