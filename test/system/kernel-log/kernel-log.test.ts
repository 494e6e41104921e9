/** Which events of a log are new, over looks, connections, rotations and boots, against a model of a host's logs. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { KernelEvent } from "../../../src/contract/kernel-event.js";
import type { SectionError } from "../../../src/contract/record.js";
import { isEvent } from "../../../src/system/kernel-log/events.js";
import { KernelLog, type LogStep } from "../../../src/system/kernel-log/kernel-log.js";
import { KERNEL_BUFFER, MAX_LINES } from "../../../src/system/kernel-log/questions.js";
import { unseenIn } from "../../../src/system/kernel-log/unseen.js";

const hex = (value: number, width = 0): string => value.toString(16).padStart(width, "0");
const HINT = "Hint: You are currently not seeing messages from other users and the system.";
const BOOT_LINE = "Linux version 6.8.0";

interface Entry {
  readonly boot: number;
  readonly at: number;
  readonly message: string;
}

/** A host whose logs grow; it answers questions as the shell text does. */
class ModelHost {
  entries: Entry[] = [];
  /** The kernel's buffer holds so many lines. */
  bufferLines = Infinity;
  journal: "open" | "denied" | "absent" = "open";
  buffer: "open" | "denied" = "open";
  #boot = 0;
  #now = 0;

  constructor() {
    this.boot();
  }

  boot(): void {
    this.#boot += 1;
    this.log(BOOT_LINE);
  }

  log(message: string): void {
    this.#now += 1;
    this.entries.push({ boot: this.#boot, at: this.#now, message });
  }

  answer(question: string | null): string {
    assert.ok(question !== null);
    return question === KERNEL_BUFFER ? this.#buffer() : this.#journal(question);
  }

  #journal(question: string): string {
    if (this.journal === "denied") return `${HINT}\n-- No entries --\n@exit 0\n`;
    if (this.journal === "absent") return "No journal files were found.\n-- No entries --\n@exit 0\n";
    const after = /;t=([0-9a-f]+);/.exec(question)?.[1];
    const from = after === undefined ? null : parseInt(after, 16);
    const shown = this.entries.filter(({ boot, at }) => (from === null ? boot === this.#boot : at > from));
    const lines = shown.map(({ at, message }) => `17672256${hex10(at)}.000000 gpu kernel: ${message}`);
    const last = shown.at(-1)?.at ?? from ?? 0;
    const id = "0".repeat(32);
    const cursor = `-- cursor: s=${id};i=${hex(last)};b=${id};m=${hex(last)};t=${hex(last)};x=${hex(last)}`;
    return filtered(lines, [...(shown.length === 0 ? ["-- No entries --"] : []), cursor, "@exit 0"]);
  }

  #buffer(): string {
    const head = `@boot boot-${this.#boot}\n@up ${this.#now}.50 1767225600\n`;
    if (this.buffer === "denied")
      return `${head}dmesg: read kernel buffer failed: Operation not permitted\n@exit 1\n`;
    const own = this.entries.filter(({ boot }) => boot === this.#boot);
    const kept = own.slice(-Math.min(this.bufferLines, own.length));
    const lines = kept.map(({ at, message }) => `[${String(at).padStart(5)}.000000] ${message}`);
    return `${head}${filtered(lines, ["@exit 0"])}`;
  }
}

const hex10 = (at: number): string => String(at).padStart(2, "0").slice(-2);

/** The first entry, those that pass the filter, and what follows. */
function filtered([first, ...rest]: readonly string[], end: readonly string[]): string {
  const passed = [...rest.filter(isEvent), ...end].slice(-MAX_LINES);
  return `${[...(first === undefined ? [] : [first]), ...passed].join("\n")}\n`;
}

function look(log: KernelLog, host: ModelHost): LogStep {
  for (let asked = 0; asked < 3; asked++) {
    const step = log.answer(host.answer(log.question()));
    if (step.kind !== "again") return step;
  }
  return assert.fail("no end of questions");
}

function eventsOf(step: LogStep): readonly KernelEvent[] {
  if (step.kind !== "read") assert.fail(JSON.stringify(step));
  return step.events;
}

function errorOf(step: LogStep): SectionError {
  if (step.kind !== "failed") assert.fail(JSON.stringify(step));
  return step.error;
}

const codes = (events: readonly KernelEvent[]): readonly (number | string)[] =>
  events.map(({ code, kind }) => code ?? kind);
const xid = (code: number): string => `NVRM: Xid (PCI:0000:18:00): ${code}, pid=1, text`;

function opened(host: ModelHost): KernelLog {
  const log = new KernelLog();
  log.connected();
  assert.deepEqual(codes(eventsOf(look(log, host))), ["boot"]);
  return log;
}

for (const source of ["journal", "buffer"] as const) {
  const made = (): ModelHost => {
    const host = new ModelHost();
    if (source === "buffer") host.journal = "absent";
    return host;
  };

  describe(`the ${source}`, () => {
    test("each event comes once, over looks and connections", () => {
      const host = made();
      const log = opened(host);
      host.log("noise");
      assert.deepEqual(eventsOf(look(log, host)), []);
      host.log(xid(13));
      host.log(xid(13));
      host.log("noise");
      assert.deepEqual(codes(eventsOf(look(log, host))), [13, 13]);
      log.connected();
      assert.deepEqual(eventsOf(look(log, host)), []);
      host.log(xid(79));
      log.connected();
      assert.deepEqual(codes(eventsOf(look(log, host))), [79]);
    });

    test("a boot begins anew, and the journal has what came before it", () => {
      const host = made();
      const log = opened(host);
      host.log(xid(79));
      host.boot();
      host.log(xid(31));
      const expected = source === "journal" ? [79, "boot", 31] : ["boot", 31];
      assert.deepEqual(codes(eventsOf(look(log, host))), expected);
      assert.deepEqual(eventsOf(look(log, host)), []);
    });

    test("more than the limit: the newest, and a notice that others are left out", () => {
      const host = made();
      const log = opened(host);
      for (let code = 1; code <= 1000; code++) host.log(xid(code));
      const events = codes(eventsOf(look(log, host)));
      assert.equal(events[0], "left-out");
      assert.equal(events.at(-1), 1000);
      assert.ok(events.length > MAX_LINES - 5 && events.length <= MAX_LINES + 1);
      host.log(xid(7));
      assert.deepEqual(codes(eventsOf(look(log, host))), [7]);
    });

    test("a log that does not go back to the boot has an event for it", () => {
      const host = made();
      host.entries = [];
      host.log("noise");
      host.log(xid(48));
      const log = new KernelLog();
      log.connected();
      const events = eventsOf(look(log, host));
      assert.deepEqual(
        events.map(({ kind, severity }) => [kind, severity]),
        [
          ["left-out", "info"],
          ["nvidia-xid", "critical"],
        ],
      );
    });

    test("whatever is logged between looks, each event is reported once, in order", () => {
      const step = fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({ kind: fc.constant("log" as const), code: fc.integer({ min: 1, max: 4 }) }),
        },
        { weight: 3, arbitrary: fc.constant({ kind: "noise" as const }) },
        { weight: 3, arbitrary: fc.constant({ kind: "look" as const }) },
        fc.constant({ kind: "reconnect" as const }),
      );
      fc.assert(
        fc.property(
          fc.array(step, { maxLength: 60 }),
          fc.constantFrom(Infinity, 5, 12),
          (steps, bufferLines) => {
            const host = made();
            if (source === "buffer") host.bufferLines = bufferLines;
            const log = new KernelLog();
            log.connected();
            const logged: (number | string)[] = ["boot"];
            const reported: (number | string)[] = [];
            let linesSinceLook = 1;
            const gaps: boolean[] = [];
            const doLook = (): void => {
              const events = codes(eventsOf(look(log, host)));
              // Lines that the buffer lost between two looks.
              const isLost = source === "buffer" && linesSinceLook > bufferLines;
              gaps.push(isLost);
              if (isLost) assert.equal(events[0], "left-out");
              reported.push(...events.filter((event) => event !== "left-out"));
              linesSinceLook = 0;
            };
            for (const each of steps) {
              if (each.kind === "look") doLook();
              if (each.kind === "reconnect") log.connected();
              if (each.kind !== "log" && each.kind !== "noise") continue;
              linesSinceLook += 1;
              host.log(each.kind === "noise" ? "noise" : xid(each.code));
              if (each.kind === "log") logged.push(each.code);
            }
            doLook();
            if (gaps.includes(true))
              assert.ok(isPartOf(reported, logged), `${reported.join()} of ${logged.join()}`);
            else assert.deepEqual(reported, logged);
          },
        ),
        { numRuns: 600 },
      );
    });
  });
}

/** Whether `part` is `whole` without some of its elements. */
function isPartOf<T>(part: readonly T[], whole: readonly T[]): boolean {
  let at = 0;
  for (const each of whole) if (at < part.length && part[at] === each) at += 1;
  return at === part.length;
}

describe("an account without permission", () => {
  const refused = (): { host: ModelHost; log: KernelLog } => {
    const host = new ModelHost();
    host.journal = "denied";
    host.buffer = "denied";
    const log = new KernelLog();
    log.connected();
    return { host, log };
  };
  test("is an error with what to do, once for a connection, and never an empty list", () => {
    const { host, log } = refused();
    const step = look(log, host);
    assert.deepEqual(errorOf(step), {
      section: "event",
      kind: "error",
      message:
        "the kernel log cannot be read (journalctl: not permitted; dmesg: not permitted); add the account to the group systemd-journal or adm on the host",
    });
    assert.equal(log.question(), null);
    log.connected();
    assert.equal(look(log, host).kind, "failed");
    host.journal = "open";
    log.connected();
    assert.deepEqual(codes(eventsOf(look(log, host))), ["boot"]);
  });
  test("that may read only the buffer reads that", () => {
    const { host, log } = refused();
    host.buffer = "open";
    assert.deepEqual(codes(eventsOf(look(log, host))), ["boot"]);
  });
  test("that loses its permission is refused, and goes on where it was", () => {
    const host = new ModelHost();
    const log = opened(host);
    host.journal = "denied";
    host.log(xid(63));
    const step = look(log, host);
    assert.match(errorOf(step).message, /journalctl: not permitted.*group/);
    assert.equal(log.question(), null);
    host.journal = "open";
    log.connected();
    assert.deepEqual(codes(eventsOf(look(log, host))), [63]);
  });
});

describe("a journal that fails", () => {
  test("in a first look with dmesg refused too: it is asked again when it was only slow", () => {
    const host = new ModelHost();
    host.buffer = "denied";
    const log = new KernelLog();
    log.connected();
    assert.equal(log.answer("@exit 124\n").kind, "again");
    const step = log.answer(host.answer(log.question()));
    assert.deepEqual(step.kind === "failed" && [step.error.kind, step.error.message], [
      "timeout",
      "the kernel log cannot be read (journalctl: no answer in time; dmesg: not permitted)",
    ]);
    assert.deepEqual(codes(eventsOf(look(log, host))), ["boot"]);
  });
  test("by its deadline: the next look reads the newest part", () => {
    const host = new ModelHost();
    const log = opened(host);
    host.log(xid(79));
    const late = log.answer(`1767225602.000000 gpu kernel: ${xid(79)}\n@exit 124\n`);
    assert.equal(errorOf(late).kind, "timeout");
    assert.deepEqual(codes(eventsOf(look(log, host))), [79]);
  });
  test("by its deadline in a flood: the newest part, and a notice that others are missing", () => {
    const host = new ModelHost();
    const log = opened(host);
    for (let code = 1; code <= 1000; code++) host.log(xid(code));
    assert.equal(log.answer("@exit 124\n").kind, "failed");
    log.unanswered();
    const events = eventsOf(look(log, host));
    assert.deepEqual(
      [events[0]?.kind, events[0]?.severity, events.at(-1)?.code],
      ["left-out", "warning", 1000],
    );
    host.log(xid(8));
    assert.deepEqual(codes(eventsOf(look(log, host))), [8]);
  });
  test("by a lost position: the boot's journal is read, and only what is new counts", () => {
    const host = new ModelHost();
    const log = opened(host);
    host.log(xid(31));
    assert.deepEqual(codes(eventsOf(look(log, host))), [31]);
    host.log(xid(79));
    assert.equal(log.answer("Failed to seek to cursor: Invalid argument\n@exit 1\n").kind, "again");
    assert.deepEqual(codes(eventsOf(look(log, host))), [79]);
  });
  for (const stdout of [
    "",
    "junk\n",
    "grep: unrecognized option: a\n",
    "No journal files were found.\n@exit 0\n",
  ])
    test(`with ${JSON.stringify(stdout)}: no list`, () => {
      const log = opened(new ModelHost());
      assert.equal(log.answer(stdout).kind, "failed");
    });
});

test("an end that the log's own beginning cut is found, and identical entries are counted", () => {
  const cases: [entries: string, seen: string, unseen: string, isJoined: boolean][] = [
    ["abc", "", "abc", true],
    ["abc", "ab", "c", true],
    ["bcd", "ab", "cd", true],
    ["cd", "ab", "cd", false],
    ["aa", "a", "a", true],
    ["aaa", "aa", "a", true],
    ["aa", "aa", "", true],
    ["", "ab", "", false],
    ["xab", "ab", "", true],
  ];
  for (const [entries, seen, unseen, isJoined] of cases)
    assert.deepEqual(
      unseenIn(entries.split(""), seen.split("")),
      { entries: unseen.split(""), isJoined },
      `${entries} ${seen}`,
    );
});

test("whatever a host answers, a step is read, failed or another question, and nothing is thrown", () => {
  const line = fc.oneof(
    fc.constantFrom(
      HINT,
      "@exit 0",
      "@exit x",
      "@boot",
      "@up 1",
      "@up 5 6",
      "-- cursor: s=x",
      "-- No entries --",
    ),
    fc.constantFrom(`1767225600.000000 gpu kernel: ${xid(79)}`, `[    1.000000] ${xid(48)}`, "dmesg: no"),
    fc.string({ unit: "binary" }),
  );
  const answers = fc.array(fc.array(line, { maxLength: 8 }), { maxLength: 8 });
  fc.assert(
    fc.property(answers, (all) => {
      const log = new KernelLog();
      log.connected();
      for (const lines of all) {
        const question = log.question();
        if (question === null) log.connected();
        const { kind } = log.answer(`${lines.join("\n")}\n`);
        assert.ok(["read", "failed", "again"].includes(kind));
        if (!lines.includes("@exit 0"))
          assert.ok(kind !== "read" || lines.some((each) => /@exit 0/.test(each)));
        assert.doesNotMatch(log.question() ?? "", /'|!|\\\\|\n/);
      }
    }),
  );
});
