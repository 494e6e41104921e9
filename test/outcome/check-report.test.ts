import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { bySeverity, type Finding, type Health, type Severity } from "../../src/contract/health.js";
import { CheckReport } from "../../src/outcome/check-report.js";
import { frame, gpu, state } from "../support/records.js";

const OK: Health = { status: "ok", findings: [] };
function sick(severity: Severity, message: string, device: string | null = null): Health {
  const finding: Finding = { rule: "r", severity, device, message, action: "do this", since: "t" };
  return { status: severity, findings: [finding] };
}

describe("--check", () => {
  test("all fine: one line and performance data, code 0", () => {
    const report = new CheckReport();
    report.take(
      frame({ hostname: "a", gpus: [gpu({ temperature: 61 }), gpu({ index: 1, temperature: 70 })] }),
      OK,
    );
    assert.deepEqual(report.report(1, false), {
      text: "ALLSMI OK - 1 of 1 hosts ok, 2 GPUs | hosts_ok=1;;;0;1 hosts_unknown=0;;;0;1 hosts_warning=0;;;0;1 hosts_critical=0;;;0;1 gpus=2;;;0 gpu_temperature_max=70;;;0\n",
      code: 0,
    });
  });
  test("the worst host decides, is named first, and has its lines below", () => {
    const report = new CheckReport();
    report.take(frame({ hostname: "a", gpus: [gpu()] }), sick("warning", "hot | very", "gpu 0"));
    report.take(frame({ hostname: "b", gpus: [gpu()] }), OK);
    report.take(state({ hostname: "c" }), sick("critical", "timeout: no answer"));
    const { text, code } = report.report(3, false);
    assert.equal(code, 2);
    const [first = "", ...details] = text.trimEnd().split("\n");
    assert.match(
      first,
      /^ALLSMI CRITICAL - 1 of 3 hosts ok, 2 GPUs: c timeout: no answer; a gpu 0 hot \/ very \| hosts_ok=1;/,
    );
    assert.deepEqual(details, [
      "CRITICAL c: timeout: no answer; do this",
      "WARNING a gpu 0: hot / very; do this",
    ]);
  });
  test("a host without an answer makes it unknown, and no less than what others have", () => {
    const report = new CheckReport();
    report.take(frame({ hostname: "a", gpus: [gpu()] }), OK);
    const late = report.report(2, true);
    assert.equal(late.code, 3);
    assert.match(late.text, /^ALLSMI UNKNOWN - 1 of 2 hosts ok, 1 GPU: 1 without an answer in time \|/);
    report.take(frame({ hostname: "b" }), sick("critical", "x"));
    assert.equal(report.report(3, true).code, 2);
  });
  test("no host at all is unknown", () => assert.equal(new CheckReport().report(0, false).code, 3));
  test("the last record of a host counts", () => {
    const report = new CheckReport();
    report.take(state({ hostname: "a" }), sick("critical", "gone"));
    report.take(frame({ hostname: "a", gpus: [gpu()] }), OK);
    assert.equal(report.report(1, false).code, 0);
  });
});

test("any texts: the first line has one bar, details none, and all fits what Nagios reads", () => {
  const finding = fc.record({
    rule: fc.string(),
    severity: fc.constantFrom<Severity>("unknown", "warning", "critical"),
    device: fc.option(fc.string({ maxLength: 20 }), { nil: null }),
    message: fc.string({ unit: "binary", maxLength: 300 }),
    action: fc.constant("do this"),
    since: fc.constant("t"),
  });
  fc.assert(
    fc.property(fc.array(fc.array(finding, { maxLength: 3 }), { maxLength: 40 }), (hosts) => {
      const report = new CheckReport();
      for (const [at, findings] of hosts.entries()) {
        const sorted = bySeverity(findings);
        report.take(frame({ hostname: `h${at}` }), { status: sorted[0]?.severity ?? "ok", findings: sorted });
      }
      const [first = "", ...details] = report.report(hosts.length, false).text.trimEnd().split("\n");
      assert.equal(first.split("|").length, 2);
      assert.ok(details.every((line) => !line.includes("|")));
      assert.ok(details.length <= 51);
    }),
  );
});
