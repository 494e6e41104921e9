import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Gpu } from "../../src/contract/record.js";
import { joinDevices } from "../../src/remote/merge-sources.js";
import { gpu } from "../support/records.js";

const device = (changes: Partial<Gpu>): Gpu => gpu({ uuid: null, pci_bus_id: null, detail: {}, ...changes });

describe("joinDevices", () => {
  test("fills what is null or absent and changes nothing else", () => {
    const first = device({ index: 3, tool: "a", utilization: 5, temperature: null, detail: { x: "a" } });
    const second = device({
      ...{ index: 0, tool: "b", utilization: 9, temperature: 40, serial: "s", error: "no" },
      detail: { x: "b", y: "b" },
    });
    assert.deepEqual(joinDevices([first], [second]), [
      { ...first, temperature: 40, serial: "s", detail: { x: "a", y: "b" } },
    ]);
  });

  test("the same device by uuid, by address in any spelling, or as the only one", () => {
    const cases: readonly (readonly [Partial<Gpu>, Partial<Gpu>, boolean])[] = [
      [{ uuid: "GPU-1" }, { uuid: "GPU-1" }, true],
      [{ pci_bus_id: "00000000:C5:00.0" }, { pci_bus_id: "0000:c5:00.0" }, true],
      [{ pci_bus_id: "c5:00.0" }, { pci_bus_id: "0000:C5:00.0" }, true],
      [{ pci_bus_id: "0001:c5:00.0" }, { pci_bus_id: "0000:c5:00.0" }, false],
      [{}, {}, true],
      [{ uuid: "GPU-1" }, { uuid: "0x12" }, true],
      [{ uuid: "GPU-1" }, { uuid: "GPU-2" }, false],
    ];
    for (const [a, b, isSame] of cases) {
      const joined = joinDevices([device({ ...a, power_limit: null })], [device({ ...b, power_limit: 7 })]);
      assert.equal(joined.length, isSame ? 1 : 2, JSON.stringify([a, b]));
      assert.equal(joined[0]?.power_limit, isSame ? 7 : null);
    }
  });

  test("devices that cannot be matched are neither mixed nor counted twice", () => {
    const first = [device({ index: 0, temperature: null }), device({ index: 1, temperature: null })];
    assert.deepEqual(joinDevices(first, [device({ temperature: 1 }), device({ temperature: 2 })]), first);
  });

  test("a device that only the second tool sees is added, a failed one too", () => {
    const [first, second] = [device({ uuid: "GPU-1" }), device({ uuid: "GPU-2" })];
    const lost = device({ uuid: null, pci_bus_id: "0000:02:00.0", error: "GPU is lost" });
    assert.deepEqual(joinDevices([first], [first, second, lost]), [first, second, lost]);
  });

  test("an earlier answer gives only identity fields, and adds no device", () => {
    const first = device({ uuid: null, pci_bus_id: "c5:00.0", temperature: null, ecc_corrected_total: null });
    const known = [
      device({ uuid: "u", pci_bus_id: "0000:c5:00.0", temperature: 40, ecc_corrected_total: 9 }),
      device({ uuid: "v", pci_bus_id: "0000:c6:00.0" }),
    ];
    assert.deepEqual(joinDevices([first], known, true), [{ ...first, uuid: "u" }]);
  });

  test("a failed device gets no readings of another tool", () => {
    const lost = device({ uuid: "GPU-1", temperature: null, error: "GPU is lost" });
    assert.deepEqual(joinDevices([lost], [device({ uuid: "GPU-1", temperature: 40 })]), [lost]);
  });
});
