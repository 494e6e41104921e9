import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ChannelRefused,
  type Channel,
  type ChannelEnd,
  type ChannelEvents,
  type Connection,
} from "../../src/contract/connection.js";
import { DriverHold } from "../../src/remote/driver-hold.js";
import type { Frame } from "../../src/remote/frame.js";
import type { ChosenTool } from "../../src/remote/probe.js";
import { holdCommand } from "../../src/remote/script.js";
import type { Reading, Shim } from "../../src/shims/kit/shim.js";
import { makeTools } from "../support/fake-tools.js";
import { connectLocally } from "../support/local-connection.js";
import { LOGIN_SHELLS, POSIX_SHELLS } from "../support/login-shells.js";
import { gpu } from "../support/records.js";
import { makeTempDir } from "../support/temp-dir.js";

const TOOL: ChosenTool = {
  kind: "usable",
  shim: { id: "smi" } as Shim,
  executable: "smi",
  sampler: {
    parts: [
      { id: "smi.query", kind: "program", command: "{tool} a" },
      { id: "smi.apps", kind: "program", command: "{tool} b" },
    ],
    parse: () => GOOD,
    holder: {
      command: "{tool} loop",
      isWanted: ({ sections }) => sections.gpus?.[0]?.persistence_mode === false,
    },
  },
};
const UNHELD: ChosenTool = { ...TOOL, sampler: { parts: TOOL.sampler.parts, parse: () => GOOD } };

const reading = (gpus?: Parameters<typeof gpu>[0][]): Reading => ({
  sections: gpus === undefined ? {} : { gpus: gpus.map((changes) => gpu(changes)) },
  errors: [],
});
const GOOD = reading([
  { persistence_mode: false, utilization: 5 },
  { uuid: "GPU-1", index: 1 },
]);

/** A tick with the milliseconds that the tool took, a tick with a certain reading, or an event between ticks. */
type Step =
  | number
  | "not asked"
  | "failed"
  | "one null"
  | "one lost"
  | "one failed"
  | "persistent"
  | "unheld"
  | "ends"
  | "session ends";

const READINGS: Partial<Record<Step, Reading>> = {
  failed: reading(),
  "one null": reading([
    { persistence_mode: false, utilization: null },
    { uuid: "GPU-1", index: 1 },
  ]),
  "one lost": reading([{ persistence_mode: false }]),
  "one failed": reading([{ persistence_mode: false }, { uuid: "GPU-1", index: 1, error: "GPU is lost" }]),
  persistent: reading([{ persistence_mode: true }, { uuid: "GPU-1", index: 1 }]),
};

interface Case {
  readonly what: string;
  readonly steps: readonly Step[];
  /** Channels that were ever opened. */
  readonly opened: number;
  readonly isHeld: boolean;
  readonly message?: RegExp;
  readonly refuses?: true;
}

const CASES: readonly Case[] = [
  { what: "a fast tool", steps: [20, 20, 990, 990, 20], opened: 0, isHeld: false },
  { what: "one slow tick", steps: [20, 3000, 20, 3000, 20], opened: 0, isHeld: false },
  {
    what: "a slow tick beside one that was not asked",
    steps: [3000, "not asked", 3000],
    opened: 0,
    isHeld: false,
  },
  {
    what: "two slow ticks",
    steps: [1000, 1000],
    opened: 1,
    isHeld: true,
    message: /smi takes 1\.0 s; .* held/,
  },
  { what: "persistence mode", steps: ["persistent", "persistent", "persistent"], opened: 0, isHeld: false },
  { what: "a tool that needs no holder", steps: ["unheld", "unheld", "unheld"], opened: 0, isHeld: false },
  { what: "help at once", steps: [1500, 1500, 90, 90, 90], opened: 1, isHeld: true },
  {
    what: "help in the fifth tick",
    steps: [1500, 1500, 1500, 1500, 1500, 1500, 90],
    opened: 1,
    isHeld: true,
  },
  {
    what: "no help in five ticks",
    steps: [1500, 1500, 1500, 1500, 1500, 1500, 1500, 1500, 1500, 1500],
    opened: 1,
    isHeld: false,
    message: /not held any more: the tool still takes 1\.5 s/,
  },
  {
    what: "less than half, by the faster of the two",
    steps: [9000, 1000, 600, 600, 600, 600, 600],
    opened: 1,
    isHeld: false,
  },
  {
    what: "a busy host after it has helped",
    steps: [1500, 1500, 90, 1500, 1500, 1500, 1500, 1500, 1500],
    opened: 1,
    isHeld: true,
  },
  {
    what: "ticks in which the tool was not asked prove nothing",
    steps: [1500, 1500, "not asked", "not asked", "not asked", "not asked", "not asked", 90],
    opened: 1,
    isHeld: true,
  },
  ...(["failed", "one null", "one lost", "one failed"] as const).map((bad) => ({
    what: `a reading that goes bad (${bad})`,
    steps: [1500, 1500, 90, bad, 1500, 1500, 1500],
    opened: 1,
    isHeld: false,
    message: /a reading failed meanwhile/,
  })),
  {
    what: "an end by itself",
    steps: [1500, 1500, 90, "ends", 1500, 1500, 1500],
    opened: 1,
    isHeld: false,
    message: /has ended/,
  },
  {
    what: "a refusal",
    steps: [1500, 1500, 1500, 1500, 1500],
    opened: 1,
    isHeld: false,
    message: /no more channels/,
    refuses: true,
  },
  { what: "the session's end", steps: [1500, 1500, 90, "session ends"], opened: 1, isHeld: false },
  {
    what: "the channel's end with the session's, and another session",
    steps: [1500, 1500, 90, "ends", "session ends", 1500, 1500, 90],
    opened: 2,
    isHeld: true,
  },
  {
    what: "another session of a host on which it did not help",
    steps: [1500, 1500, 90, "failed", "session ends", 1500, 1500, 1500],
    opened: 1,
    isHeld: false,
  },
];

for (const { what, steps, opened, isHeld, message, refuses } of CASES) {
  test(`${what}: ${opened === 0 ? "never" : isHeld ? "held" : "held no more"}`, async () => {
    const messages: string[] = [];
    const hold = new DriverHold((text) => messages.push(text));
    const host = fakeConnection(refuses === true);
    for (const step of steps) {
      if (step === "ends") host.end();
      else if (step === "session ends") hold.release();
      else {
        const tickReading = READINGS[step as keyof typeof READINGS] ?? GOOD;
        hold.sampled(host.connection, step === "unheld" ? UNHELD : TOOL, frameOf(step), tickReading);
      }
      await settled();
    }
    assert.equal(host.opened.length, opened);
    assert.equal(host.open(), isHeld ? 1 : 0);
    if (message !== undefined) assert.match(messages.at(-1) ?? "", message);
    if (opened === 0) assert.deepEqual(messages, []);
  });
}

test("a channel that opens after the session's end is given up", async () => {
  const hold = new DriverHold(() => undefined);
  const host = fakeConnection(false);
  hold.sampled(host.connection, TOOL, frameOf(1500), GOOD);
  hold.sampled(host.connection, TOOL, frameOf(1500), GOOD);
  hold.release();
  await settled();
  assert.equal(host.opened.length, 1);
  assert.equal(host.open(), 0);
});

/** A login shell gets the command as it is; the script within it has to run in whichever sh a host has. */
for (const shell of LOGIN_SHELLS) {
  const { name, argv, skip } = shell;
  test(
    `a program runs until its input ends, and its exit status is reported, under ${name}`,
    { skip },
    async () => {
      const temp = makeTempDir("hold");
      const connection = connectLocally(argv, { PATH: `${temp.path}:/usr/bin:/bin`, HOME: temp.path });
      try {
        makeTools(temp.path, { idle: `echo here; [ $1 = 0 ] && exec sleep 300; exit $1` });
        for (const status of [0, 3]) {
          const command = holdCommand(`{tool} ${status}`, "idle");
          const script = command.slice(`exec /bin/sh -c '`.length, -1);
          for (const text of POSIX_SHELLS.includes(shell) ? [command, script] : [command]) {
            let channel: Promise<Channel> | null = null;
            const end = await new Promise<ChannelEnd>((resolve) => {
              channel = connection.open(text, {
                stdout: () => status === 0 && void channel?.then((opened) => opened.end()),
                stderr: () => undefined,
                closed: resolve,
              });
            });
            assert.equal(connection.running(), 0, "nothing has its output open any more");
            if (status === 0) assert.notDeepEqual(end, { kind: "exit", code: 0 });
            else assert.deepEqual(end, { kind: "exit", code: 3 });
          }
        }
      } finally {
        connection.kill();
        temp.remove();
      }
    },
  );
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The query's share and a tenth for the other part. */
function frameOf(step: Step): Frame {
  const ms = typeof step === "number" ? step : 2000;
  const tookMs = new Map([["smi.query", ms * 0.9]]);
  if (step !== "not asked") tookMs.set("smi.apps", ms * 0.1);
  return { outputs: new Map(), tookMs, limiter: null, machine: null, uname: null, found: [], isWhole: true };
}

interface FakeHost {
  readonly connection: Connection;
  readonly opened: readonly string[];
  /** Channels whose input is open. */
  open(): number;
  /** The program on the newest channel ends. */
  end(): void;
}

function fakeConnection(refuses: boolean): FakeHost {
  const opened: string[] = [];
  const open = new Set<ChannelEvents>();
  const connect = (command: string, events: ChannelEvents): Promise<Channel> => {
    opened.push(command);
    if (refuses)
      return Promise.reject(new ChannelRefused("the server opens no more channels (MaxSessions?)"));
    open.add(events);
    return Promise.resolve({
      write: () => undefined,
      end: () => void open.delete(events),
      abandon: () => void open.delete(events),
    });
  };
  return {
    connection: { client: "ssh2", open: connect } as Connection,
    opened,
    open: () => open.size,
    end: () => {
      for (const events of open) events.closed({ kind: "exit", code: 1 });
      open.clear();
    },
  };
}
