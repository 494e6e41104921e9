/** A tick's answer that the shell holds until the tool has ended: one write, and no section is lost where it never ends. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ChannelEvents, Connection } from "../../src/contract/connection.js";
import { realClock } from "../../src/lib/clock.js";
import type { SessionOptions } from "../../src/remote/discover.js";
import { FrameReader } from "../../src/remote/frame.js";
import { heldPart } from "../../src/remote/held-output.js";
import { Lanes, type SessionPlan } from "../../src/remote/lanes.js";
import { HostSession } from "../../src/remote/session.js";
import type { Part } from "../../src/shims/kit/shim.js";
import { shimsToTry } from "../../src/shims/registry.js";
import { linux } from "../../src/system/linux.js";
import { FakeClock } from "../support/fake-clock.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { connectLocally } from "../support/local-connection.js";
import { POSIX_SHELLS } from "../support/login-shells.js";
import { makeTempDir } from "../support/temp-dir.js";

const PROC: Part = { id: "host.proc", kind: "buffered-shell", command: ":" };
const DF: Part = { id: "host.df", kind: "shell", command: "df" };
const QUERY: Part = { id: "smi.query", kind: "program", command: "{tool} -q", isBuffered: true };
const MORE: Part = { id: "smi.more", kind: "program", command: "{tool} -m", isBuffered: true };
const LOUD: Part = { id: "loud.query", kind: "program", command: "{tool} -q" };

const plan = (system: readonly Part[], ...tools: (readonly Part[])[]): SessionPlan => ({
  toolTimeoutSecs: 2,
  limiter: "gnu",
  isGuarded: true,
  system,
  tools: tools.map((parts) => ({ parts, executable: "tool" })),
});

describe("the part until whose end output is held", () => {
  const cases: readonly (readonly [what: string, asked: SessionPlan, part: string | null])[] = [
    ["the tool's buffered query", plan([PROC], [QUERY]), "smi.query"],
    ["the first of two", plan([PROC], [QUERY, MORE]), "smi.query"],
    ["none where the host's own part may hang first", plan([PROC, DF], [QUERY]), null],
    ["none where a program prints straight out before it", plan([PROC], [LOUD], [QUERY]), null],
    ["the first, whatever comes behind it", plan([PROC], [QUERY], [LOUD]), "smi.query"],
    ["none of two tools, of which either may be asleep", plan([PROC], [QUERY], [MORE]), null],
    ["none without tools", plan([PROC]), null],
  ];
  for (const [what, asked, part] of cases) test(what, () => assert.equal(heldPart(asked), part));
});

describe("a frame that was held", () => {
  const MARK = "\n@0a1b2c ";
  /** `pieces`: in as many chunks, a millisecond apart. */
  const held = (status: number, atMs: number, early = "", pieces = 1): ReturnType<FrameReader["frame"]> => {
    const reader = new FrameReader("0a1b2c");
    reader.begin(4);
    const text = `${early}${MARK}p host.proc\ncpu 1\n${MARK}x host.proc 0\n${MARK}q smi.query 1\n${MARK}o smi.query ${status}\na row${MARK}z 4\n`;
    const size = Math.ceil(text.length / pieces);
    const ends = Array.from({ length: pieces }, (_, at) =>
      reader.push(Buffer.from(text.slice(at * size, (at + 1) * size)), atMs + at),
    );
    assert.ok(ends.at(-1));
    return reader.frame(10, 1000);
  };
  const query = (frame: ReturnType<FrameReader["frame"]>) => frame.outputs.get("smi.query");

  test("has a tool that took as long as it was waited for", () => {
    assert.equal(held(0, 3500).tookMs.get("smi.query"), 2500);
    assert.deepEqual(query(held(143, 3500))?.end, { kind: "signal", signal: "SIGTERM" });
    assert.deepEqual(query(held(143, 11_000))?.end, { kind: "timeout", afterSecs: 10 });
    assert.equal(query(held(0, 3500))?.stdout, "a row\n");
  });

  test("counts from the question in however many packets it comes", () => {
    assert.deepEqual(query(held(137, 11_000, "", 5))?.end, { kind: "timeout", afterSecs: 10 });
    assert.ok((held(0, 3500, "", 5).tookMs.get("smi.query") ?? 0) >= 2500);
  });

  test("that the network delayed has the tool's own failure: one GPU of several is lost", () => {
    const late = query(held(15, 12_500));
    assert.deepEqual(late?.end, { kind: "exit", code: 15 });
    assert.equal(late.stdout, "a row\n");
  });

  test("has the tool's stderr, which came before all markers", () => {
    assert.equal(query(held(9, 3500, "no driver\n"))?.stderr, "no driver\n");
    assert.equal(query(held(9, 3500, "x".repeat(5000)))?.stderr, "x".repeat(2000));
    assert.equal(held(9, 3500, "no driver\n").outputs.get("host.proc")?.stdout, "cpu 1\n");
  });

  test("counts a tool from its marker where something was written before", () => {
    const reader = new FrameReader("0a1b2c");
    reader.begin(4);
    reader.push(Buffer.from(`welcome\n${MARK}p host.proc\ncpu 1\n`), 1200);
    reader.push(Buffer.from(`${MARK}x host.proc 0\n${MARK}q smi.query\n`), 9000);
    reader.push(Buffer.from(`${MARK}o smi.query 3\n${MARK}z 4\n`), 11_100);
    const frame = reader.frame(10, 1000);
    assert.equal(frame.tookMs.get("smi.query"), 2100);
    assert.deepEqual(query(frame)?.end, { kind: "exit", code: 3 });
    assert.equal(query(frame)?.stderr, "");
  });
});

/** Channels whose remote side is the test. */
function fakeHost(): {
  readonly lanes: Lanes;
  readonly clock: FakeClock;
  readonly channels: { readonly events: ChannelEvents; readonly written: string[] }[];
  readonly lines: (channel: number) => readonly string[];
  readonly answer: (channel: number, text: string) => void;
} {
  const clock = new FakeClock();
  const channels: { readonly events: ChannelEvents; readonly written: string[] }[] = [];
  const connection: Connection = {
    client: "ssh2",
    lost: new Promise(() => undefined),
    close: () => Promise.resolve(),
    open: (_command, events) => {
      const written: string[] = [];
      channels.push({ events, written });
      return Promise.resolve({
        write: (data) => void written.push(data),
        end: () => undefined,
        abandon: () => undefined,
      });
    },
  };
  const lanes = new Lanes(connection, { clock, toolTimeoutSecs: 2 });
  return {
    lanes,
    clock,
    channels,
    lines: (channel) => channels[channel]?.written.join("").match(/^t \d+.*$/gm) ?? [],
    answer: (channel, text) =>
      channels[channel]?.events.stdout(Buffer.from(text.replaceAll("@N ", `\n@${lanes.nonce} `))),
  };
}

const wholeFrame = (tick: number): string =>
  `@N p host.proc\ncpu 1\n@N x host.proc 0\n@N q smi.query${tick > 1 ? " 1" : ""}\n@N o smi.query 0\na row@N z ${tick}\n`;

describe("a question whose answer is held", () => {
  const asked = plan([PROC], [QUERY]);
  const answered = async ({ lanes, clock, answer }: ReturnType<typeof fakeHost>, tick: number, ms = 10) => {
    const asking = lanes.ask(asked, tick);
    await clock.advance(ms);
    answer(0, wholeFrame(tick));
    return asking;
  };

  test("is not the first of a shell, whose rc files may print", async () => {
    const host = fakeHost();
    await answered(host, 1);
    await answered(host, 2);
    assert.deepEqual(host.lines(0), ["t 1", "t 2 1"]);
  });

  test("is not the next one after an answer that took long, so that the tool's own time is measured", async () => {
    const host = fakeHost();
    await answered(host, 1);
    assert.equal((await answered(host, 2, 1500)).frame.tookMs.get("smi.query"), 1500);
    await answered(host, 3);
    await answered(host, 4);
    assert.deepEqual(host.lines(0), ["t 1", "t 2 1", "t 3", "t 4 1"]);
  });

  test("names the part that hangs when nothing comes, and later questions hold nothing", async () => {
    const { lanes, clock, lines, answer } = fakeHost();
    const first = lanes.ask(asked, 1);
    await clock.advance(10);
    answer(0, wholeFrame(1));
    assert.equal((await first).withheldBy, undefined);
    const second = lanes.ask(asked, 2);
    await clock.advance(20_000);
    const { end, frame, withheldBy } = await second;
    assert.deepEqual([end.kind, withheldBy], ["hung", "smi.query"]);
    assert.deepEqual([...frame.outputs.keys()], ["smi.query"]);
    const third = lanes.ask(plan([PROC]), 2);
    await clock.advance(10);
    answer(1, `@N p host.proc\ncpu 1\n@N x host.proc 0\n@N z 2\n`);
    assert.equal((await third).end.kind, "whole");
    const fourth = lanes.ask(asked, 3);
    await clock.advance(10);
    answer(1, wholeFrame(3));
    assert.equal((await fourth).end.kind, "whole");
    assert.deepEqual(lines(0), ["t 1", "t 2 1"]);
    assert.deepEqual(lines(1), ["t 2", "t 3"]);
  });

  test("is asked again without holding when the shell died with what it held", async () => {
    const host = fakeHost();
    const { lanes, clock, channels, lines, answer } = host;
    await answered(host, 1);
    const asking = lanes.ask(asked, 2);
    await clock.advance(500);
    channels[0]?.events.closed({ kind: "signal", signal: "SIGSEGV" });
    await clock.advance(10);
    answer(1, "@N p host.proc\ncpu 1\n@N x host.proc 0\n@N q smi.query\n");
    channels[1]?.events.closed({ kind: "signal", signal: "SIGSEGV" });
    const { end, frame, latencyMs } = await asking;
    assert.equal(end.kind, "signal");
    assert.equal(latencyMs, 510, "of both questions");
    assert.deepEqual(
      [...frame.outputs].map(([id, output]) => [id, output.end.kind]),
      [
        ["host.proc", "exit"],
        ["smi.query", "missing"],
      ],
    );
    assert.deepEqual([lines(0), lines(1)], [["t 1", "t 2 1"], ["t 2"]]);
  });

  test("hides nothing of what had come before the shell hung", async () => {
    const host = fakeHost();
    const { lanes, clock, answer } = host;
    await answered(host, 1);
    const asking = lanes.ask(plan([PROC], [QUERY, MORE]), 2);
    await clock.advance(10);
    answer(0, wholeFrame(2).replace(/@N z .*\n/, "@N q smi.more\n"));
    await clock.advance(20_000);
    const { withheldBy, frame } = await asking;
    assert.equal(withheldBy, undefined);
    assert.deepEqual([...frame.outputs.keys()], ["host.proc", "smi.query", "smi.more"]);
  });
});

describe("on a host", { concurrency: true, skip: process.platform === "linux" ? false : "NOT LINUX" }, () => {
  const withHost = async (
    shell: readonly string[],
    before: string,
    use: (
      session: HostSession,
      chunks: string[],
      dir: string,
      opened: () => number,
      freeze: (isFrozen: boolean) => void,
    ) => Promise<void>,
  ): Promise<void> => {
    const temp = makeTempDir("held");
    const columns = ["index", "uuid", "name", "utilization.gpu"];
    makeTools(temp.path, { "nvidia-smi": fakeNvidiaSmi({ columns, rows: ["0, GPU-1, A100, 5"], before }) });
    const local = connectLocally(shell, { PATH: `${temp.path}:/usr/bin:/bin`, HOME: temp.path });
    const chunks: string[] = [];
    /** What comes from a frozen host, until it goes on. */
    let late: (() => void)[] | null = null;
    const freeze = (isFrozen: boolean): void => {
      const deliver = late ?? [];
      late = isFrozen ? [] : null;
      for (const each of deliver) each();
    };
    const connection: Connection = {
      ...local,
      open: (command, events) =>
        local.open(command, {
          ...events,
          stdout: (chunk) => {
            chunks.push(chunk.toString());
            if (late === null) events.stdout(chunk);
            else late.push(() => events.stdout(chunk));
          },
        }),
    };
    const options: SessionOptions = {
      sample: {
        include: new Set(["gpu", "cpu", "memory"]),
        fallback: [],
        toolTimeoutSecs: 1,
        redact: false,
        holdDriver: "never",
      },
      shims: await shimsToTry(["nvidia-smi"]),
      systems: [linux],
      plainSystems: [],
      clock: realClock,
      intervalMs: 500,
    };
    try {
      const { session } = await HostSession.start(connection, options);
      await use(session, chunks, temp.path, () => local.opened.length, freeze);
      session.close();
    } finally {
      local.kill();
      temp.remove();
    }
  };

  for (const { name, argv, skip } of POSIX_SHELLS)
    test(`${name} writes a tick once, with stderr and all`, { skip }, async () => {
      const before = `[ -e "$HOME/slow" ] && { sleep 0.2; echo "a warning" >&2; };`;
      await withHost(argv, before, async (session, chunks, dir) => {
        await session.sample(1);
        makeTools(dir, { slow: "" });
        for (const tick of [2, 3]) {
          chunks.length = 0;
          const { reading } = await session.sample(tick);
          assert.deepEqual(reading.errors, []);
          assert.equal(reading.sections.gpus?.[0]?.utilization, 5);
          assert.ok((reading.sections.memory?.[0]?.total_bytes ?? 0) > 0);
          const written = chunks.filter((chunk) => chunk !== "a warning\n");
          assert.equal(written.length, 1, JSON.stringify(chunks));
        }
      });
    });

  test("a host that answers nothing for a while does not pause its tool", async () => {
    await withHost(["/bin/sh"], ":", async (session, _chunks, _dir, _opened, freeze) => {
      await session.sample(1);
      freeze(true);
      const { reading: none } = await session.sample(2);
      assert.deepEqual(none.sections, {});
      assert.match(none.errors[0]?.message ?? "", /gives no answer/);
      freeze(false);
      const { reading } = await session.sample(3);
      assert.deepEqual(reading.errors, []);
      assert.equal(reading.sections.gpus?.[0]?.utilization, 5);
    });
  });

  test("a tool that nothing can end hides no section of the host, in the tick that it hangs in", async () => {
    // What it leaves behind keeps its output open, and is beyond the guard: as with a program that is stuck in the kernel.
    const before = `[ -e "$HOME/stuck" ] && { setsid sleep 600 & echo $! >"$HOME/pid"; exit 0; };`;
    await withHost(["/bin/sh"], before, async (session, _chunks, dir, opened) => {
      await session.sample(1);
      makeTools(dir, { stuck: "" });
      try {
        for (const [tick, message] of [
          [2, /^nvidia-smi.*1 s$/],
          [3, /in an earlier tick/],
        ] as const) {
          const { reading } = await session.sample(tick);
          assert.deepEqual(
            reading.errors.map(({ section, kind }) => `${section} ${kind}`),
            ["gpu timeout"],
          );
          assert.match(reading.errors[0]?.message ?? "", message);
          assert.ok((reading.sections.memory?.[0]?.total_bytes ?? 0) > 0, `tick ${tick}`);
          assert.equal(reading.sections.cpus?.length, 1);
        }
        assert.equal(opened(), 2);
      } finally {
        process.kill(Number(readFileSync(join(dir, "pid"), "utf8")));
      }
    });
  });
});
