import assert from "node:assert/strict";
import { describe, test } from "node:test";
import stringWidth from "string-width";
import { KNOWN_FIELDS } from "../../src/conditions/known-fields.js";
import { parseCondition } from "../../src/conditions/parse.js";
import type { Condition } from "../../src/contract/condition.js";
import type { Gpu, StreamRecord } from "../../src/contract/record.js";
import { EVERYTHING } from "../../src/contract/selection.js";
import { createFormatter } from "../../src/format/create-formatter.js";
import type { Formatter, FormatterOptions } from "../../src/format/formatter.js";
import { DEFAULT_TABLE, TABLE_VIEWS, type TableView } from "../../src/contract/table-options.js";
import type { ScrollKey } from "../../src/format/table/scroll.js";
import { wantsColor } from "../../src/format/terminal.js";
import { HealthJudge } from "../../src/health/judge.js";
import { useUtc } from "../support/in-utc.js";
import { madeFleet } from "../support/made-fleet.js";
import { frame, gpu, state } from "../support/records.js";
import { ScreenModel } from "../support/screen-model.js";

class FakeTerminal {
  readonly takesKeys = true;
  readonly screen: ScreenModel;
  private readonly listeners = new Set<() => void>();
  constructor(
    private columns: number,
    private rows: number,
  ) {
    this.screen = new ScreenModel(columns, rows);
  }
  size(): { columns: number; rows: number } {
    return { columns: this.columns, rows: this.rows };
  }
  onResize(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.screen.resize(columns, rows);
    for (const listener of this.listeners) listener();
  }
}

function onTerminal(terminal: FakeTerminal, more: Partial<FormatterOptions> = {}): Promise<Formatter> {
  return createFormatter("table", {
    csvSections: ["gpu"],
    query: [],
    color: false,
    terminal,
    hostCount: null,
    isOnce: false,
    ...more,
  });
}
const fleet = (hosts: number, changes: Partial<Gpu> = {}): readonly StreamRecord[] =>
  Array.from({ length: hosts }, (_, i) => frame({ hostname: `dgx-${i + 1}`, gpus: [gpu(changes)] }));

useUtc();

describe("on a terminal", () => {
  for (const hosts of [1, 8]) {
    test(`${hosts} rows stand below the title and above the counts`, async () => {
      const terminal = new FakeTerminal(100, 30);
      terminal.screen.write((await onTerminal(terminal)).format(fleet(hosts)));
      const lines = terminal.screen.lines();
      const name = hosts === 1 ? "host" : "hosts";
      assert.match(lines[0] ?? "", new RegExp(`^2026-01-02 .* ${hosts} ${name} .* 97 % utilization`));
      assert.match(lines[1] ?? "", /^Host +State +# +Device/);
      for (let i = 1; i <= hosts; i++)
        assert.match(lines[i + 1] ?? "", new RegExp(`^dgx-${i} +connected +0 +NVIDIA`));
      assert.equal(lines[hosts + 2], `${hosts} ${name}: ${hosts} ok`);
      assert.deepEqual(lines.slice(hosts + 3), Array<string>(30 - hosts - 3).fill(""));
    });
  }
  test("of 300 rows those that fit are shown, and which ones; keys show the others", async () => {
    const terminal = new FakeTerminal(100, 24);
    const formatter = await onTerminal(terminal, { table: { ...DEFAULT_TABLE, view: "gpus" } });
    let outdated = 0;
    formatter.screen?.onOutdated(() => (outdated += 1));
    terminal.screen.write(formatter.format(fleet(300)));
    const shown = (): readonly string[] => {
      terminal.screen.write(formatter.format([]));
      const lines = terminal.screen.lines();
      assert.equal(lines[23], "300 hosts: 300 ok");
      return [lines[2]?.split(" ")[0] ?? "", lines[21]?.split(" ")[0] ?? "", lines[22] ?? ""];
    };
    const scrolled = (from: number): readonly string[] => [
      `dgx-${from}`,
      `dgx-${from + 19}`,
      `rows ${from} to ${from + 19} of 300; arrows and page keys scroll`,
    ];
    assert.deepEqual(shown(), scrolled(1));
    const presses: readonly (readonly [key: ScrollKey, from: number])[] = [
      ...([
        ["up", 1],
        ["down", 2],
        ["down", 3],
        ["page-down", 23],
        ["up", 22],
        ["page-up", 2],
      ] as const),
      ...([
        ["end", 281],
        ["page-down", 281],
        ["page-up", 261],
        ["home", 1],
      ] as const),
    ];
    for (const [key, from] of presses) {
      formatter.screen?.press(key);
      assert.deepEqual(shown(), scrolled(from), key);
    }
    assert.equal(outdated, presses.length - 2, "a key that moves nothing draws nothing");
  });
  test("a new picture replaces the old one and leaves nothing of it", async () => {
    const terminal = new FakeTerminal(100, 12);
    const formatter = await onTerminal(terminal);
    terminal.screen.write(
      formatter.format([...fleet(3, { name: "a device with a long name" }), state({ hostname: "x" })]),
    );
    terminal.screen.write(formatter.format(fleet(3, { name: "b" })));
    terminal.screen.write(formatter.format([state({ hostname: "x", state: "connected", last_error: null })]));
    const lines = terminal.screen.lines();
    assert.ok(lines.every((line) => !line.includes("long name") && !line.includes("timeout")));
    assert.equal(lines[6], "4 hosts: 3 ok, 1 pending");
    assert.deepEqual(lines.slice(7), Array<string>(5).fill(""));
    assert.equal(terminal.screen.scrolled.filter((line) => line.startsWith("Host")).length, 0);
  });
  test("what was on the screen before goes into the history, not away", async () => {
    const terminal = new FakeTerminal(80, 6);
    terminal.screen.write("$ make\r\nok\r\n$ allsmi-ssh\r\n");
    terminal.screen.write((await onTerminal(terminal)).format(fleet(2)));
    assert.deepEqual(terminal.screen.scrolled.slice(0, 3), ["$ make", "ok", "$ allsmi-ssh"]);
    assert.match(terminal.screen.lines()[0] ?? "", /^Host/);
    assert.equal(terminal.screen.lines()[3], "2 hosts: 2 ok");
  });
  test("a smaller and a larger terminal get a picture of their own size", async () => {
    const terminal = new FakeTerminal(120, 24);
    const formatter = await onTerminal(terminal);
    let repaints = 0;
    const stop = formatter.screen?.onOutdated(() => {
      repaints += 1;
      terminal.screen.write(formatter.format([]));
    });
    terminal.screen.write(formatter.format(fleet(8)));
    for (const [columns, rows] of [
      [30, 6],
      [120, 24],
      [1, 1],
      [80, 24],
    ] as const) {
      terminal.resize(columns, rows);
      const lines = terminal.screen.lines();
      assert.ok(lines.every((line) => line.length <= columns));
    }
    assert.equal(repaints, 4);
    assert.match(terminal.screen.lines()[1] ?? "", /^Host +State +# +Device/);
    assert.equal(terminal.screen.lines()[10], "8 hosts: 8 ok");
    stop?.();
    terminal.resize(40, 10);
    assert.equal(repaints, 4);
  });
  test("columns keep their widths while values change", async () => {
    const terminal = new FakeTerminal(120, 12);
    const formatter = await onTerminal(terminal);
    terminal.screen.write(formatter.format(fleet(1, { utilization: 100, power_consumption: 1234 })));
    const before = terminal.screen.lines()[1];
    terminal.screen.write(formatter.format(fleet(1, { utilization: 1, power_consumption: 1 })));
    assert.equal(terminal.screen.lines()[1], before);
  });
  test("narrowing drops columns and keeps host and state longest", async () => {
    const titles: string[] = [];
    const wide = { pcie_link_gen: 5, pcie_link_width: 16, ecc_uncorrected_since_load: 0 };
    for (const columns of [140, 90, 80, 60, 40, 20, 8]) {
      const terminal = new FakeTerminal(columns, 12);
      terminal.screen.write((await onTerminal(terminal)).format(fleet(1, wide)));
      titles.push((terminal.screen.lines()[1] ?? "").replaceAll(/ {2,}/g, "|"));
    }
    assert.deepEqual(titles, [
      "Host|State|#|Device|Util %|Memory GiB|°C|Power W|MHz|PCIe|ECC",
      "Host|State|#|Device|Util %|Memory GiB|°C|Power W|MHz",
      "Host|State|#|Device|Util %|Memory GiB|°C|Power W",
      "Host|State|#|Device|Util %|Memory GiB|°C",
      "Host|State|#|Util %|Memory GiB",
      "Host|State",
      "Host",
    ]);
  });
  test("the end leaves the picture and starts a new line", async () => {
    const terminal = new FakeTerminal(80, 10);
    const formatter = await onTerminal(terminal);
    assert.equal(formatter.end?.(), "");
    terminal.screen.write(formatter.format(fleet(1)));
    terminal.screen.write(`${formatter.end()}$`);
    assert.deepEqual(terminal.screen.lines().slice(3, 5), ["1 host: 1 ok", "$"]);
  });
});

describe("rows", () => {
  const rowsOf = async (...records: readonly StreamRecord[]): Promise<readonly string[]> => {
    const formatter = await createFormatter("table", {
      csvSections: ["gpu"],
      query: [],
      color: false,
      terminal: null,
      hostCount: null,
      isOnce: false,
    });
    return (formatter.format(records) + (formatter.end?.() ?? "")).split("\n");
  };
  test("are sorted as people count", async () => {
    const rows = await rowsOf(...fleet(11));
    assert.deepEqual(
      rows.slice(1, 12).map((row) => row.split(" ")[0]),
      Array.from({ length: 11 }, (_, i) => `dgx-${i + 1}`),
    );
  });
  test("show what is missing as a dash, and 0 as 0", async () => {
    const blank = {
      utilization: null,
      temperature: null,
      used_memory: null,
      total_memory: null,
      power_consumption: null,
      power_limit: null,
      name: null,
    };
    const [, missing, zero] = await rowsOf(
      frame({ gpus: [gpu(blank), gpu({ index: 1, utilization: 0, temperature: 0, used_memory: 0 })] }),
    );
    assert.deepEqual(missing?.split(/ +/), ["dgx-01", "connected", "0", "-", "-", "-", "-", "-"]);
    assert.match(zero ?? "", / 0 +0\.0\/80\.0 +0 +612\/700$/);
  });
  test("of readings of the wrong type are dashes", async () => {
    const odd = {
      utilization: "97",
      temperature: {},
      used_memory: [1],
      power_consumption: Number.NaN,
    } as unknown as Partial<Gpu>;
    const [, row] = await rowsOf(frame({ gpus: [gpu(odd)] }));
    assert.match(row ?? "", / - +-\/80\.0 +- +-\/700$/);
  });
  test("stand for hosts without GPUs too", async () => {
    const rows = await rowsOf(
      frame({ hostname: "login", gpus: [] }),
      state({ hostname: "gone", state: "unreachable" }),
    );
    assert.match(rows.find((row) => row.startsWith("login")) ?? "", /connected/);
    assert.match(
      rows.find((row) => row.startsWith("gone")) ?? "",
      /unreachable .*connect-timeout: no answer within 10 s; retry in 2 s$/,
    );
    assert.equal(rows.at(-2), "2 hosts: 1 ok, 1 unreachable (gone: no answer within 10 s)");
  });
});

describe("health", () => {
  const judge = new HealthJudge({ rules: true, expectations: [] });
  const judged = (record: StreamRecord): StreamRecord => ({ ...record, health: judge.judge(record) });
  const gpus = (count: number, sick: Partial<Gpu> = {}) =>
    Array.from({ length: count }, (_, index) => gpu({ index, ...(index === 1 ? sick : {}) }));
  const host = (hostname: string, sick: Partial<Gpu> = {}, second = 0): StreamRecord => {
    const timestamp = `2026-01-02T03:04:${String(second).padStart(2, "0")}.000Z`;
    return judged(frame({ hostname, timestamp, gpus: gpus(2, sick) }));
  };
  /** Host, GPU and health of the rows, as the screen has them. */
  const rowsOf = (terminal: FakeTerminal): readonly string[] =>
    terminal.screen
      .lines()
      .slice(1)
      .flatMap((line) => {
        const [, name, health, index] =
          /^(dgx\S+) +\S+ +(ok|unknown|warning|critical) +(\S*)/.exec(line) ?? [];
        return name === undefined ? [] : [`${name} ${index} ${health}`];
      });
  test("sick hosts come first and go back when they are well; a finding is in the row of its GPU", async () => {
    const terminal = new FakeTerminal(140, 24);
    const formatter = await onTerminal(terminal);
    terminal.screen.write(
      formatter.format([
        host("dgx-1"),
        host("dgx-2", { remapped_rows_pending: true }),
        host("dgx-3", { recovery_action: "Reset" }),
      ]),
    );
    assert.deepEqual(rowsOf(terminal), [
      ...["dgx-3 0 ok", "dgx-3 1 critical", "dgx-2 0 ok", "dgx-2 1 warning", "dgx-1 0 ok", "dgx-1 1 ok"],
    ]);
    assert.match(terminal.screen.lines()[3] ?? "", /recovery action: Reset$/);
    // It keeps its place for some seconds, so that one that is sick now and then does not jump.
    terminal.screen.write(formatter.format([host("dgx-3", {}, 5)]));
    assert.deepEqual(rowsOf(terminal).slice(0, 3), ["dgx-3 0 ok", "dgx-3 1 ok", "dgx-2 0 ok"]);
    terminal.screen.write(formatter.format([host("dgx-3", {}, 11)]));
    assert.deepEqual(rowsOf(terminal).slice(0, 4), [
      "dgx-2 0 ok",
      "dgx-2 1 warning",
      "dgx-1 0 ok",
      "dgx-1 1 ok",
    ]);
    assert.match(
      terminal.screen.lines()[8] ?? "",
      /^3 hosts: 2 ok, 1 warning \(dgx-2: gpu 1: a row of memory/,
    );
  });
  test("what is wrong with the host is in all of its rows, and its text in the first", async () => {
    const terminal = new FakeTerminal(160, 24);
    const errors = [{ section: "chassis", kind: "error", message: "no sensors" }] as const;
    const record = judged(frame({ hostname: "dgx-1", gpus: gpus(2), errors }));
    terminal.screen.write((await onTerminal(terminal)).format([record]));
    assert.deepEqual(rowsOf(terminal), ["dgx-1 0 critical", "dgx-1 1 critical"]);
    const text = terminal.screen.lines().slice(0, 4).join("\n");
    assert.equal(text.split("no sensors").length, 2, text);
    assert.match(terminal.screen.lines()[2] ?? "", /chassis: no sensors$/);
  });
  test("a finding about a device that has no row is the host's", async () => {
    const terminal = new FakeTerminal(160, 24);
    const record = host("dgx-1", { recovery_action: "Reset" });
    assert.equal(record.record, "frame");
    terminal.screen.write((await onTerminal(terminal)).format([{ ...record, gpus: gpus(1) }]));
    assert.deepEqual(rowsOf(terminal), ["dgx-1 0 critical"]);
  });
  test("there is no column where nothing was judged", async () => {
    const terminal = new FakeTerminal(140, 24);
    terminal.screen.write((await onTerminal(terminal)).format(fleet(1)));
    assert.doesNotMatch(terminal.screen.lines()[0] ?? "", /Health/);
  });
});

describe("late readings", () => {
  const at = (second: number): string => `2026-01-02T03:04:${String(second).padStart(2, "0")}.000Z`;
  const overrun = (second: number): StreamRecord =>
    state({
      hostname: "slow",
      timestamp: at(second),
      state: "connected",
      last_error: { code: "sample-overrun", phase: "sample", message: "still under way" },
    });
  test("stay on the screen, dimmed, with their age; after a minute they go", async () => {
    const terminal = new FakeTerminal(140, 24);
    const formatter = await onTerminal(terminal, { color: true });
    const line = (text: string): string => text.split("\r\n").find((each) => each.startsWith("slow")) ?? "";
    const fresh = line(formatter.format([frame({ hostname: "slow", timestamp: at(0), gpus: [gpu()] })]));
    assert.match(fresh, /\u001b\[32mconnected/);
    const late = line(formatter.format([overrun(4)]));
    assert.match(late, /^slow {2,}\u001b\[2m4 s ago\u001b\[22m/);
    assert.match(late, /\u001b\[2m97\u001b\[22m/, "its readings are dim");
    const lost = state({ hostname: "slow", timestamp: at(9), state: "disconnected" });
    assert.match(line(formatter.format([lost])), /disconnected 9 s ago.*\u001b\[2m97/);
    const gone = state({ hostname: "slow", timestamp: "2026-01-02T03:05:01.000Z", state: "disconnected" });
    assert.doesNotMatch(line(formatter.format([gone])), /ago|97/);
  });
  test("count for no mean and no sum of the head", async () => {
    const terminal = new FakeTerminal(140, 24);
    const formatter = await onTerminal(terminal, { intervalMs: 2000 });
    const other = frame({
      hostname: "b",
      timestamp: at(0),
      gpus: [gpu({ utilization: 7, power_consumption: 90 })],
    });
    formatter.format([frame({ hostname: "slow", timestamp: at(0), gpus: [gpu()] }), other]);
    terminal.screen.write(formatter.format([overrun(2)]));
    assert.equal(terminal.screen.lines()[0], "03:04:02  every 2 s  2 hosts  1 GPU  7 % utilization  90 W");
  });
  test("are in no text that is appended", async () => {
    const formatter = await onTerminal(new FakeTerminal(80, 24), { terminal: null, hostCount: 1 });
    formatter.format([frame({ hostname: "slow", timestamp: at(0), gpus: [gpu()] })]);
    assert.doesNotMatch(formatter.format([{ ...overrun(4), tick: 1 }]), /97|ago/);
  });
});

describe("--where on the table", () => {
  const where = (text: string): Condition => {
    const parsed = parseCondition(text, KNOWN_FIELDS);
    assert.equal(parsed.kind, "condition");
    return parsed.condition;
  };
  const fleetOf = (hot: number): readonly StreamRecord[] => [
    frame({ hostname: "a", labels: { rack: "r1" }, gpus: [gpu(), gpu({ index: 1, temperature: hot })] }),
    frame({ hostname: "b", labels: { rack: "r2" }, gpus: [gpu(), gpu({ index: 1 })] }),
    state({ hostname: "c", labels: { rack: "r1" } }),
  ];
  const shown = async (text: string): Promise<readonly string[]> => {
    const terminal = new FakeTerminal(140, 24);
    const selection = { ...EVERYTHING, where: [where(text)] };
    const formatter = await onTerminal(terminal, { selection, hostCount: 3 });
    terminal.screen.write(formatter.format(fleetOf(90)));
    const [head = "", , ...lines] = terminal.screen.lines();
    const end = lines.findIndex((line) => line.startsWith("3 hosts: "));
    assert.match(
      head,
      new RegExp(`${end === 0 ? 0 : new Set(lines.slice(0, end).map((line) => line[0])).size} of 3 hosts`),
    );
    return lines.slice(0, end).map((line) => line.split(/ +/, 3).join(" "));
  };
  test("shows GPUs that meet a condition about GPUs", async () =>
    assert.deepEqual(await shown("gpu.temperature > 85"), ["a connected 1"]));
  test("shows hosts that meet a condition about hosts, with and without readings", async () =>
    assert.deepEqual(await shown("labels.rack == 'r1'"), [
      "c timeout connect-timeout:",
      "a connected 0",
      "a connected 1",
    ]));
  test("shows nothing where nothing meets it, and counts all hosts", async () =>
    assert.deepEqual(await shown("gpu.temperature > 99"), []));
});

describe("views", () => {
  const options = (view: TableView, more: Partial<FormatterOptions> = {}): Partial<FormatterOptions> => ({
    table: { ...DEFAULT_TABLE, view },
    ...more,
  });
  test("a storm of resizes gives whole pictures, none wider or taller than its screen", async () => {
    const records = madeFleet(60, 2).flat();
    for (const view of TABLE_VIEWS) {
      const terminal = new FakeTerminal(80, 24);
      const formatter = await onTerminal(terminal, options(view, { color: true }));
      terminal.screen.write(formatter.format(records));
      for (let step = 0; step < 60; step++) {
        terminal.resize(1 + ((step * 37) % 211), 1 + ((step * 17) % 61));
        const text = formatter.format([]);
        const { columns, rows } = terminal.size();
        const lines = text.slice(text.indexOf("\u001b[H")).split("\r\n");
        assert.ok(lines.length <= rows, `${view}: ${lines.length} lines on ${rows} rows`);
        for (const line of lines) assert.ok(stringWidth(line) <= columns, `${view} ${columns}: ${line}`);
        terminal.screen.write(text);
        if (rows > 1) assert.match(terminal.screen.lines().join("\n"), columns > 9 ? /^60 hosts/m : /^6/m);
      }
    }
  });
  test("text of a host cannot act on the terminal in any view", async () => {
    const hostile = "\u001b[2J\u009b31m\u0007\u202e\u2028";
    const labels = { rack: hostile };
    const errors = [{ section: "cpu", kind: "error", message: hostile }] as const;
    const last_error = { code: "no-usable-key", phase: "auth", message: hostile, fix: hostile } as const;
    const records = [
      frame({ hostname: `a${hostile}`, labels, gpus: [gpu({ name: hostile })], errors }),
      frame({ hostname: `b${hostile}`, labels: { rack: "x" } }),
      state({ hostname: `c${hostile}`, labels, last_error }),
    ];
    for (const view of TABLE_VIEWS) {
      const formatter = await onTerminal(new FakeTerminal(160, 50), options(view));
      const ours = formatter
        .format(records)
        .replaceAll(/\u001b\[[HJK]/g, "")
        .replaceAll("\r\n", "\n");
      assert.doesNotMatch(
        ours,
        /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/,
        view,
      );
      assert.match(ours, /fix: \ufffd/);
    }
  });
  test("wide characters keep the columns of a line a host in place", async () => {
    const terminal = new FakeTerminal(120, 20);
    const text = (await onTerminal(terminal, options("hosts"))).format([
      frame({ hostname: "日本語", gpus: [gpu({ name: "測試加速器" })] }),
      frame({ hostname: "plain", gpus: [gpu()] }),
    ]);
    const places = text
      .split("\r\n")
      .filter((line) => line.includes("40.0/80.0"))
      .map((line) => stringWidth(line.slice(0, line.indexOf("40.0/80.0"))));
    assert.equal(places.length, 2);
    assert.equal(new Set(places).size, 1);
  });
  test("groups are those of a label, of the best one, or of the names", async () => {
    const hosts = Array.from({ length: 40 }, (_, at) =>
      frame({
        hostname: `gpu-${100 + at}`,
        labels: { rack: `r${at % 4}`, serial: String(at), ...(at < 3 ? { few: "x" } : {}) },
        gpus: [gpu()],
      }),
    );
    const groupsBy = async (groupBy: string | null, records = hosts): Promise<readonly string[]> => {
      const terminal = new FakeTerminal(120, 20);
      const table = { ...DEFAULT_TABLE, view: "groups", groupBy } as const;
      terminal.screen.write((await onTerminal(terminal, { table })).format(records));
      const lines = terminal.screen.lines();
      const end = lines.findIndex((line) => line.startsWith("40 hosts: "));
      return lines.slice(2, end).map((line) => line.split(/ {2,}/, 2).join(" "));
    };
    assert.deepEqual(await groupsBy(null), ["rack=r0 10", "rack=r1 10", "rack=r2 10", "rack=r3 10"]);
    assert.deepEqual(await groupsBy("few"), ["few=x 3", "no few 37"]);
    const nameless = hosts.map((host) => ({ ...host, labels: {} }));
    assert.deepEqual(await groupsBy(null, nameless), [
      "gpu-10* 10",
      "gpu-11* 10",
      "gpu-12* 10",
      "gpu-13* 10",
    ]);
  });
  test("a screen of ASCII has bars and marks of ASCII", async () => {
    const text = (await onTerminal(new FakeTerminal(160, 20), options("hosts", { isAscii: true }))).format([
      frame({ gpus: [gpu({ temperature_margin: 0 })] }),
    ]);
    assert.match(text, /97 {2}##########/);
    assert.match(text, / 97\/61!/);
    assert.match(text, /^[\r\n\u001b -~]*$/);
  });
});

describe("drift", () => {
  const host = (hostname: string, driver: string): StreamRecord =>
    frame({ hostname, gpus: [gpu({ driver_version: driver })] });
  const options = { csvSections: ["gpu"], query: [], color: false, isOnce: false, drift: true } as const;
  test("stands below the picture while hosts differ", async () => {
    const terminal = new FakeTerminal(100, 12);
    const formatter = await createFormatter("table", { ...options, terminal, hostCount: 3 });
    terminal.screen.write(formatter.format([host("a", "1"), host("b", "1"), host("c", "2")]));
    assert.deepEqual(terminal.screen.lines().slice(5, 7), [
      "3 hosts: 3 ok",
      "drift: driver version 1 on 2 hosts, but 2 on c",
    ]);
    terminal.screen.write(formatter.format([host("c", "1")]));
    terminal.screen.write(`${formatter.end?.() ?? ""}$`);
    assert.deepEqual(terminal.screen.lines().slice(5, 9), [
      ...["3 hosts: 3 ok", "drift: none; 3 of 3 hosts were compared", "$", ""],
    ]);
  });
  test("that the picture has no space for is printed below it at the end", async () => {
    const terminal = new FakeTerminal(30, 8);
    const formatter = await createFormatter("table", { ...options, terminal, hostCount: 2 });
    terminal.screen.write(formatter.format([host("a", "1"), host("b", "2")]));
    assert.equal(terminal.screen.lines()[5], "drift: driver version differ…");
    assert.equal(formatter.end?.(), "\ndrift: driver version differs: 1 on a; 2 on b\n");
  });
  test("is printed once where the table is appended, from the last record of each host", async () => {
    const formatter = await createFormatter("table", { ...options, terminal: null, hostCount: 2 });
    const second = { ...host("b", "2"), tick: 1 };
    const texts = [
      [host("a", "1"), host("b", "1")],
      [{ ...host("a", "1"), tick: 1 }, second],
    ].map((batch) => formatter.format(batch));
    assert.doesNotMatch(texts.join(""), /drift/);
    assert.equal(formatter.end?.(), "drift: driver version differs: 1 on a; 2 on b\n");
  });
});

describe("appended", () => {
  const make = (hostCount: number | null): Promise<Formatter> =>
    createFormatter("table", {
      csvSections: ["gpu"],
      query: [],
      color: false,
      terminal: null,
      hostCount,
      isOnce: false,
    });
  const at = (hostname: string, tick: number | null): StreamRecord => state({ hostname, tick });
  test("a block comes as soon as every host has its record of the tick", async () => {
    const formatter = await make(2);
    assert.equal(formatter.format([at("a", 0)]), "");
    assert.equal(formatter.format([at("b", null)]), "");
    assert.match(formatter.format([at("b", 0)]), /^2 hosts: /m);
    assert.equal(formatter.end?.(), "");
  });
  test("a host that skips a tick does not hold the others back", async () => {
    const formatter = await make(2);
    assert.equal(formatter.format([at("a", 0), at("a", 1)]), "");
    assert.match(formatter.format([at("a", 2)]), /^2 hosts: 0 ok, 1 pending, 1 unreachable /m);
  });
  test("without a known count the hosts seen so far are waited for", async () => {
    const formatter = await make(null);
    assert.equal(formatter.format([at("a", 0), at("b", 0)]), "");
    assert.match(formatter.format([at("a", 1)]), /^2 hosts: /m);
    assert.match(formatter.format([at("b", 1)]), /^2 hosts: /m);
    assert.equal(formatter.end?.(), "");
  });
  test("what is left comes at the end", async () => {
    const formatter = await make(9);
    assert.equal(formatter.format([at("a", 0)]), "");
    assert.match(formatter.end?.() ?? "", /^9 hosts: 0 ok, 8 pending, 1 unreachable \(.+\)\n$/m);
  });
});

describe("colour", () => {
  test("paints the states and nothing when it is off", async () => {
    const options = { csvSections: ["gpu"], query: [], terminal: null, hostCount: 1, isOnce: false } as const;
    const painted = (await createFormatter("table", { ...options, color: true })).format([state()]);
    const plain = (await createFormatter("table", { ...options, color: false })).format([state()]);
    assert.ok(painted.includes("\u001b[33mtimeout\u001b[39m"), painted);
    assert.ok(!plain.includes("\u001b"));
  });
  const cases: [
    choice: "auto" | "always" | "never",
    env: Record<string, string>,
    terminal: boolean,
    expected: boolean,
  ][] = [
    ["auto", {}, true, true],
    ["auto", {}, false, false],
    ["auto", { NO_COLOR: "1" }, true, false],
    ["auto", { NO_COLOR: "" }, true, true],
    ["auto", { TERM: "dumb" }, true, false],
    ["always", { NO_COLOR: "1" }, false, true],
    ["never", {}, true, false],
  ];
  for (const [choice, env, terminal, expected] of cases) {
    test(`${choice} ${JSON.stringify(env)} ${terminal ? "on a terminal" : "elsewhere"}: ${expected ? "on" : "off"}`, () =>
      assert.equal(wantsColor(choice, env, terminal), expected));
  }
});
