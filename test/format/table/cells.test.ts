/** What single cells have: bars, strips, models, temperatures. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bar, glances, model, strip, temperature } from "../../../src/format/table/cells.js";
import { createLook } from "../../../src/format/table/look.js";

const plain = createLook(false);
const ascii = createLook(false, true);
const color = createLook(true);

describe("models", () => {
  const cases: readonly [name: string, short: string | undefined][] = [
    ["NVIDIA H100 80GB HBM3", "H100 80GB HBM3"],
    ["AMD Instinct MI300X OAM", "MI300X OAM"],
    ["AMD Radeon Pro W7900", "Pro W7900"],
    ["Intel(R) Data Center GPU Max 1550", "Data Center GPU Max 1550"],
    ["Tesla T4", undefined],
    ["NVIDIA", undefined],
    ["NVIDIAH100", undefined],
  ];
  for (const [name, short] of cases)
    test(`${name}: ${short ?? "has no prefix"}`, () => {
      const cell = model(name);
      assert.deepEqual([cell.text, cell.short], [name, short]);
    });
});

test("a bar is as long as its share, and empty where that is not known", () => {
  const cases: readonly [percent: number | null, text: string][] = [
    [0, "──────────"],
    [4, "──────────"],
    [55, "━━━━━━────"],
    [100, "━━━━━━━━━━"],
    [250, "━━━━━━━━━━"],
    [-5, "──────────"],
    [null, ""],
    [Number.NaN, ""],
  ];
  for (const [percent, text] of cases) assert.equal(bar(percent, plain).text, text, String(percent));
  assert.equal(bar(55, ascii).text, "######....");
  assert.equal(bar(50, color).paint?.("━━━━━─────"), "\u001b[36m━━━━━\u001b[39m\u001b[2m─────\u001b[22m");
});

test("a strip has a mark for each share; a missing one is no low one", () => {
  assert.equal(strip([0, 50, 100, null], plain).text, "▁▄▇-");
  assert.equal(strip([0, 9, 10, 99, 100, null], ascii).text, "00199-");
});

test("what is hot shows without colour", () => {
  assert.equal(temperature(91.4, "hot", plain).text, "91!");
  assert.equal(temperature(84, "warm", plain).text, "84");
  assert.equal(temperature(null, "normal", plain).text, "-");
  assert.equal(temperature(84, "warm", color).paint?.("84"), "\u001b[33m84\u001b[39m");
});

test("each GPU of a host has utilization and temperature, and a lost one is no idle one", () => {
  const well = { utilization: 7, temperature: 61, heat: "normal", isFailed: false } as const;
  const all = [
    well,
    { ...well, heat: "hot", temperature: 91 },
    { ...well, utilization: null },
    { ...well, isFailed: true },
  ] as const;
  const { text, paint } = glances(all, color);
  assert.equal(text, "  7/61   7/91!   -/61 failed");
  assert.equal(paint?.(text), "  7/61   \u001b[31m7/91!\u001b[39m   -/61 \u001b[31mfailed\u001b[39m");
});
