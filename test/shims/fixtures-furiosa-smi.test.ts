import { furiosaSmiShim } from "../../src/shims/furiosa-smi.js";
import { testFixtures } from "../support/fixture-table.js";
import { firstReading, partOutputs } from "../support/shim-outputs.js";

testFixtures("furiosa", [
  {
    file: "furiosactl-info__warboy.txt",
    count: 1,
    devices: {
      1: {
        name: "FuriosaAI Warboy",
        temperature: 40,
        power_consumption: 0,
        pci_bus_id: "0000:01:00.0",
        utilization: null,
        used_memory: null,
      },
    },
    read: (stdout) => firstReading(furiosaSmiShim, partOutputs({ "furiosa-smi.info": stdout })),
  },
]);
