/** The log of hosts: a line a change, none for what stays as it is. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HostChangeLines } from "../../src/contract/operator-log.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { duration, HostChanges } from "../../src/outcome/host-changes.js";
import { outcomeOf } from "../../src/outcome/host-outcome.js";
import { frame, gpu, state } from "../support/records.js";

const DAEMON: HostChangeLines = {
  firstConnections: true,
  attempts: false,
  fix: "same line",
  maxLines: Infinity,
};
const at = (secs: number): { readonly timestamp: string } => ({
  timestamp: new Date(Date.UTC(2026, 0, 2) + secs * 1000).toISOString(),
});

function linesOf(records: readonly StreamRecord[], lines: Partial<HostChangeLines> = {}): readonly string[] {
  const printed: string[] = [];
  const changes = new HostChanges({ ...DAEMON, ...lines }, (line) => printed.push(line));
  for (const record of records) changes.take(record, outcomeOf(record));
  return printed;
}

const host = { hostname: "dgx-01" };
const refused = { code: "connection-refused", phase: "dial", message: "refused", fix: "start sshd" } as const;
const connecting = state({ ...host, tick: null, state: "connecting", last_error: null, retry_in_ms: null });
const NVML = { section: "gpu", kind: "error", message: "NVML mismatch" } as const;

describe("the log of hosts", () => {
  test("has a host that is lost and comes back, once each, by its name as typed", () => {
    const down = state({ ...host, state: "unreachable", last_error: refused });
    const records = [
      connecting,
      frame({ ...host, ...at(0) }),
      frame({ ...host, ...at(2) }),
      { ...down, ...at(4), tick: null },
      { ...down, ...at(4) },
      { ...connecting, ...at(5), last_error: refused },
      { ...down, ...at(6), tick: null, retry_in_ms: 4000 },
      { ...down, ...at(6) },
      frame({ ...host, ...at(39) }),
      frame({ ...host, ...at(41) }),
    ];
    assert.deepEqual(linesOf(records), [
      "dgx-01: connected (nvidia-smi)",
      "dgx-01: connection-refused: refused; retry in 1.5 s; fix: start sshd",
      "dgx-01: connected again after 35 s (nvidia-smi)",
    ]);
    assert.equal(linesOf(records, { attempts: true }).length, 6, "with every attempt");
  });

  test("has another reason of a host that stays away", () => {
    const down = state({ ...host, state: "unreachable", last_error: refused, retry_in_ms: null });
    const late = state({ ...host, retry_in_ms: null });
    assert.deepEqual(linesOf([down, late, late]), [
      "dgx-01: connection-refused: refused; fix: start sshd",
      "dgx-01: connect-timeout: no answer within 10 s",
    ]);
  });

  test("has an error of a reading when it begins and when all is read again", () => {
    const failing = frame({ ...host, ...at(10), errors: [NVML] });
    const changed = frame({ ...host, ...at(12), errors: [{ ...NVML, message: "NVML: unknown error 12" }] });
    const more = frame({ ...host, ...at(14), errors: [NVML, { ...NVML, section: "storage" }] });
    assert.deepEqual(linesOf([failing, changed, more, changed, frame({ ...host, ...at(131) })]), [
      "dgx-01: connected (nvidia-smi)",
      "dgx-01: gpu error: NVML mismatch",
      "dgx-01: storage error: NVML mismatch",
      "dgx-01: ok again after 2 min",
    ]);
  });

  test("has a failed device, and what health rules find", () => {
    const finding = {
      rule: "r",
      severity: "critical",
      device: "gpu 3",
      message: "lost",
      action: "reboot",
    } as const;
    const findings = [{ ...finding, since: "2026-01-02T03:04:05.678Z" }];
    const sick = frame({ ...host, health: { status: "critical", findings } });
    const lost = frame({ ...host, gpus: [gpu({ error: "GPU is lost" })] });
    assert.deepEqual(linesOf([sick, sick]).slice(1), ["dgx-01: critical: gpu 3: lost; reboot"]);
    assert.deepEqual(linesOf([lost, lost]).slice(1), ["dgx-01: gpu 0: GPU is lost"]);
  });

  test("has a line a minute of each kind of a host that changes with every tick, and how many there were", () => {
    const lost = { code: "connection-lost", phase: "sample", message: "ended" } as const;
    const flapping = (from: number, to: number): readonly StreamRecord[] =>
      Array.from({ length: (to - from) / 2 }, (_, at) => from + 2 * at).map((secs) =>
        secs % 4 === 0
          ? frame({ ...host, ...at(secs) })
          : state({ ...host, ...at(secs), state: "disconnected", last_error: lost, retry_in_ms: null }),
      );
    const begin = [
      "dgx-01: connected (nvidia-smi)",
      "dgx-01: connection-lost: ended",
      "dgx-01: connected again after 2 s (nvidia-smi)",
      "dgx-01: connection-lost: ended",
      "dgx-01: connected again after 2 s (nvidia-smi)",
    ];
    const minute = [
      "dgx-01: connection-lost: ended (13 such lines in a minute)",
      "dgx-01: connected again after 2 s (nvidia-smi) (13 such lines in a minute)",
    ];
    const inSeconds = (secs: number): readonly string[] => linesOf(flapping(0, secs));
    assert.deepEqual(inSeconds(60), begin, "for a minute");
    assert.deepEqual(inSeconds(62).length, begin.length + 2);
    assert.deepEqual(linesOf(flapping(0, 60 * 60)).length, begin.length + 2 * 59, "for an hour");
    // The state in which it stays stands last.
    const calm = [...flapping(0, 60), frame({ ...host, ...at(60) }), frame({ ...host, ...at(62) })];
    assert.deepEqual(linesOf(calm), [...begin, ...minute]);
    const again = [...calm, ...flapping(122, 130)];
    assert.deepEqual(linesOf(again).slice(begin.length + 2), begin.slice(1), "after a calm minute");
    assert.equal(linesOf(flapping(0, 60), { attempts: true }).length, 30, "--verbose has them all");
  });

  test("has another fault at once of a host that changes with every tick", () => {
    const flips = Array.from({ length: 10 }, (_, tick) =>
      frame({ ...host, ...at(2 * tick), ...(tick % 2 === 0 ? {} : { errors: [NVML] }) }),
    );
    const lost = frame({ ...host, ...at(20), gpus: [gpu({ error: "GPU is lost" })] });
    assert.equal(linesOf([...flips, lost]).at(-1), "dgx-01: gpu 0: GPU is lost");
  });

  test("is bounded for a host that reports another device each time", () => {
    const odd = Array.from({ length: 100 }, (_, tick) =>
      frame({ ...host, ...at(tick / 10), errors: [{ ...NVML, device: `GPU-${tick}` }] }),
    );
    assert.equal(linesOf(odd).length, 18);
  });

  test("has the lines that wait also where the clock was set back", () => {
    const failing = (secs: number): StreamRecord[] => [
      frame({ ...host, ...at(secs), errors: [NVML] }),
      frame({ ...host, ...at(secs + 1) }),
    ];
    const lines = linesOf([...failing(3600), ...failing(3602), ...failing(3604), ...failing(0)]);
    assert.equal(lines.filter((line) => line.includes("NVML mismatch")).length, 3, lines.join("\n"));
  });

  test("has the lines that wait at the end of the run", () => {
    const printed: string[] = [];
    const changes = new HostChanges(DAEMON, (line) => printed.push(line));
    for (let tick = 0; tick < 8; tick++) {
      const record = frame({ ...host, ...at(tick), ...(tick % 2 === 0 ? {} : { errors: [NVML] }) });
      changes.take(record, outcomeOf(record));
    }
    const before = printed.length;
    changes.end();
    changes.end();
    assert.deepEqual(printed.slice(before), [
      "dgx-01: ok again after 1 s",
      "dgx-01: gpu error: NVML mismatch (2 such lines in a minute)",
    ]);
  });

  test("does not repeat the errors of a host whose slow readings leave ticks out", () => {
    const overrun = { ...refused, code: "sample-overrun", message: "still under way" } as const;
    const failing = frame({ ...host, errors: [NVML] });
    const late = state({ ...host, state: "connected", last_error: overrun });
    assert.deepEqual(linesOf([failing, late, failing, failing]), [
      "dgx-01: connected (nvidia-smi)",
      "dgx-01: gpu error: NVML mismatch",
      "dgx-01: sample-overrun: still under way; fix: start sshd",
    ]);
  });

  test("has an error once where a finding repeats it, with what to do", () => {
    const since = "2026-01-02T03:04:05.678Z";
    const section = {
      rule: "section-failed",
      severity: "critical",
      device: null,
      action: "run it",
      since,
    } as const;
    const findings = [{ ...section, message: "gpu: NVML mismatch" }];
    const sick = frame({ ...host, errors: [NVML], health: { status: "critical", findings } });
    assert.deepEqual(linesOf([sick, sick]).slice(1), ["dgx-01: critical: gpu: NVML mismatch; run it"]);
    const other = frame({ ...host, errors: [NVML], health: { status: "ok", findings: [] } });
    assert.deepEqual(linesOf([other]).slice(1), ["dgx-01: gpu error: NVML mismatch"]);
  });

  test("distinguishes hosts of the same name", () => {
    const other = frame({ ...host, host_id: "admin@dgx-01:2222" });
    assert.deepEqual(linesOf([frame(host), other]), [
      "dgx-01: connected (nvidia-smi)",
      "admin@dgx-01:2222: connected (nvidia-smi)",
    ]);
  });

  test("has a fix in a line of its own on a terminal, and no first connections", () => {
    const down = state({ ...host, last_error: refused, retry_in_ms: null });
    assert.deepEqual(linesOf([frame(host), down], { firstConnections: false, fix: "below" }), [
      "dgx-01: connection-refused: refused\n  start sshd",
    ]);
  });

  test("is bounded where its caller asks for that, and prints nothing that a terminal would act on", () => {
    const away = (at: number): StreamRecord => state({ hostname: `h${at}`, retry_in_ms: null });
    const lines = linesOf([0, 1, 2, 3, 4].map(away), { maxLines: 2 });
    assert.equal(lines.length, 3);
    assert.match(lines[2] ?? "", /^more hosts have no reading/);
    const error = { ...refused, message: "\u001b[31m", fix: "\u0007" };
    assert.deepEqual(linesOf([state({ ...host, last_error: error, retry_in_ms: null })]), [
      "dgx-01: connection-refused: \ufffd[31m; fix: \ufffd",
    ]);
  });
});

test("durations", () => {
  const texts = [0, 840, 35_000, 125_000, 3_600_000, 11_100_000].map(duration);
  assert.deepEqual(texts, ["0 s", "0.8 s", "35 s", "2 min", "1 h", "3 h 5 min"]);
});
