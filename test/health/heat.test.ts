/** Colours follow the limits that the rules know. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Gpu } from "../../src/contract/record.js";
import { heatOf, type Heat } from "../../src/health/heat.js";
import { gpu } from "../support/records.js";

const cases: readonly [what: string, changes: Partial<Gpu>, heat: Heat][] = [
  ["no limit is known", { temperature: 99 }, "normal"],
  ["six degrees are left", { temperature_margin: 6 }, "normal"],
  ["five are", { temperature_margin: 5 }, "warm"],
  ["none is", { temperature_margin: 0 }, "hot"],
  ["the margin could not be read", { temperature_margin: null }, "normal"],
  ["the hardware slows down for its heat", { throttle_reasons: ["hw_thermal_slowdown"] }, "hot"],
  ["it slows down for the power supply", { throttle_reasons: ["hw_power_brake_slowdown"] }, "normal"],
  ["amd-smi names a thermal violation", { tool: "amd-smi", throttle_reasons: ["hbm_thermal"] }, "hot"],
  ["xpu-smi names heat", { tool: "xpu-smi", throttle_reasons: ["Thermal"] }, "hot"],
  ["a Tenstorrent is at its limit", { tool: "tt-smi", temperature: 75, detail: { thm_limit: "75" } }, "hot"],
  ["it is close to it", { tool: "tt-smi", temperature: 71, detail: { thm_limit: "75" } }, "warm"],
  ["another tool has such a detail", { temperature: 75, detail: { thm_limit: "75" } }, "normal"],
];
for (const [what, changes, heat] of cases)
  test(`${what}: ${heat}`, () => assert.equal(heatOf(gpu(changes)), heat));
