import assert from "node:assert/strict";
import { amdSmiShim } from "../../../src/shims/amd-smi/amd-smi.js";
import { testFixtures } from "../../support/fixture-table.js";
import { firstReading, partOutputs, probeContext } from "../../support/shim-outputs.js";

const read = (stdout: string) => firstReading(amdSmiShim, partOutputs({ "amd-smi.metric": stdout }));

const MIB = 1024 ** 2;
const RX_6600 = {
  utilization: 1,
  used_memory: 202 * MIB,
  total_memory: 8176 * MIB,
  temperature: 36,
  "detail.hotspot_temperature": "37 C",
  power_consumption: 6,
  frequency: 800,
  pcie_link_gen: 4,
  pcie_link_width: 8,
  ecc_uncorrected_since_load: 0,
  "detail.ecc_deferred": "0",
};

testFixtures(
  "amd-smi",
  [
    { file: "derived/metric__rx6600_gpu_data.json", count: 1, devices: { 0: RX_6600 }, read },
    {
      file: "errors/unknown-gpu.txt",
      count: 0,
      devices: {},
      read: (stdout) => {
        const verdict = amdSmiShim.judge(partOutputs({ "amd-smi.metric": stdout }), probeContext());
        assert.equal(verdict.kind, "broken");
        assert.match(verdict.message, /Can not find a device: GPU '123123' Error code: -3/);
        return { sections: {}, errors: [] };
      },
    },
    {
      file: "metric-power__rocm6.1_list.json",
      count: 1,
      devices: { 0: { power_consumption: 10, utilization: null, used_memory: null } },
      read,
    },
    { file: "metric__rx6600_list.json", count: 1, devices: { 0: RX_6600 }, read },
    {
      file: "version__rocm6.1.txt",
      count: 1,
      devices: { 0: { "detail.rocm_version": "6.1.0" } },
      read: (stdout) =>
        firstReading(
          amdSmiShim,
          partOutputs({ "amd-smi.metric": '[{"gpu": 0}]', "amd-smi.version": stdout }),
        ),
    },
  ],
  [
    {
      file: "metric-power__text_rocm6.1.2.txt",
      why: "human-readable text; --json is there in every release",
    },
    {
      file: "monitor__4x-mi300a_rocm10.txt",
      why: "human-readable text; metric --json has the same and more",
    },
    {
      file: "monitor__8x-mi300x_rocm6.1.txt",
      why: "human-readable text; metric --json has the same and more",
    },
  ],
);
