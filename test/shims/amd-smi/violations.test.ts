import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { amdSmiShim } from "../../../src/shims/amd-smi/amd-smi.js";
import { violationsIn } from "../../../src/shims/amd-smi/ras.js";
import type { Sampler } from "../../../src/shims/kit/shim.js";
import { partOutputs, probeContext, type Answer } from "../../support/shim-outputs.js";

const statuses = (state: string): object => ({
  accumulation_counter: 1226415116,
  prochot_violation_status: "NOT ACTIVE",
  ppt_violation_status: state,
});
const metric = (gpus: number, throttle: unknown): string =>
  JSON.stringify(Array.from({ length: gpus }, (_, gpu) => ({ gpu, power: { socket_power: 9 }, throttle })));

function samplerOf(version: string, gpus: number, throttle: unknown): Sampler {
  const outputs = partOutputs({
    "amd-smi.metric": metric(gpus, throttle),
    "amd-smi.version": `AMDSMI Tool: ${version}+1 | AMDSMI Library version: ${version} | ROCm version: 6.3.0\n`,
  });
  const verdict = amdSmiShim.judge(outputs, probeContext(["gpu"]));
  assert.ok(verdict.kind === "usable");
  return verdict.sampler;
}
const commandOf = (sampler: Sampler): string => sampler.parts[0]?.command ?? "";

describe("the violations are asked for in each tick", () => {
  const CASES: [what: string, version: string, gpus: number, throttle: unknown, flags: string][] = [
    ["--throttle until tool 24", "24.7.1", 1, statuses("NOT ACTIVE"), "--power --throttle"],
    ["--violation from tool 25 on", "25.3.0", 8, statuses("ACTIVE"), "--power --violation"],
    ["not where the ASIC has none", "26.0.0", 1, "N/A", "--power"],
    ["not where no status is known", "26.0.0", 1, { ppt_violation_status: "N/A" }, "--power"],
    ["not of more GPUs than wait 0.8 s", "26.0.0", 9, statuses("ACTIVE"), "--power"],
    ["not without a version", "dev", 1, statuses("ACTIVE"), "--power"],
  ];
  for (const [what, version, gpus, throttle, flags] of CASES)
    test(what, () => {
      assert.equal(commandOf(samplerOf(version, gpus, throttle)), `{tool} metric ${flags} --json`);
    });
});

test("a release that does not know the flag costs one tick", () => {
  const sampler = samplerOf("99.0.0", 1, statuses("ACTIVE"));
  assert.match(commandOf(sampler), /--violation/);
  const refused: Answer = {
    stderr: "unrecognized arguments: --violation",
    end: { kind: "exit", code: 2 },
  };
  const { errors } = sampler.parse(partOutputs({ "amd-smi.metric": refused }));
  assert.equal(errors[0]?.message, "amd-smi metric: unrecognized arguments: --violation");
  assert.equal(commandOf(sampler), "{tool} metric --power --json");
});

test("a status is active where any die of any partition has it; sums and unknown values are no reason", () => {
  assert.deepEqual(
    violationsIn({
      hbm_thermal_violation_status: "ACTIVE",
      vr_thermal_violation_status: "N/A",
      gfx_clk_below_host_limit_power_violation_status: { xcp_0: ["NOT ACTIVE", "ACTIVE"], xcp_1: ["N/A"] },
      low_utilization_violation_status: { value: { xcp_0: ["INACTIVE"] }, unit: "" },
      total_gfx_clk_below_host_limit_violation_status: { xcp_0: ["ACTIVE"] },
      ppt_violation_activity: { value: 100, unit: "%" },
    }),
    ["hbm_thermal", "gfx_clk_below_host_limit_power"],
  );
  assert.deepEqual(violationsIn({ ppt_violation_status: "NOT ACTIVE" }), []);
  for (const unknown of ["N/A", null, [], { ppt_violation_status: "N/A" }])
    assert.equal(violationsIn(unknown), null);
});
