/** The guard of a shell that stays, under the shells that a host's /bin/sh may be: each leads a session, as under sshd. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { Part, PartEnd } from "../../src/shims/kit/shim.js";
import { startShell, type Shell } from "../support/guarded-shell.js";
import { POSIX_SHELLS, type LoginShell } from "../support/login-shells.js";
import { signalPid, waitFor } from "../support/processes.js";
import { makeTempDir } from "../support/temp-dir.js";

const TIMED_OUT: PartEnd = { kind: "timeout", afterSecs: 1 };

const temp = makeTempDir("guard");
after(() => temp.remove());

/** bash and zsh behave by the name that they are called with, so they are called `sh` as on hosts. */
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

async function untilGone(shell: Shell): Promise<void> {
  await waitFor("nothing of the session is left", () => shell.session().length === 0, 15_000);
}

interface Case {
  readonly what: string;
  readonly tool: string;
  readonly end: PartEnd;
  readonly stdout?: string;
  readonly stderr?: string;
  /** Shells that it hangs, as it does with `timeout`: they have noted the tool's end by then. */
  readonly except?: readonly string[];
  /** The shell waits for it only in one kind of part. */
  readonly only?: "streamed" | "buffered";
}

const PROGRAMS: readonly { readonly way: "streamed" | "buffered"; readonly part: Part }[] = [
  { way: "streamed", part: { id: "tool", kind: "program", command: "{tool}" } },
  { way: "buffered", part: { id: "tool", kind: "program", command: "{tool}", isBuffered: true } },
];

const CASES: readonly Case[] = [
  { what: "answers", tool: "echo 1", end: { kind: "exit", code: 0 }, stdout: "1" },
  {
    what: "fails and prints why",
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
    only: "streamed",
  },
  {
    what: "has ended, while a child keeps its standard output open",
    tool: `sleep 641 2>/dev/null & echo 1`,
    end: TIMED_OUT,
    stdout: "1",
    except: ["bash as sh", "ksh", "zsh as sh"],
    only: "buffered",
  },
];

describe("shells", { concurrency: 2 }, () => {
  for (const { name, argv, skip } of SHELLS) {
    // They wait, for the most part.
    describe(name, { skip, concurrency: 6 }, () => {
      const cases = PROGRAMS.flatMap((program) => CASES.map((each) => ({ ...program, ...each })));
      for (const { way, part, what, tool, end, stdout = "", stderr = "", except = [], only = way } of cases) {
        if (except.includes(name) || only !== way) continue;
        test(`a ${way} tool that ${what}`, async () => {
          const shell = startShell(argv, tool, [part]);
          const frame = await shell.tick(1);
          const output = frame.outputs.get("tool");
          // ksh reports a signal as 256 more.
          if (name !== "ksh" || end.kind !== "signal") assert.deepEqual(output?.end, end);
          assert.equal(output?.stdout.trim(), stdout);
          if (end.kind !== "signal") assert.equal(output.stderr.trim(), stderr);
          await waitFor("no tool is left", () => !shell.session().some(({ command }) => /641/.test(command)));
          // The guard's last look at who is left may still be under way.
          await waitFor(
            "no more than the shell, its guard and that one's sleep",
            () => shell.session().length <= 3,
          );
          shell.end();
          await untilGone(shell);
        });
      }

      test(`a tick with a buffered tool is two pieces: the output before it, and the rest`, async () => {
        const rows = `for row in 1 2 3; do echo "$row"; sleep 0.02; done`;
        const parts = PROGRAMS.filter(({ way }) => way === "buffered").map(({ part }) => part);
        const shell = startShell(argv, rows, parts);
        for (const tick of [1, 2, 3]) {
          const { outputs } = await shell.tick(tick);
          assert.equal(outputs.get("tool")?.stdout, "1\n2\n3\n");
          assert.ok(shell.pieces() <= 2, `${shell.pieces()} pieces`);
        }
        shell.end();
        await untilGone(shell);
      });

      test(`60 ticks of a fast tool, then one that hangs`, async () => {
        const counter = join(temp.path, `${name}-60`);
        const tool = `echo "$$"; if [ -e "${counter}" ]; then exec sleep 641; fi`;
        const shell = startShell(argv, tool);
        for (let tick = 1; tick <= 60; tick++) {
          const { outputs } = await shell.tick(tick);
          assert.deepEqual(outputs.get("tool")?.end, { kind: "exit", code: 0 });
        }
        mkdirSync(counter);
        assert.deepEqual((await shell.tick(61)).outputs.get("tool")?.end, TIMED_OUT);
        assert.ok(shell.session().length <= 3);
        shell.end();
        await untilGone(shell);
      });

      test(`a shell part of several programs ends as it did, whichever of them hangs`, { skip }, async () => {
        const tool = `[ "$1" = hang ] && exec sleep 641; echo "$1"`;
        const shell = startShell(argv, tool, [
          { id: "subshell", kind: "shell", command: "(b {tool} hang; echo after)" },
          { id: "first", kind: "shell", command: "b {tool} hang; b {tool} 2" },
          { id: "last", kind: "shell", command: "b {tool} 1; b {tool} hang" },
          { id: "whole", kind: "shell", command: "b {tool} 1; b {tool} 2" },
        ]);
        const { outputs } = await shell.tick(1);
        const ends = [...outputs].map(([id, output]) => [id, output.stdout.trim(), output.end]);
        assert.deepEqual(ends, [
          ["subshell", "", TIMED_OUT],
          ["first", "2", { kind: "exit", code: 0 }],
          ["last", "1", TIMED_OUT],
          ["whole", "1\n2", { kind: "exit", code: 0 }],
        ]);
        shell.end();
        await untilGone(shell);
      });

      test(`definitions sent again: the same guard, and tools keep the session's own limits`, async () => {
        const shell = startShell(argv, "ulimit -S -v");
        const first = (await shell.tick(1)).outputs.get("tool");
        const guards = (): readonly number[] =>
          shell.session().flatMap(({ pid, parent }) => (parent === shell.pid ? [pid] : []));
        const before = guards();
        assert.equal(before.length, 1);
        shell.define();
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
        const guards = () => shell.session().filter(({ parent }) => parent === shell.pid);
        for (const { pid } of guards()) signalPid(pid, "SIGKILL");
        await waitFor("the guard's end", () => guards().length === 0);
        // The shell learns of it as it waits for its next program.
        await shell.tick(2);
        mkdirSync(hang);
        assert.deepEqual((await shell.tick(3)).outputs.get("tool")?.end, TIMED_OUT);
        shell.end();
        await untilGone(shell);
      });
    });
  }
});

/** Makes the next process the one after `last`, where no other is, and starts a shell that leads its session. */
const WITH_PIDS = `echo "$0" >/proc/sys/kernel/ns_last_pid || exit 3; setsid "$@"; :`;
const NAMESPACE = ["--pid", "--fork", "--kill-child", "--mount-proc", "/bin/sh", "-c", WITH_PIDS] as const;

describe(
  "a pid gets a digit more, so that /proc lists a tool's children before it",
  { concurrency: 6 },
  () => {
    const tried = spawnSync("unshare", [...NAMESPACE, "90", "true"]);
    const skip = tried.status === 0 ? false : "SKIPPED LOUDLY: no PID namespace can be made here (root?)";
    for (const last of [88, 90, 92, 94]) {
      test(`after process ${last}`, { skip }, async () => {
        const shell = startShell(
          ["unshare", ...NAMESPACE, String(last), "/bin/dash"],
          `trap "" TERM; while :; do sleep 0.641; done`,
        );
        const output = (await shell.tick(1)).outputs.get("tool");
        assert.deepEqual(
          output,
          { stdout: "", stderr: "", end: TIMED_OUT },
          "it cannot complain of its child's end",
        );
        shell.end();
      });
    }
  },
);
