/** A frame adds labels to a reading's device objects in place, so no object may be in two readings. */
import assert from "node:assert/strict";
import { ParseError } from "../../src/contract/errors.js";
import type { PartOutputs, Sampler } from "../../src/shims/kit/shim.js";

export function assertOwnDevices(sampler: Sampler, outputs: PartOutputs): void {
  const seen = new Set<object>();
  for (let tick = 0; tick < 3; tick++) {
    for (const device of devicesOf(sampler, outputs)) {
      assert.ok(!seen.has(device), `in two readings: ${JSON.stringify(device).slice(0, 80)}`);
      seen.add(device);
    }
  }
}

function devicesOf(sampler: Sampler, outputs: PartOutputs): object[] {
  try {
    return Object.values(sampler.parse(outputs).sections).flat() as object[];
  } catch (error) {
    if (error instanceof ParseError) return [];
    throw error;
  }
}
