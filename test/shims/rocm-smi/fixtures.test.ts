import assert from "node:assert/strict";
import { test } from "node:test";
import { rocmSmiShim } from "../../../src/shims/rocm-smi/rocm-smi.js";
import { testFixtures } from "../../support/fixture-table.js";
import { firstReading, partOutputs, probeContext } from "../../support/shim-outputs.js";

const read = (stdout: string) => firstReading(rocmSmiShim, partOutputs({ "rocm-smi.metrics": stdout }));

const NAVI_22 = "Navi 22 [Radeon RX 6700/6700 XT / 6800M]";
const rx6700xt = (used: number, name: string | null) => ({
  name,
  utilization: 0,
  used_memory: used,
  total_memory: 12868124672,
  temperature: 45,
  power_consumption: 6,
  uuid: null,
  driver_version: "6.3.6",
});
const mi100 = (temperature: number, power: number) => ({
  name: "Arcturus GL-XL [Instinct MI100]",
  utilization: 0,
  used_memory: 6782976,
  total_memory: 34342961152,
  temperature,
  power_consumption: power,
  uuid: null,
  driver_version: "6.2.4",
});
const mi250x = (power: number) => ({
  name: "AMD INSTINCT MI200 (MCM) OAM LC MBA HPE C2",
  utilization: 0,
  used_memory: 11243520,
  total_memory: 68702699520,
  temperature: null,
  power_consumption: power,
  uuid: null,
});
const identityOnly = (uuid: string) => ({
  name: null,
  utilization: null,
  used_memory: null,
  total_memory: null,
  temperature: null,
  power_consumption: null,
  uuid,
});

testFixtures("rocm-smi", [
  {
    file: "4x-mi100_identity-only.json",
    count: 4,
    devices: { 0: identityOnly("0x7ef570db1b346018"), 3: identityOnly("0x2f94151ef4b53e39") },
    read,
  },
  {
    file: "derived/low-power-warning-then-json.txt",
    count: 1,
    devices: { 0: rx6700xt(1572745216, NAVI_22) },
    read,
  },
  {
    file: "derived/mi210_rocm5x.json",
    count: 1,
    devices: {
      0: {
        name: "GENERIC RM IMAGE",
        utilization: 0,
        used_memory: null,
        total_memory: null,
        temperature: 33,
        power_consumption: 41,
        uuid: "0x43cc8cc8af246708",
        driver_version: "5.18.13",
      },
    },
    read,
  },
  {
    file: "derived/rembrandt-680m_and_rx7900xt.json",
    count: 2,
    devices: {
      0: {
        name: "Rembrandt [Radeon 680M]",
        utilization: 0,
        used_memory: 482263040,
        total_memory: 536870912,
        temperature: 47,
        power_consumption: 9.215,
        uuid: null,
      },
      1: {
        name: "Navi 31 [Radeon RX 7900 XT]",
        utilization: 20.3,
        used_memory: 794341376,
        total_memory: 25753026560,
        temperature: 49,
        power_consumption: 19,
        uuid: null,
      },
    },
    read,
  },
  {
    file: "errors/driver-not-initialized.txt",
    count: 0,
    devices: {},
    read: (stderr) => {
      const verdict = rocmSmiShim.judge(partOutputs({ "rocm-smi.metrics": { stderr } }), probeContext());
      assert.equal(verdict.kind, "broken");
      assert.match(verdict.message, /Driver not initialized \(amdgpu not found in modules\)/);
      return { sections: {}, errors: [] };
    },
  },
  { file: "mi100_rocm571.json", count: 6, devices: { 0: mi100(31, 39), 1: mi100(30, 37) }, read },
  { file: "mi250x-2gcd_rocm5.json", count: 2, devices: { 0: mi250x(85), 1: mi250x(90) }, read },
  { file: "rx6700xt_rocm430.json", count: 1, devices: { 0: rx6700xt(1622728704, null) }, read },
  { file: "rx6700xt_rocm571.json", count: 1, devices: { 0: rx6700xt(1564491776, NAVI_22) }, read },
  { file: "rx6700xt_rocm612.json", count: 1, devices: { 0: rx6700xt(1572745216, NAVI_22) }, read },
  {
    file: "rx7800xt_rocm624.json",
    count: 1,
    devices: {
      0: {
        name: "Navi 32 [Radeon RX 7700 XT / 7800 XT]",
        utilization: 100,
        used_memory: 11615076352,
        total_memory: 17163091968,
        temperature: 45,
        power_consumption: 53,
        uuid: "0x5c88007d760374f3",
      },
    },
    read,
  },
  {
    file: "strix-halo_rocm7.json",
    count: 2,
    devices: {
      0: {
        name: "Radeon 8060S Graphics",
        utilization: 0,
        used_memory: 50349752320,
        total_memory: 103079215104,
        temperature: 36,
        power_consumption: 18.007,
        uuid: null,
      },
      1: {
        name: "Radeon RX 7900 XTX",
        utilization: null,
        used_memory: null,
        total_memory: 25753026560,
        temperature: null,
        power_consumption: null,
        uuid: null,
      },
    },
    read,
  },
  {
    file: "vega-10-XT.json",
    count: 1,
    devices: {
      0: {
        name: null,
        utilization: 0,
        used_memory: 17776640,
        total_memory: 17163091968,
        temperature: 39,
        power_consumption: 15,
        uuid: "0x2150e7d042a1124",
        driver_version: "5.9.25",
      },
    },
    read,
  },
  {
    file: "vega-20-WKS-GL-XE.json",
    count: 1,
    devices: {
      0: {
        name: "Radeon Instinct MI50 32GB",
        utilization: 0,
        used_memory: 10850304,
        total_memory: 34342961152,
        temperature: 36,
        power_consumption: 26,
        uuid: "0x2f048617326b1ea",
        driver_version: "5.9.17",
        serial: "692024000810",
        pcie_link_gen: 4,
        pcie_link_width: 16,
      },
    },
    read,
  },
]);

test("a process in the system object of a recorded ROCm 5.7.1 key", () => {
  const reading = read(
    '{"card0": {"GPU use (%)": "0"}, "system": {"PID104225": "mlir-cpu-runner, 0, 0, 0, 0"}}',
  );
  assert.equal(reading.sections.processes?.[0]?.pid, 104225);
  assert.equal(reading.sections.processes[0].process_name, "mlir-cpu-runner");
});
