/** PCIe replays and traffic: dmon's rows, the XML's elements, and how seldom dmon is asked. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Gpu } from "../../../src/contract/record.js";
import type { Reading, Sampler } from "../../../src/shims/kit/shim.js";
import { readPcieTraffic } from "../../../src/shims/nvidia-smi/pcie-traffic.js";
import { SELDOM_EVERY_TICKS } from "../../../src/shims/nvidia-smi/seldom-ticks.js";
import { readSmiXml } from "../../../src/shims/nvidia-smi/xml.js";
import { nvidiaSmiShim } from "../../../src/shims/nvidia-smi.js";
import { FIXTURES } from "../../support/fixture-table.js";
import { GOLDEN_ROOT } from "../../support/golden.js";
import { assertKnownFields } from "../../support/known-fields.js";
import { type Answer, partOutputs, probeContext } from "../../support/shim-outputs.js";

const HEADER = "# gpu  sbecc  dbecc    pci  rxpci  txpci \n# Idx   errs   errs   errs   MB/s   MB/s \n";

describe("the output of nvidia-smi dmon -s et", () => {
  test("replays, and traffic in bytes a second", () => {
    const rows = "    0      0      0      9  21846   6849 \n    1      -      -      0      0     12 \n";
    assert.deepEqual(readPcieTraffic(HEADER + rows), [
      { index: 0, link: { replay_errors: 9, rx_bytes_per_second: 21846e6, tx_bytes_per_second: 6849e6 } },
      { index: 1, link: { replay_errors: 0, rx_bytes_per_second: 0, tx_bytes_per_second: 12e6 } },
    ]);
  });

  test("the header names the columns, whatever stands between them", () => {
    const text =
      "# gpu   pwr  rxpci  txpci    pci\n# Idx     W   MB/s   MB/s   errs\n    3   120      5      -      2\n";
    assert.deepEqual(readPcieTraffic(text), [
      { index: 3, link: { replay_errors: 2, rx_bytes_per_second: 5e6, tx_bytes_per_second: null } },
    ]);
  });

  test("dashes, a cut row and impossible numbers are no readings; a text without header is no answer", () => {
    const rows = "    0      -      -      -      -      - \n    1      0      0      9  21846";
    assert.deepEqual(readPcieTraffic(HEADER + rows), []);
    assert.deepEqual(readPcieTraffic(`${HEADER}    0      0      0     -1 4294967295  -5 \n`), []);
    for (const text of [
      "",
      "Not supported on the device(s)\nFailed to process command line.\n",
      "0 0 0 0 0 0\n",
    ])
      assert.equal(readPcieTraffic(text), null, text);
  });

  test("any bytes give whole counts or null", () => {
    const piece = fc.constantFrom(HEADER, " 0 ", "12 ", "- ", "\n", "-1 ");
    const text = fc
      .array(fc.oneof(piece, fc.string({ unit: "binary", maxLength: 8 })))
      .map((all) => all.join(""));
    fc.assert(
      fc.property(text, (all) => {
        for (const { link } of readPcieTraffic(all) ?? [])
          for (const value of Object.values(link))
            assert.ok(value === null || (Number.isSafeInteger(value) && value >= 0));
      }),
    );
  });
});

/** By eye: replays, KB/s received and sent, of each GPU in the file; null where the elements are N/A or missing. */
const RECORDED: Readonly<Record<string, readonly (readonly [number, number, number] | null)[]>> = {
  "2x-gtx1070-384.66": [
    [0, 68000, 25000],
    [0, 31000, 11000],
  ],
  "a100-sxm4-80gb-mig-535.54.03": [[0, 0, 4000]],
  "a10g-515.105.01": [[0, 0, 0]],
  "grid-p4-1q-vgpu-513.46": [null],
  "gt730-384.111-trimmed": [null],
  "rtx2070-590.44.01-trimmed-to-gpu0": [[0, 341, 390]],
  "rtx3060-570.124.04": [[0, 500, 550]],
  "rtx3080-windows-536.40": [[0, 6000, 1000]],
};
const FOLDER = join(FIXTURES, "nvidia-smi");

if (!existsSync(FOLDER))
  test("PCIe in recordings", { skip: `NOT RUN: ${relative(process.cwd(), FOLDER)} is not there` });
else
  describe("PCIe in recordings", () => {
    for (const [name, links] of Object.entries(RECORDED))
      test(name, () => {
        const xml = readSmiXml(readFileSync(join(FOLDER, `xml__${name}.xml`), "utf8"));
        const read = xml.map(({ gpu: { pcie } }) =>
          pcie === undefined || pcie === null
            ? null
            : [pcie.replay_errors, ...[pcie.rx_bytes_per_second, pcie.tx_bytes_per_second].map(kilobytes)],
        );
        assert.deepEqual(read, links);
      });
  });

function kilobytes(bytes: number | null | undefined): number | null | undefined {
  return typeof bytes === "number" ? bytes / 1000 : bytes;
}

describe("PCIe in ticks", () => {
  const rows = readFileSync(`${GOLDEN_ROOT}nvidia-smi/three-boards-590/nvidia-smi.query/stdout.txt`, "utf8");
  const probe = (text: string): Sampler => {
    const outputs = partOutputs({ "nvidia-smi.query": text });
    const verdict = nvidiaSmiShim.judge(outputs, probeContext(["gpu"]));
    assert.ok("sampler" in verdict);
    verdict.sampler.parse(outputs);
    verdict.sampler.parse(partOutputs({ "nvidia-smi.query": text }));
    return verdict.sampler;
  };
  const isAsked = ({ parts }: Sampler): boolean => parts.some(({ id }) => id === "nvidia-smi.pcie");
  const tick = (sampler: Sampler, answer: Answer): Reading =>
    sampler.parse(
      partOutputs({ "nvidia-smi.query": rows, ...(isAsked(sampler) ? { "nvidia-smi.pcie": answer } : {}) }),
    );
  const links = (reading: Reading): readonly unknown[] =>
    (reading.sections.gpus ?? []).map(({ pcie }: Gpu) => pcie && [pcie.replay_errors, pcie.ticks_ago]);
  const dmon = (replays: number): string =>
    `${HEADER}    0      0      0      ${replays}      1      2 \n    1      0      0      0      3      4 \n`;

  test("is asked in the third tick and then seldom; a record has when it was read", () => {
    const sampler = probe(rows);
    const first = tick(sampler, dmon(7));
    assertKnownFields(first.sections);
    assert.deepEqual(links(first), [[7, 0], [0, 0], undefined]);
    for (let ago = 1; ago < SELDOM_EVERY_TICKS; ago += 1) {
      assert.ok(!isAsked(sampler), `tick ${ago}`);
      assert.deepEqual(links(tick(sampler, "")), [[7, ago], [0, ago], undefined]);
    }
    assert.deepEqual(links(tick(sampler, dmon(8))), [[8, 0], [0, 0], undefined]);
  });

  test("a failure is an error once, and null until it is read again", () => {
    const sampler = probe(rows);
    tick(sampler, dmon(0));
    while (!isAsked(sampler)) tick(sampler, "");
    const failed = tick(sampler, { stdout: "Unknown Error\n", end: { kind: "exit", code: 255 } });
    assert.deepEqual(links(failed), [null, null, undefined]);
    assert.deepEqual(
      failed.errors.map(({ section, message }) => [section, message]),
      [["gpu", "nvidia-smi dmon: Unknown Error"]],
    );
    assert.deepEqual([links(tick(sampler, "")), tick(sampler, "").errors], [[null, null, undefined], []]);
  });

  test("is not asked again where it does not work, and never without persistence mode or in MIG mode", () => {
    for (const none of [
      { stdout: "Not supported on the device(s)\n", end: { kind: "exit", code: 3 } } as const,
      `${HEADER}    0      -      -      -      -      - \n`,
    ]) {
      const sampler = probe(rows);
      assert.deepEqual(tick(sampler, none).errors, []);
      for (let at = 0; at <= SELDOM_EVERY_TICKS; at += 1) {
        assert.ok(!isAsked(sampler));
        tick(sampler, "");
      }
    }
    // The command would start the driver.
    assert.ok(!isAsked(probe(rows.replace("Enabled", "Disabled"))));
    // The whole state, which has the same, is read in every tick there.
    const mig = readFileSync(`${GOLDEN_ROOT}nvidia-smi/mig-h200/nvidia-smi.query/stdout.txt`, "utf8");
    assert.ok(!isAsked(probe(mig)));
  });
});
