/** The guard of a shell that stays, under the shells that a host's /bin/sh may be: each leads a session, as under sshd. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { FrameReader, type Frame } from "../../src/remote/frame.js";
import { tickDefinitions, tickLine } from "../../src/remote/script.js";
import type { Part, PartEnd } from "../../src/shims/shim.js";
import { makeTools } from "../support/fake-tools.js";
import { POSIX_SHELLS, type LoginShell } from "../support/login-shells.js";
import { signalPid, waitFor } from "../support/processes.js";
import { makeTempDir } from "../support/temp-dir.js";

const NONCE = "0123456789ab";
const TIMED_OUT: PartEnd = { kind: "timeout", afterSecs: 1 };

const temp = makeTempDir("guard");
const started: ChildProcess[] = [];
after(() => {
  // What a failed test has left.
  for (const { pid = 0 } of started.filter((child) => child.exitCode === null && child.signalCode === null)) {
    for (const left of sessionOf(pid)) signalPid(left.pid, "SIGKILL");
  }
  temp.remove();
});

/** bash and zsh go by their name, and are called as hosts call them. */
const SHELLS: readonly LoginShell[] = POSIX_SHELLS.map((shell) => {
  const { name, argv } = shell;
  return name === "bash" || name === "zsh"
    ? { ...shell, name: `${name} as sh`, argv: [calledSh(argv[0])] }
    : shell;
});

function calledSh(program: string): string {
  const dir = join(temp.path, program.replaceAll("/", "-"));
  mkdirSync(dir, { recursive: true });
  if (existsSync(program)) symlinkSync(program, join(dir, "sh"));
  return join(dir, "sh");
}

const PROGRAM: Part = { id: "tool", kind: "program", command: "{tool}" };

interface Shell {
  /** Sends the line of a tick and waits for its frame. */
  tick(tick: number): Promise<Frame>;
  /** Tells again what a tick is, as when a part is left alone. */
  tell(): void;
  /** As `tick`, without waiting. */
  send(tick: number): void;
  /** Ends its input. */
  end(): void;
  readonly pid: number;
  /** Closes our end of its output, as a server does whose connection is gone. */
  hangUp(): void;
  /** Command lines of its session. */
  session(): readonly Process[];
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function startShell(
  [program, ...args]: LoginShell["argv"],
  tool: string,
  parts: readonly Part[] = [PROGRAM],
): Shell {
  const bin = join(temp.path, String(Math.random()).slice(2));
  makeTools(bin, { tool });
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: bin };
  const child = spawn(program, [...args, "-s"], { detached: true, env, stdio: ["pipe", "pipe", "ignore"] });
  started.push(child);
  const reader = new FrameReader(NONCE);
  const pid = child.pid ?? 0;
  let heard = (): void => undefined;
  child.stdin.on("error", () => undefined);
  child.stdout.on("data", (chunk: Buffer) => {
    if (reader.push(chunk, Date.now())) heard();
  });
  const tell = (): void => {
    child.stdin.write(
      tickDefinitions({
        nonce: NONCE,
        toolTimeoutSecs: 1,
        limiter: "gnu",
        isGuarded: true,
        system: [],
        tool: parts,
        executable: "tool",
      }),
    );
  };
  tell();
  const send = (tick: number): void => {
    reader.begin(tick);
    child.stdin.write(tickLine(tick));
  };
  return {
    pid,
    tell,
    send,
    tick: (tick) =>
      new Promise((resolve) => {
        heard = () => resolve(reader.frame(1));
        send(tick);
      }),
    end: () => child.stdin.end(),
    hangUp: () => {
      child.stdin.destroy();
      child.stdout.destroy();
    },
    session: () => sessionOf(pid),
  };
}

function sessionOf(leader: number): readonly Process[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(session) !== leader || state === "Z") return [];
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return [{ pid: Number(name), parent: Number(parent), command }];
    } catch {
      return [];
    }
  });
}

async function untilGone(shell: Shell): Promise<void> {
  await waitFor("nothing of the session is left", () => shell.session().length === 0, 15_000);
}

interface Case {
  readonly what: string;
  readonly tool: string;
  readonly end: PartEnd;
  readonly stdout?: string;
  readonly stderr?: string;
  /** Shells that it hangs, as it does with `timeout`: they have taken note of the tool's end by then. */
  readonly except?: readonly string[];
}

const CASES: readonly Case[] = [
  { what: "answers", tool: "echo 1", end: { kind: "exit", code: 0 }, stdout: "1" },
  {
    what: "fails and says why",
    tool: `echo 1; echo no driver >&2; exit 9`,
    end: { kind: "exit", code: 9 },
    stdout: "1",
    stderr: "no driver",
  },
  { what: "is killed", tool: "kill -9 $$", end: { kind: "signal", signal: "SIGKILL" } },
  { what: "hangs", tool: "exec sleep 641", end: TIMED_OUT },
  { what: "hangs after a row", tool: "echo 1; exec sleep 641", end: TIMED_OUT, stdout: "1" },
  { what: "hangs and ignores SIGTERM", tool: `trap "" TERM; while :; do sleep 0.641; done`, end: TIMED_OUT },
  {
    what: "takes SIGTERM as a reason to exit 0",
    tool: `trap "exit 0" TERM; sleep 641 & wait`,
    end: TIMED_OUT,
  },
  { what: "waits for a child that hangs", tool: "sleep 641; echo late", end: TIMED_OUT },
  {
    what: "waits for a child that hangs and ignores SIGTERM",
    tool: `(trap "" TERM; exec sleep 641); echo late`,
    end: TIMED_OUT,
  },
  {
    what: "hangs beside a process that nobody waits for",
    tool: `(sleep 641 &); exec sleep 641`,
    end: TIMED_OUT,
  },
  {
    what: "has ended, while a child keeps its standard error open",
    tool: `sleep 641 >/dev/null & echo 1`,
    end: TIMED_OUT,
    stdout: "1",
    except: ["bash as sh", "ksh", "zsh as sh"],
  },
];

for (const { name, argv, skip } of SHELLS) {
  // They wait, for the most part.
  describe(name, { skip, concurrency: 6 }, () => {
    for (const { what, tool, end, stdout = "", stderr = "", except = [] } of CASES) {
      if (except.includes(name)) continue;
      test(`a tool that ${what}`, async () => {
        const shell = startShell(argv, tool);
        const frame = await shell.tick(1);
        const output = frame.outputs.get("tool");
        // ksh tells a signal by 256 more.
        if (name !== "ksh" || end.kind !== "signal") assert.deepEqual(output?.end, end);
        assert.equal(output?.stdout.trim(), stdout);
        if (end.kind !== "signal") assert.equal(output.stderr.trim(), stderr);
        await waitFor("no tool is left", () => !shell.session().some(({ command }) => /641/.test(command)));
        assert.ok(shell.session().length <= 3, "the shell, its guard and that one's sleep");
        shell.end();
        await untilGone(shell);
      });
    }

    test(`200 ticks of a fast tool, then one that hangs`, async () => {
      const counter = join(temp.path, `${name}-200`);
      const tool = `echo "$$"; if [ -e "${counter}" ]; then exec sleep 641; fi`;
      const shell = startShell(argv, tool);
      for (let tick = 1; tick <= 200; tick++) {
        const { outputs } = await shell.tick(tick);
        assert.deepEqual(outputs.get("tool")?.end, { kind: "exit", code: 0 });
      }
      mkdirSync(counter);
      assert.deepEqual((await shell.tick(201)).outputs.get("tool")?.end, TIMED_OUT);
      assert.ok(shell.session().length <= 3);
      shell.end();
      await untilGone(shell);
    });

    test(`a shell part of several programs ends as it did, whichever of them hangs`, { skip }, async () => {
      const tool = `[ "$1" = hang ] && exec sleep 641; echo "$1"`;
      const shell = startShell(argv, tool, [
        { id: "aside", kind: "shell", command: "(b {tool} hang; echo after)" },
        { id: "first", kind: "shell", command: "b {tool} hang; b {tool} 2" },
        { id: "last", kind: "shell", command: "b {tool} 1; b {tool} hang" },
        { id: "whole", kind: "shell", command: "b {tool} 1; b {tool} 2" },
      ]);
      const { outputs } = await shell.tick(1);
      const told = [...outputs].map(([id, output]) => [id, output.stdout.trim(), output.end]);
      assert.deepEqual(told, [
        ["aside", "", TIMED_OUT],
        ["first", "2", { kind: "exit", code: 0 }],
        ["last", "1", TIMED_OUT],
        ["whole", "1\n2", { kind: "exit", code: 0 }],
      ]);
      shell.end();
      await untilGone(shell);
    });

    test(`told anew what a tick is: the same guard, and tools keep the session's own limits`, async () => {
      const shell = startShell(argv, "ulimit -S -v");
      const first = (await shell.tick(1)).outputs.get("tool");
      const guards = (): readonly number[] =>
        shell.session().flatMap(({ pid, parent }) => (parent === shell.pid ? [pid] : []));
      const before = guards();
      assert.equal(before.length, 1);
      shell.tell();
      assert.deepEqual((await shell.tick(2)).outputs.get("tool"), first);
      assert.deepEqual(guards(), before);
      shell.end();
      await untilGone(shell);
    });

    test(`the connection goes while a tool hangs`, async () => {
      const shell = startShell(argv, `trap "" TERM; while :; do sleep 0.641; done`);
      shell.send(1);
      await waitFor("the tool", () => shell.session().some(({ command }) => command === "sleep 0.641"));
      shell.hangUp();
      await untilGone(shell);
    });

    test(`the shell is killed while a tool hangs`, async () => {
      const shell = startShell(argv, "exec sleep 641");
      shell.send(1);
      await waitFor("the tool", () => shell.session().some(({ command }) => command === "sleep 641"));
      signalPid(shell.pid, "SIGKILL");
      await untilGone(shell);
    });

    test(`the guard is killed between ticks: the next tick has another`, async () => {
      const hang = join(temp.path, `${name}-hang`);
      const shell = startShell(argv, `[ -e "${hang}" ] && exec sleep 641; echo 1`);
      await shell.tick(1);
      for (const { pid, parent } of shell.session()) if (parent === shell.pid) signalPid(pid, "SIGKILL");
      // The shell learns of it as it waits for its next program.
      await shell.tick(2);
      mkdirSync(hang);
      assert.deepEqual((await shell.tick(3)).outputs.get("tool")?.end, TIMED_OUT);
      shell.end();
      await untilGone(shell);
    });
  });
}
