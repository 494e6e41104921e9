import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hlSmiShim } from "../../src/shims/hl-smi.js";
import { testParserProperties } from "../support/parser-properties.js";
import { partOutputs, probeContext } from "../support/shim-outputs.js";

testParserProperties({
  shim: hlSmiShim,
  part: "hl-smi.query",
  others: { "hl-smi.ids": "0, 0000:33:00.0, AN45051234\n1, 0000:34:00.0, AN45051235\n" },
  samples: ["|   1        3105  C      python3                                  14318MiB   |\n"],
  device: (index, value) =>
    [
      index,
      `01P4-HL3090A0-18-U4V193-22-07-0${String(index)}`,
      "HL-325L",
      "1.22.1-97ec1a4",
      value ?? "131072 MiB",
      value ?? "672 MiB",
      value ?? "130400 MiB",
      value ?? `22${String(index)} W`,
      value ?? "850 W",
      value ?? "36 C",
      value ?? "17 %",
    ].join(", "),
  assemble: (rows) => `${rows.join("\n")}\n`,
});

const BASE = "HL-225, 1.21.0-ca59b5a, 98304 MiB, 768 MiB, 97536 MiB, 98 W, 600 W, 33 C, 0 %";
const MORE = "Enabled, 41, 3, 2, 1, 0, 2, 1650 MHz, 4, 16";

describe("fields that not every release has", () => {
  const samplerAfter = (more: string) => {
    const outputs = partOutputs({ "hl-smi.query": `0, 01P0, ${BASE}\n`, "hl-smi.more": more });
    const verdict = hlSmiShim.judge(outputs, probeContext(["gpu"]));
    assert.ok(verdict.kind === "usable");
    return { sampler: verdict.sampler, first: verdict.sampler.parse(outputs).sections.gpus?.[0] };
  };
  test("are part of each tick's one query where the probe could read them, and never older than the tick", () => {
    const { sampler, first } = samplerAfter(`0, ${MORE}\n`);
    assert.equal(first?.["ecc_uncorrected_since_load"], 1);
    assert.equal(sampler.parts.length, 1);
    assert.match(sampler.parts[0]?.command ?? "", /utilization\.aip,ecc\.mode\.current,.*width\.current -f/);
    const row = `0, 01P0, ${BASE}, Enabled, 42, 4, 3, 2, 0, 2, N/A, 4, 16\n`;
    const [gpu] = sampler.parse(partOutputs({ "hl-smi.query": row })).sections.gpus ?? [];
    assert.deepEqual(
      [gpu?.["ecc_uncorrected_since_load"], gpu?.ecc_uncorrected_total, gpu?.frequency, gpu?.temperature],
      [2, 4, null, 33],
    );
  });
  test("are left out where the release refuses the query", () => {
    const { sampler, first } = samplerAfter("Invalid query field: ecc.mode.current\n");
    assert.equal(first !== undefined && "ecc_uncorrected_since_load" in first, false);
    assert.match(sampler.parts[0]?.command ?? "", /utilization\.aip -f csv/);
  });
});
