import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseExpectation } from "../../src/contract/expectation.js";
import type { FrameRecord } from "../../src/contract/record.js";
import { unmetIn } from "../../src/health/expectations.js";
import { frame, gpu } from "../support/records.js";

const gpus = (count: number, changes = {}): FrameRecord =>
  frame({ gpus: Array.from({ length: count }, (_, index) => gpu({ index, ...changes })) });
const lost = frame({ gpus: [gpu(), gpu({ index: 1, error: "GPU is lost", name: null })] });

describe("what is not as expected", () => {
  const cases: [texts: readonly string[], record: FrameRecord, expected: readonly string[]][] = [
    [["gpus=8"], gpus(8), []],
    [["gpus=8"], gpus(7), ["critical null expect.gpus: 7 GPUs work, 8 expected"]],
    [["gpus=2"], lost, ["critical null expect.gpus: 1 GPU works (1 more failed), 2 expected"]],
    [["gpus=0"], frame({ gpus: [] }), []],
    [["gpus=8"], frame({ errors: [] }), ["unknown null expect.gpus: the GPUs could not be counted"]],
    [["driver=580.*"], gpus(1, { driver_version: "580.95.05" }), []],
    [
      ["driver=580.*"],
      gpus(2, { driver_version: "570.1" }),
      [
        "warning gpu 0 expect.driver: driver 570.1, 580.* expected",
        "warning gpu 1 expect.driver: driver 570.1, 580.* expected",
      ],
    ],
    [["driver=580.*"], gpus(1, { detail: { driver_version: "580.1" } }), []],
    [["vbios=96*"], gpus(1), ["unknown gpu 0 expect.vbios: vbios could not be read"]],
    [["gpu=*H100*"], lost, []],
    [["gpus=8", "gpus=4"], gpus(4), []],
  ];
  for (const [texts, record, expected] of cases) {
    test(`${texts.join(", ")}: ${expected[0] ?? "nothing"}`, () => {
      const expectations = texts.map((text) => {
        const parsed = parseExpectation(text);
        assert.equal(parsed.kind, "expectation");
        return parsed.expectation;
      });
      const unmet = unmetIn(record, expectations);
      assert.deepEqual(
        unmet.map(
          ({ severity, device, rule, message }) => `${severity} ${device ?? "null"} ${rule}: ${message}`,
        ),
        expected,
      );
      for (const { action } of unmet) assert.notEqual(action, "");
    });
  }
});
