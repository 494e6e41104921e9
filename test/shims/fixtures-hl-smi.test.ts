import { hlSmiShim } from "../../src/shims/hl-smi.js";
import { testFixtures } from "../support/fixture-table.js";
import { firstReading, partOutputs } from "../support/shim-outputs.js";

const MIB = 1024 ** 2;

testFixtures("hl-smi", [
  {
    file: "query__2x-gaudi3_csv-noheader.csv",
    count: 2,
    devices: {
      0: {
        name: "HL-325L",
        uuid: "01P4-HL3090A0-18-U4V193-22-07-00",
        utilization: 0,
        used_memory: 672 * MIB,
        total_memory: 131072 * MIB,
        temperature: 36,
        power_consumption: 226,
      },
      1: { temperature: 39, power_consumption: 230 },
    },
    read: (stdout) => firstReading(hlSmiShim, partOutputs({ "hl-smi.query": stdout })),
  },
]);
