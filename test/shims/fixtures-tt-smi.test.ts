import { ttSmiShim } from "../../src/shims/tt-smi.js";
import { testFixtures } from "../support/fixture-table.js";
import { firstReading, partOutputs } from "../support/shim-outputs.js";

const read = (stdout: string) => firstReading(ttSmiShim, partOutputs({ "tt-smi.snapshot": stdout }));
const unknown = { utilization: null, used_memory: null, total_memory: null };

testFixtures("tt-smi", [
  {
    file: "snapshot__galaxy-wormhole_3.0.26-trimmed-to-8.json",
    count: 8,
    devices: {
      0: {
        ...unknown,
        name: "tt-galaxy-wh L",
        pci_bus_id: "0000:c1:00.0",
        temperature: 31.6,
        power_consumption: 19,
        frequency: 500,
        pcie_link_width: 1,
        "detail.thm_limit": "75",
        "detail.therm_trip_l1_limit": "83",
        "detail.dram_status": "true",
        "detail.eth_firmware": "7.0.0",
      },
      1: { ...unknown, temperature: 32.1, power_consumption: 21 },
    },
    read,
  },
  {
    file: "snapshot__n150_3.0.15.json",
    count: 1,
    devices: {
      0: {
        ...unknown,
        name: "n150 L",
        pci_bus_id: "0000:01:00.0",
        temperature: 54.3,
        power_consumption: 12,
        frequency: 500,
        power_limit: 100,
        serial: "100018611902010",
        uuid: "100018611902010",
        "detail.tdc_limit": "240",
        "detail.vdd_max": "1.00",
        "detail.dram_status": "true",
        "detail.cm_firmware": "2.32.0.0",
      },
    },
    read,
  },
]);
