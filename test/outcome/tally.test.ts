import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KNOWN_FIELDS } from "../../src/conditions/known-fields.js";
import { parseCondition } from "../../src/conditions/parse.js";
import type { Health, Severity } from "../../src/contract/health.js";
import type { DriftOptions } from "../../src/contract/options.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { driftReport, DriftWatch } from "../../src/outcome/drift-watch.js";
import { fleetLine, lineText } from "../../src/outcome/fleet-line.js";
import { exitCodeOf, lastLine, Tally, traitsIn, unreadIn } from "../../src/outcome/tally.js";
import { frame, gpu, state } from "../support/records.js";

const NVML = { section: "gpu", kind: "error", message: "NVML mismatch" } as const;
const ok = (hostname: string, temperature: number | null = 40): StreamRecord =>
  frame({ hostname, gpus: [gpu({ temperature })] });
const failing = (hostname: string): StreamRecord => frame({ hostname, errors: [NVML] });
const lostGpu = (hostname: string): StreamRecord =>
  frame({ hostname, gpus: [gpu(), gpu({ error: "GPU is lost" })] });
const health = (severity: Severity, message: string): Health => ({
  status: severity,
  findings: [
    { rule: "a-rule", severity, device: "gpu 0", message, action: "look", since: "2026-01-02T03:04:05.678Z" },
  ],
});
const sick = (hostname: string, severity: Severity): StreamRecord =>
  frame({ hostname, gpus: [gpu()], health: health(severity, "x") });
const down = (hostname: string): StreamRecord => state({ hostname });

const PLAIN = { failOnMissing: false, drift: null };
const ON_MISSING = { failOnMissing: true, drift: null };
const ON_DRIFT: DriftOptions = { isReported: false, failsRun: true };
const driver = (hostname: string, version: string): StreamRecord =>
  frame({ hostname, gpus: [gpu({ driver_version: version })] });

function tallyOf(
  records: readonly StreamRecord[],
  failOn: readonly string[] = [],
  log?: (line: string) => void,
  drift: DriftOptions | null = null,
): Tally {
  const conditions = failOn.map((text) => {
    const parsed = parseCondition(text, KNOWN_FIELDS);
    assert.equal(parsed.kind, "condition", text);
    return parsed.condition;
  });
  const tally = new Tally({ failOn: conditions, drift }, log);
  for (const record of records) tally.take(record);
  return tally;
}

/** The truth table: hosts x section errors x health x conditions x missing readings. */
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
    ["a critical finding", [ok("a"), sick("b", "critical")], [], false, 3],
    ["critical findings everywhere", [sick("a", "critical")], [], false, 4],
    ["a warning", [sick("a", "warning")], [], false, 0],
    ["a rule without its reading", [sick("a", "unknown")], [], false, 0],
    ["a finding that healed", [sick("a", "critical"), ok("a")], [], false, 0],
    ["a condition on health", [sick("a", "warning")], ["health.status == warning"], false, 5],
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
      assert.equal(
        exitCodeOf([tallyOf(records, failOn).summary], { failOnMissing: onMissing, drift: null }),
        code,
      ));
  }
  test("is of all parts of a fleet together", () => {
    const parts = [tallyOf([ok("a")]).summary, tallyOf([failing("b")]).summary];
    assert.equal(exitCodeOf(parts, PLAIN), 3);
    assert.equal(exitCodeOf([tallyOf([]).summary, tallyOf([ok("a")]).summary], PLAIN), 0);
    const unread = tallyOf([ok("a", null)], ["gpu.temperature > 85"]).summary;
    const read = tallyOf([ok("b", 50)], ["gpu.temperature > 85"]).summary;
    assert.deepEqual(unreadIn([unread, read]), []);
    assert.equal(exitCodeOf([unread, read], ON_MISSING), 0);
    assert.equal(exitCodeOf([unread, unread], ON_MISSING), 5);
  });
});

describe("the exit code where hosts differ", () => {
  const codeOf = (...parts: readonly (readonly StreamRecord[])[]): number =>
    exitCodeOf(
      parts.map((records) => structuredClone(tallyOf(records, [], undefined, ON_DRIFT).summary)),
      { failOnMissing: false, drift: ON_DRIFT },
    );
  const gone = state({ hostname: "b", state: "disconnected" });
  const late = state({ hostname: "b", state: "connected" });
  test("5 in one part", () => assert.equal(codeOf([driver("a", "580.1"), driver("b", "570.2")]), 5));
  test("5 between parts of a fleet", () =>
    assert.equal(codeOf([driver("a", "580.1")], [driver("b", "570.2")]), 5));
  test("0 where they are alike", () => assert.equal(codeOf([driver("a", "580.1"), driver("b", "580.1")]), 0));
  test("0 where one became like the other", () =>
    assert.equal(codeOf([driver("a", "580.1"), driver("b", "570.2"), driver("b", "580.1")]), 0));
  test("not 5 where the odd one has gone: what it had is not known", () =>
    assert.equal(codeOf([driver("a", "580.1"), driver("b", "570.2"), gone]), 3));
  test("5 where the odd one is only late", () =>
    assert.equal(codeOf([driver("a", "580.1"), driver("b", "570.2"), late]), 5));
  test("0 where a difference is reported only", () => {
    const drift = { isReported: true, failsRun: false };
    const tally = tallyOf([driver("a", "580.1"), driver("b", "570.2")], [], undefined, drift);
    assert.equal(exitCodeOf([tally.summary], { failOnMissing: false, drift }), 0);
    assert.deepEqual(driftReport(traitsIn([tally.summary])), {
      isDrift: true,
      lines: ["drift: driver version differs: 580.1 on a; 570.2 on b"],
    });
  });
  test("nothing is kept without --drift", () =>
    assert.deepEqual(traitsIn([tallyOf([driver("a", "580.1")]).summary]), []));
});

describe("the drift report", () => {
  const reportOf = (...records: readonly StreamRecord[]): readonly string[] => {
    const watch = new DriftWatch();
    for (const record of records) watch.take(record);
    return watch.report.lines;
  };
  test("reports how many hosts were compared where none differs", () =>
    assert.deepEqual(reportOf(driver("a", "1"), driver("b", "1"), down("c")), [
      "drift: none; 2 of 3 hosts were compared",
    ]));
  test("reports that nothing was compared", () =>
    assert.deepEqual(reportOf(driver("a", "1"), down("c")), [
      "drift: nothing was compared: no two hosts of a group have GPU readings",
    ]));
  test("follows a host that changes", () => {
    const watch = new DriftWatch();
    for (const record of [driver("a", "1"), driver("b", "1"), driver("c", "1")]) watch.take(record);
    assert.equal(watch.report.isDrift, false);
    watch.take(driver("c", "2"));
    assert.deepEqual(watch.report.lines, ["drift: driver version 1 on 2 hosts, but 2 on c"]);
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
  const warned = frame({ hostname: "w", health: health("warning", "row remap pending") });
  const critical = frame({ hostname: "x", health: health("critical", "GPU is lost") });
  cases.push(
    [
      [ok("a"), warned, critical, down("c")],
      "4 hosts: 1 ok, 1 warning (w: gpu 0: row remap pending), 1 critical (x: gpu 0: GPU is lost), 1 unreachable (c: no answer within 10 s)",
    ],
    [
      [ok("a"), state({ hostname: "b", state: "connecting", last_error: null })],
      "2 hosts: 1 ok, 1 pending (b: connecting)",
    ],
  );
  for (const [records, line] of cases)
    test(line, () => assert.equal(lastLine([tallyOf(records).summary]), line));
});

describe("a line that must fit", () => {
  const tally = tallyOf([ok("a"), failing("b"), lostGpu("c"), ...["d", "e", "f", "g"].map(down)]).summary;
  const within = (width: number): string =>
    lineText(fleetLine(tally.byKind, tally.details?.problems ?? [], (text) => text.length <= width));
  const cases: [width: number, line: string][] = [
    [
      110,
      "7 hosts: 1 ok, 2 with errors (b: gpu: NVML mismatch; ...), 4 unreachable (d: no answer within 10 s; ...)",
    ],
    [80, "7 hosts: 1 ok, 2 with errors (b, c), 4 unreachable (d, e, f, ...)"],
    [60, "7 hosts: 1 ok, 2 with errors, 4 unreachable"],
    [10, "7 hosts: 1 ok, 2 with errors, 4 unreachable"],
  ];
  for (const [width, line] of cases)
    test(`${width} characters: every kind is counted`, () => assert.equal(within(width), line));
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
  test("is logged for 20 devices, then one line reports that there are more", () => {
    const lines: string[] = [];
    const hosts = Array.from({ length: 50 }, (_, at) => ok(`h${at}`, 90));
    tallyOf(hosts, ["gpu.temperature > 85"], (line) => lines.push(line));
    assert.equal(lines.length, 21);
    assert.match(lines.at(-1) ?? "", /more conditions hold/);
  });
});
