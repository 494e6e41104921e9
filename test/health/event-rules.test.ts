import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Finding, Health } from "../../src/contract/health.js";
import type { KernelEvent } from "../../src/contract/kernel-event.js";
import type { FrameRecord, SectionError, StreamRecord } from "../../src/contract/record.js";
import { EVENT_RULES, EVENTS_UNREAD } from "../../src/health/event-rules.js";
import { HealthJudge } from "../../src/health/judge.js";
import { withHealth } from "../../src/health/with-health.js";
import { frame, gpu, state } from "../support/records.js";

const rethrow = (_: StreamRecord, error: unknown): StreamRecord => {
  throw error;
};

const HOUR = 3600_000;
const START = Date.parse("2026-01-01T12:00:00.000Z");
const at = (hours: number): string => new Date(START + hours * HOUR).toISOString();
const labels = { host_id: "h", hostname: "h", instance: "h", time: "t" };

const event = (changes: Partial<KernelEvent>): KernelEvent => ({
  logged_at: at(0),
  kind: "nvidia-xid",
  severity: "critical",
  code: 79,
  pci_bus_id: "0000:18:00",
  pid: null,
  message: "NVRM: Xid",
  action: "reboot",
  ...changes,
});
/** `events` undefined: the log was not read in this tick. */
const reading = (
  hours: number,
  events?: readonly Partial<KernelEvent>[],
  more: Partial<FrameRecord> = {},
): StreamRecord =>
  frame({
    timestamp: at(hours),
    gpus: [
      gpu({ index: 0, pci_bus_id: "00000000:17:00.0" }),
      gpu({ index: 1, pci_bus_id: "00000000:18:00.0" }),
    ],
    ...(events === undefined ? {} : { events: events.map((each) => ({ ...event(each), ...labels })) }),
    ...more,
  });
const judge = (): HealthJudge => new HealthJudge({ rules: true, expectations: [] });
const shown = ({ rule, severity, device, message }: Finding): string =>
  `${severity} ${device ?? "host"} ${rule}: ${message}`;
const denied: SectionError = { section: "event", kind: "error", message: "the kernel log cannot be read" };

describe("each rule, and the nearest event that does not fire it", () => {
  const cases: [rule: string, fires: Partial<KernelEvent>, finding: string, silent: Partial<KernelEvent>][] =
    [
      ["event-xid", {}, "critical gpu 1 event-xid: NVRM: Xid", { code: 45, severity: "info" }],
      [
        "event-sxid",
        { kind: "nvidia-sxid", code: 20034, pci_bus_id: "0000:c1:00.0", message: "SXid" },
        "critical pci 0000:c1:00.0 event-sxid: SXid",
        { kind: "boot", severity: "info" },
      ],
      [
        "event-gpu-lost",
        { kind: "gpu-lost", code: null, pci_bus_id: "0000:18:00.0", message: "lost" },
        "critical gpu 1 event-gpu-lost: lost",
        { kind: "left-out", severity: "warning", code: null },
      ],
      [
        "event-amdgpu",
        {
          kind: "amdgpu-reset",
          severity: "warning",
          code: null,
          pci_bus_id: "0000:83:00.0",
          message: "GPU reset begin!",
        },
        "warning pci 0000:83:00.0 event-amdgpu: GPU reset begin!",
        { kind: "amdgpu-reset", severity: "info", code: null },
      ],
      [
        "event-amdgpu",
        { kind: "amdgpu-ras", code: null, pci_bus_id: null, message: "1 uncorrectable" },
        "critical host event-amdgpu: 1 uncorrectable",
        { kind: "amdgpu-ras", severity: "info", code: null },
      ],
      [
        "event-oom-kill",
        { kind: "oom-kill", severity: "warning", code: null, pci_bus_id: null, message: "Out of memory" },
        "warning host event-oom-kill: Out of memory",
        { kind: "oom-kill", severity: "info", code: null },
      ],
      [
        "event-hardware",
        { kind: "machine-check", code: null, pci_bus_id: null, message: "mce" },
        "critical host event-hardware: mce",
        { kind: "machine-check", severity: "info", code: null },
      ],
      [
        "event-hardware",
        { kind: "pcie-error", severity: "warning", code: null, pci_bus_id: "0000:00:01.0", message: "AER" },
        "warning pci 0000:00:01.0 event-hardware: AER",
        { kind: "pcie-error", severity: "info", code: null },
      ],
      [
        "event-link-down",
        {
          kind: "link-down",
          severity: "warning",
          code: null,
          pci_bus_id: "0000:9a:00.0",
          message: "Link down",
        },
        "warning pci 0000:9a:00.0 event-link-down: Link down",
        { kind: "link-down", severity: "info", code: null },
      ],
    ];
  for (const [rule, fires, finding, silent] of cases)
    test(`${rule}: ${finding}`, () => {
      assert.deepEqual(
        judge()
          .judge(reading(0, [fires]))
          .findings.map(shown),
        [finding],
      );
      assert.deepEqual(judge().judge(reading(0, [silent])).findings, []);
    });
  test("has a case, and its text", () => {
    const ids = EVENT_RULES.map(({ id }) => id);
    assert.deepEqual([...ids].sort(), [...new Set(cases.map(([id]) => id))].sort());
    for (const { condition, action, source } of [...EVENT_RULES, EVENTS_UNREAD])
      assert.ok(condition !== "" && action !== "" && source !== "");
  });
});

const rulesIn = ({ findings }: Health): readonly string[] => findings.map(({ rule }) => rule);

describe("a finding stands after its event", () => {
  test("with its time, its action and how often it came, for a day", () => {
    const judging = judge();
    judging.judge(reading(0, [{}]));
    judging.judge(reading(1));
    judging.judge(state());
    const { findings } = judging.judge(reading(2, [{ logged_at: at(2) }]));
    assert.deepEqual(findings, [
      {
        rule: "event-xid",
        severity: "critical",
        device: "gpu 1",
        message: `NVRM: Xid (2 times, last at ${at(2)})`,
        action: "reboot",
        since: at(0),
      },
    ]);
    assert.deepEqual(rulesIn(judging.judge(reading(25.9))), ["event-xid"]);
    assert.deepEqual(rulesIn(judging.judge(reading(26))), []);
  });
  test("until the host is booted; events after the boot count", () => {
    const judging = judge();
    judging.judge(reading(0, [{}]));
    const booted = { kind: "boot", severity: "info", code: null } as const;
    assert.deepEqual(rulesIn(judging.judge(reading(1, [booted]))), []);
    judging.judge(reading(2, [{}]));
    assert.deepEqual(rulesIn(judging.judge(reading(3, [booted, { code: 31, logged_at: at(3) }]))), [
      "event-xid",
    ]);
  });
  test("of the boot long ago is none", () => {
    assert.deepEqual(rulesIn(judge().judge(reading(48, [{}]))), []);
  });
  test("of a GPU that is no longer listed keeps the GPU's index", () => {
    const judging = judge();
    judging.judge(reading(0, []));
    const { findings } = judging.judge(reading(1, [{}], { gpus: [] }));
    assert.deepEqual(
      findings.map(({ device }) => device),
      ["gpu 1"],
    );
  });
  test("of one host is not another's, and an event without a time counts from its record", () => {
    const judging = judge();
    judging.judge(reading(0, [{ logged_at: null }]));
    assert.equal(judging.judge(reading(23)).findings[0]?.since, at(0));
    assert.deepEqual(judging.judge(reading(1, [], { host_id: "other" })).findings, []);
  });
  test("however many kinds come, at most 100 stand: the newest", () => {
    const many = Array.from({ length: 500 }, (_, code) => ({ code, message: String(code) }));
    const { findings } = judge().judge(reading(0, many));
    assert.equal(findings.length, 100);
    assert.equal(findings.at(-1)?.message, "499");
  });
});

describe("a log that cannot be read", () => {
  test("is one unknown finding until it is read, and no failed section", () => {
    const judging = judge();
    const first = judging.judge(reading(0, undefined, { errors: [denied] }));
    assert.deepEqual(first.findings.map(shown), [
      "unknown host events-unread: the kernel log cannot be read",
    ]);
    assert.equal(first.status, "unknown");
    assert.deepEqual(rulesIn(judging.judge(reading(1))), ["events-unread"]);
    assert.equal(judging.judge(reading(2)).findings[0]?.since, at(0));
    assert.deepEqual(rulesIn(judging.judge(reading(3, []))), []);
    const slow = { ...denied, kind: "timeout" } as const;
    assert.deepEqual(rulesIn(judging.judge(reading(4, undefined, { errors: [slow] }))), ["events-unread"]);
  });
  test("is an error of the record only where events were asked for by name", async () => {
    const gpuFailed: SectionError = { section: "gpu", kind: "error", message: "no driver" };
    const errorsOf = async (errors: readonly SectionError[], eventsImplied: boolean): Promise<unknown> => {
      async function* batches(): AsyncGenerator<readonly StreamRecord[], void> {
        await Promise.resolve();
        yield [reading(0, undefined, { errors })];
      }
      const options = { rules: true, expectations: [], eventsImplied };
      const records: StreamRecord[] = [];
      for await (const batch of withHealth(batches(), options, rethrow)) records.push(...batch);
      const [record] = records;
      assert.ok(record?.record === "frame");
      assert.ok(record.health?.findings.some(({ rule }) => rule === "events-unread"));
      return record.errors;
    };
    assert.deepEqual(await errorsOf([denied], false), [denied]);
    assert.deepEqual(await errorsOf([denied], true), undefined);
    assert.deepEqual(await errorsOf([gpuFailed, denied], true), [gpuFailed]);
  });
});
