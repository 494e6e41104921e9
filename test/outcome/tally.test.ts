import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KNOWN_FIELDS } from "../../src/conditions/known-fields.js";
import { parseCondition } from "../../src/conditions/parse.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { exitCodeOf, lastLine, Tally, unreadIn } from "../../src/outcome/tally.js";
import { frame, gpu, state } from "../support/records.js";

const NVML = { section: "gpu", kind: "error", message: "NVML mismatch" } as const;
const ok = (hostname: string, temperature: number | null = 40): StreamRecord =>
  frame({ hostname, gpus: [gpu({ temperature })] });
const failing = (hostname: string): StreamRecord => frame({ hostname, errors: [NVML] });
const lostGpu = (hostname: string): StreamRecord =>
  frame({ hostname, gpus: [gpu(), gpu({ error: "GPU is lost" })] });
const down = (hostname: string): StreamRecord => state({ hostname });

function tallyOf(
  records: readonly StreamRecord[],
  failOn: readonly string[] = [],
  log?: (line: string) => void,
): Tally {
  const conditions = failOn.map((text) => {
    const parsed = parseCondition(text, KNOWN_FIELDS);
    assert.equal(parsed.kind, "condition", text);
    return parsed.condition;
  });
  const tally = new Tally(conditions, log);
  for (const record of records) tally.take(record);
  return tally;
}

/** The truth table: hosts x section errors x conditions x missing readings. */
describe("the exit code", () => {
  const cases: [
    what: string,
    records: readonly StreamRecord[],
    failOn: readonly string[],
    onMissing: boolean,
    code: number,
  ][] = [
    ["all ok", [ok("a"), ok("b")], [], false, 0],
    ["ok although readings are null", [ok("a", null)], [], false, 0],
    ["a host without GPUs that was asked for them", [frame({ hostname: "a", gpus: [] })], [], false, 0],
    ["one unreachable", [ok("a"), down("b")], [], false, 3],
    ["one with a section error", [ok("a"), failing("b")], [], false, 3],
    ["one with a lost GPU", [ok("a"), lostGpu("b")], [], false, 3],
    ["one with errors, one unreachable, none ok", [failing("a"), down("b")], [], false, 4],
    ["three dead drivers", [failing("a"), failing("b"), failing("c")], [], false, 4],
    ["all unreachable", [down("a"), down("b")], [], false, 4],
    ["no record at all", [], [], false, 4],
    ["the last record counts", [down("a"), ok("a")], [], false, 0],
    ["the last record counts, the other way", [ok("a"), failing("a"), ok("b")], [], false, 3],
    [
      "a condition that holds, whatever else failed",
      [ok("a", 90), down("b")],
      ["gpu.temperature > 85"],
      false,
      5,
    ],
    ["a condition that does not hold", [ok("a", 80)], ["gpu.temperature > 85"], false, 0],
    ["a condition on a missing reading", [ok("a", null)], ["gpu.temperature > 85"], false, 0],
    ["the same, where a missing reading is no pass", [ok("a", null)], ["gpu.temperature > 85"], true, 5],
    ["a reading that one host has", [ok("a", null), ok("b", 50)], ["gpu.temperature > 85"], true, 0],
    ["a condition on the state", [ok("a"), down("b")], ["state != connected"], false, 5],
    ["7 of 8 GPUs", [ok("a")], ["count(gpus) < 8"], false, 5],
    ["a condition that held once", [ok("a", 90), ok("a", 40)], ["gpu.temperature > 85"], false, 5],
    [
      "a condition for more ticks than it held",
      [ok("a", 90), ok("a", 40)],
      ["gpu.temperature > 85 for 2 ticks"],
      false,
      0,
    ],
  ];
  for (const [what, records, failOn, onMissing, code] of cases) {
    test(`${code}: ${what}`, () =>
      assert.equal(exitCodeOf([tallyOf(records, failOn).summary], onMissing), code));
  }
  test("is of all parts of a fleet together", () => {
    const parts = [tallyOf([ok("a")]).summary, tallyOf([failing("b")]).summary];
    assert.equal(exitCodeOf(parts), 3);
    assert.equal(exitCodeOf([tallyOf([]).summary, tallyOf([ok("a")]).summary]), 0);
    const unread = tallyOf([ok("a", null)], ["gpu.temperature > 85"]).summary;
    const read = tallyOf([ok("b", 50)], ["gpu.temperature > 85"]).summary;
    assert.deepEqual(unreadIn([unread, read]), []);
    assert.equal(exitCodeOf([unread, read], true), 0);
    assert.equal(exitCodeOf([unread, unread], true), 5);
  });
});

describe("the last line", () => {
  const cases: [records: readonly StreamRecord[], line: string][] = [
    [[ok("a")], "1 host: 1 ok"],
    [[ok("a"), failing("b")], "2 hosts: 1 ok, 1 with errors (b: gpu: NVML mismatch)"],
    [
      [ok("a"), lostGpu("b"), down("c")],
      "3 hosts: 1 ok, 1 with errors (b: gpu 0: GPU is lost), 1 unreachable (c: no answer within 10 s)",
    ],
    [
      ["a", "b", "c", "d"].map(down),
      "4 hosts: 0 ok, 4 unreachable (a: no answer within 10 s; b: no answer within 10 s; c: no answer within 10 s; ...)",
    ],
  ];
  for (const [records, line] of cases)
    test(line, () => assert.equal(lastLine([tallyOf(records).summary]), line));
});

describe("where a condition holds", () => {
  test("is logged once a host and device, and is in the record each time", () => {
    const lines: string[] = [];
    const tally = tallyOf([], ["gpu.temperature > 85"], (line) => lines.push(line));
    for (let tick = 0; tick < 3; tick++)
      assert.deepEqual(tally.take(ok("a", 90)), [
        { condition: "gpu.temperature > 85", device: "gpu 0", reason: "temperature 90 > 85" },
      ]);
    assert.deepEqual(lines, ["a gpu 0: temperature 90 > 85"]);
  });
  test("is logged for 20 devices, then one line says that there are more", () => {
    const lines: string[] = [];
    const hosts = Array.from({ length: 50 }, (_, at) => ok(`h${at}`, 90));
    tallyOf(hosts, ["gpu.temperature > 85"], (line) => lines.push(line));
    assert.equal(lines.length, 21);
    assert.match(lines.at(-1) ?? "", /more conditions hold/);
  });
});
