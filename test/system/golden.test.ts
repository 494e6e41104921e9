import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PartOutput, PartOutputs } from "../../src/shims/kit/shim.js";
import { darwin } from "../../src/system/darwin.js";
import type { HostSystem } from "../../src/system/host-system.js";
import { linux } from "../../src/system/linux.js";
import { createPsReader } from "../../src/system/ps.js";
import { windows } from "../../src/system/windows.js";
import { assertComplete, assertGolden, assertOwnDevices, goldenCases } from "../support/golden.js";

const SYSTEMS: readonly HostSystem[] = [linux, darwin, windows];
/** A part folder with this ending has the part's output in the tick after the probe. */
const NEXT = ".next";

describe("golden cases of operating systems", () => {
  for (const system of SYSTEMS) {
    const cases = goldenCases(system.id);
    test(`${system.id} has cases`, () => assert.notEqual(cases.length, 0, `no case in golden/${system.id}`));
    for (const each of cases)
      test(`${system.id}/${each.name}`, () => {
        const { dir, context } = each;
        assertComplete(dir);
        const all = each.outputs("host.facts");
        const probe = ending(all, (id) => (id.endsWith(NEXT) ? null : id));
        const next = ending(all, (id) => (id.endsWith(NEXT) ? id.slice(0, -NEXT.length) : null));
        const probed = system.probe(context.include).map(({ id }) => id);
        for (const id of probe.keys()) assert.ok(probed.includes(id), `${id} is no part of ${system.id}`);
        const sampler = system.sampler(probe, context.include);
        const ps = createPsReader();
        assertGolden(dir, {
          parts: sampler.parts.map(({ id }) => id),
          reading: sampler.parse(probe),
          ...(next.size > 0 ? { next: sampler.parse(next) } : {}),
          ...(probe.has("host.ps") ? { ps: [...ps.read(probe).values()] } : {}),
        });
        assertOwnDevices(sampler, probe);
      });
  }
});

function ending(outputs: PartOutputs, rename: (id: string) => string | null): PartOutputs {
  const renamed = new Map<string, PartOutput>();
  for (const [id, output] of outputs) {
    const newId = rename(id);
    if (newId !== null) renamed.set(newId, output);
  }
  return renamed;
}
