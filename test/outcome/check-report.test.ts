import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { KNOWN_FIELDS } from "../../src/conditions/known-fields.js";
import { parseCondition } from "../../src/conditions/parse.js";
import type { Condition } from "../../src/contract/condition.js";
import { bySeverity, type Finding, type Health, type Severity } from "../../src/contract/health.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { CheckReport, failedCheck } from "../../src/outcome/check-report.js";
import { frame, gpu, state } from "../support/records.js";

const OK: Health = { status: "ok", findings: [] };
const NONE = { warn: [], crit: [] };
function sick(severity: Severity, message: string, device: string | null = null): Health {
  const finding: Finding = { rule: "r", severity, device, message, action: "do this", since: "t" };
  return { status: severity, findings: [finding] };
}
function condition(text: string): Condition {
  const parsed = parseCondition(text, KNOWN_FIELDS);
  assert.equal(parsed.kind, "condition", text);
  return (parsed as { condition: Condition }).condition;
}
const ALL = { expected: null, timedOut: false };

describe("by the health rules", () => {
  test("all fine: one line and performance data, each GPU's for one host, code 0", () => {
    const report = new CheckReport(NONE);
    const [first, second] = [
      gpu({ temperature: 61 }),
      gpu({ index: 1, temperature: null, power_limit: 700 }),
    ];
    report.take(frame({ hostname: "a", gpus: [first, second], health: OK }));
    const { text, code } = report.report({ expected: 1, timedOut: false });
    assert.equal(code, 0);
    const [words = "", figures = ""] = text.trimEnd().split(" | ");
    assert.equal(words, "ALLSMI OK - 1 of 1 hosts ok, 2 GPUs");
    assert.deepEqual(figures.split(" "), [
      ...["hosts_ok=1;;;0;1", "hosts_unknown=0;;;0;1", "hosts_warning=0;;;0;1", "hosts_critical=0;;;0;1"],
      ...["gpus=2;;;0", "gpu_temperature_max=61"],
      `gpu0_utilization=97%;;;0;100`,
      `gpu0_memory=${first.used_memory}B;;;0;${first.total_memory}`,
      "gpu0_temperature=61;;;0",
      `gpu0_power=${first.power_consumption};;;0;${first.power_limit}`,
      `gpu1_utilization=97%;;;0;100`,
      `gpu1_memory=${second.used_memory}B;;;0;${second.total_memory}`,
      "gpu1_temperature=U;;;0",
      `gpu1_power=${second.power_consumption};;;0;700`,
    ]);
  });
  test("the worst host decides, is named first, and has its lines below", () => {
    const report = new CheckReport(NONE);
    report.take(frame({ hostname: "a", gpus: [gpu()], health: sick("warning", "hot | very", "gpu 0") }));
    report.take(frame({ hostname: "b", gpus: [gpu()], health: OK }));
    report.take(state({ hostname: "c", health: sick("critical", "timeout: no answer") }));
    const { text, code } = report.report({ expected: 3, timedOut: false });
    assert.equal(code, 2);
    const [first = "", ...details] = text.trimEnd().split("\n");
    assert.match(
      first,
      /^ALLSMI CRITICAL - 1 of 3 hosts ok, 2 GPUs: c: timeout: no answer; a gpu 0: hot \/ very \| hosts_ok=1;/,
    );
    assert.doesNotMatch(first, /gpu0_/);
    assert.deepEqual(details, [
      "CRITICAL c: timeout: no answer; do this",
      "WARNING a gpu 0: hot / very; do this",
    ]);
  });
  test("hosts that are alike stand in the order of their names", () => {
    const report = new CheckReport(NONE);
    for (const hostname of ["gpu-10", "gpu-2", "gpu-1"])
      report.take(frame({ hostname, health: sick("warning", "x") }));
    const lines = report.report(ALL).text.trimEnd().split("\n").slice(1);
    assert.deepEqual(
      lines.map((line) => line.split(" ")[1]),
      ["gpu-1:", "gpu-2:", "gpu-10:"],
    );
  });
  test("the last record of a host counts, and no transition does", () => {
    const report = new CheckReport(NONE);
    report.take(state({ hostname: "a", health: sick("critical", "gone") }));
    report.take(frame({ hostname: "a", gpus: [gpu()], health: OK }));
    report.take(state({ hostname: "a", tick: null, health: sick("critical", "gone") }));
    assert.equal(report.report(ALL).code, 0);
  });
});

describe("a host whose last tick is late, with --count", () => {
  const error = { code: "sample-overrun", phase: "sample", message: "still under way", fix: "wait" } as const;
  const late = state({ hostname: "a", tick: 1, state: "connected", last_error: error });
  const reportOf = (
    ...records: readonly StreamRecord[]
  ): { readonly text: string; readonly code: number } => {
    const report = new CheckReport({ warn: [], crit: [condition("gpu.temperature>90")] });
    for (const record of records) report.take(record);
    return report.report(ALL);
  };
  const read = (temperature: number): StreamRecord => frame({ hostname: "a", gpus: [gpu({ temperature })] });

  test("is a warning, and has the figures of its frame", () => {
    const { text, code } = reportOf(read(61), late);
    assert.equal(code, 1);
    assert.match(text, /^ALLSMI WARNING - 0 of 1 hosts ok, 1 GPU: a: still under way .*gpu0_temperature=61/);
    assert.match(text, /\nWARNING a: still under way; wait\n$/);
  });
  test("keeps what its frame showed, and the next frame counts again", () => {
    const { text, code } = reportOf(read(95), late, { ...late, tick: 2 });
    assert.equal(code, 2);
    assert.equal(text.split("\n").filter((line) => line.startsWith("WARNING")).length, 1);
    assert.equal(reportOf(read(95), late, read(61)).code, 0);
  });
  test("is critical when the connection is lost", () => {
    assert.equal(reportOf(read(61), late, state({ hostname: "a", tick: 2 })).code, 2);
  });
});

describe("hosts without an answer", () => {
  const cases: readonly [string, readonly Severity[], number][] = [
    ["unknown", [], 3],
    ["unknown where the others are not critical", ["warning"], 3],
    ["critical where one of the others is", ["critical"], 2],
  ];
  for (const [what, severities, code] of cases) {
    test(what, () => {
      const report = new CheckReport(NONE);
      report.take(frame({ hostname: "fine", gpus: [gpu()], health: OK }));
      for (const severity of severities)
        report.take(frame({ hostname: severity, health: sick(severity, "x") }));
      const ended = report.report({ expected: severities.length + 2, timedOut: true });
      assert.equal(ended.code, code);
      assert.match(ended.text, /: 1 without an answer in time/);
      assert.match(ended.text, /hosts_unknown=1;/);
    });
  }
  test("no host at all is unknown", () => {
    const { text, code } = new CheckReport(NONE).report(ALL);
    assert.equal(code, 3);
    assert.match(text, /^ALLSMI UNKNOWN - no host \|/);
  });
  test("a check that could not be made", () => {
    assert.deepEqual(failedCheck("--ssh: a | b\nc"), { text: "ALLSMI UNKNOWN - --ssh: a / b; c\n", code: 3 });
  });
});

describe("by conditions", () => {
  const limits = {
    warn: [condition("gpu.temperature>80")],
    crit: [condition("gpu.temperature>90"), condition("count(gpus)<1")],
  };
  const code = (record: Parameters<CheckReport["take"]>[0]): number => {
    const report = new CheckReport(limits);
    report.take(record);
    return report.report(ALL).code;
  };
  const hot = (temperature: number | null): ReturnType<typeof frame> =>
    frame({ gpus: [gpu({ temperature })] });
  const cases: readonly [string, Parameters<CheckReport["take"]>[0], number][] = [
    ["below both", hot(60), 0],
    ["warn", hot(81), 1],
    ["crit", hot(91), 2],
    ["a count", frame({ gpus: [] }), 2],
    ["a missing reading is no pass", hot(null), 3],
    [
      "one missing reading beside one that is hot",
      frame({ gpus: [gpu({ temperature: null }), gpu({ temperature: 91 })] }),
      2,
    ],
    ["a section that was not read", frame({ errors: [{ section: "gpu", kind: "error", message: "x" }] }), 2],
    ["a failed GPU", frame({ gpus: [gpu({ temperature: 60, error: "lost" })] }), 2],
    ["a host without a frame", state(), 2],
  ];
  for (const [what, record, expected] of cases) test(what, () => assert.equal(code(record), expected));

  test("the reading, the fix and the thresholds are printed", () => {
    const report = new CheckReport(limits);
    report.take(hot(91));
    const lines = report.report(ALL).text.trimEnd().split("\n");
    assert.match(lines[0] ?? "", / gpu0_temperature=91;80;90;0( |$)/);
    assert.deepEqual(lines.slice(1), [
      "CRITICAL dgx-01 gpu 0: temperature 91 > 90",
      "WARNING dgx-01 gpu 0: temperature 91 > 80",
    ]);
    const refused = new CheckReport(limits);
    refused.take(
      state({ last_error: { code: "no-usable-key", phase: "auth", message: "no key", fix: "ssh-add k" } }),
    );
    assert.match(refused.report(ALL).text, /^CRITICAL dgx-02: no key; ssh-add k$/m);
  });
  test("what is missing is named", () => {
    const report = new CheckReport(limits);
    report.take(hot(null));
    assert.match(report.report(ALL).text, /^UNKNOWN dgx-01: no reading of gpu.temperature$/m);
  });
  test("for 3 ticks", () => {
    const report = new CheckReport({ warn: [], crit: [condition("gpu.temperature > 80 for 3 ticks")] });
    const codes = [0, 1, 2].map((tick) => {
      report.take({ ...hot(85), tick });
      return report.report(ALL).code;
    });
    assert.deepEqual(codes, [0, 0, 2]);
  });
});

test("any texts: the first line has one bar, details none, and all fits what Nagios reads", () => {
  const finding = fc.record({
    rule: fc.string(),
    severity: fc.constantFrom<Severity>("unknown", "warning", "critical"),
    device: fc.option(fc.string({ maxLength: 20 }), { nil: null }),
    message: fc.string({ unit: "binary", maxLength: 600 }),
    action: fc.constant("do this"),
    since: fc.constant("t"),
  });
  fc.assert(
    fc.property(fc.array(fc.array(finding, { maxLength: 3 }), { maxLength: 40 }), (hosts) => {
      const report = new CheckReport(NONE);
      for (const [at, findings] of hosts.entries()) {
        const sorted = bySeverity(findings);
        const health = { status: sorted[0]?.severity ?? ("ok" as const), findings: sorted };
        report.take(frame({ hostname: `h${at}`, health }));
      }
      const { text } = report.report({ expected: hosts.length, timedOut: false });
      const [first = "", ...details] = text.trimEnd().split("\n");
      assert.equal(first.split("|").length, 2);
      assert.ok(details.every((line) => !line.includes("|")));
      assert.ok(Buffer.byteLength(text) <= 8192);
      assert.ok(details.length === hosts.flat().length || / more findings$/.test(details.at(-1) ?? ""));
    }),
  );
});
