/** The shell text of the questions, under the shells of this machine, with programs that stand in for journalctl and dmesg. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { shellCommand } from "../../../src/remote/shell-command.js";
import { parseAnswer, type LogAnswer } from "../../../src/system/kernel-log/answer.js";
import {
  cursorIn,
  JOURNAL_OF_BOOT,
  journalAfter,
  KERNEL_BUFFER,
  KERNEL_LOG,
  MAX_LINES,
} from "../../../src/system/kernel-log/questions.js";
import { makeTempDir } from "../../support/temp-dir.js";
import { fakeRoot, onlyBusybox, runPart, SHELLS, type Shell } from "../shells.js";

const CURSOR =
  "s=c6699b38641d4d1c9e29faaa7fdfaaf8;i=9a1;b=95b267a377724fa49d142f4d9b3aef4b;m=d6b2e5a1;t=6474846a99440;x=9355ef7dc60cb73a";
const XID = "NVRM: Xid (PCI:0000:18:00): 79, GPU has fallen off the bus.";
const shells = [...SHELLS, onlyBusybox()].filter((shell) => shell !== null);
const temp = makeTempDir("kernel-log");
after(() => temp.remove());

/** The shell with these programs first on its PATH. */
function having(shell: Shell, programs: Readonly<Record<string, string>>): Shell {
  const bin = makeBin(programs);
  return { ...shell, path: `${bin}:${shell.path ?? process.env["PATH"] ?? ""}` };
}

let bins = 0;
function makeBin(programs: Readonly<Record<string, string>>): string {
  const bin = fakeRoot({ [`/${++bins}`]: null });
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

const ask = (command: string, shell: Shell, deadlineSecs = 10): LogAnswer => {
  const { stdout, stderr } = runPart({ id: KERNEL_LOG, kind: "shell", command }, shell, "", deadlineSecs);
  assert.equal(stderr, "", shell.name);
  return parseAnswer(stdout);
};

describe("under each shell", () => {
  for (const shell of shells) {
    test(`${shell.name}: the journal's first entry, its events, its position and its status`, () => {
      const args = temp.path + `/args-${shell.name.replace(/ /g, "-")}`;
      const journalctl = `echo "$@" >"${args}"
        echo "-- Logs begin at Thu 2026-01-01. --"
        echo "1767225600.000001 gpu kernel: back\\\\slash and 100% noise"
        echo "1767225601.000002 gpu kernel: ${XID}"
        echo "1767225602.000003 gpu kernel: more noise"
        echo "-- cursor: ${CURSOR}"`;
      const answer = ask(JOURNAL_OF_BOOT, having(shell, { journalctl }));
      assert.deepEqual(answer.entries, [
        "1767225600.000001 gpu kernel: back\\slash and 100% noise",
        `1767225601.000002 gpu kernel: ${XID}`,
      ]);
      assert.deepEqual([answer.exitCode, answer.complaint, answer.cursor], [0, "", CURSOR]);
      assert.match(readFileSync(args, "utf8"), /^-k -o short-unix --no-pager --show-cursor -n 10000$/m);
      const cursor = cursorIn(CURSOR);
      assert.ok(cursor !== null);
      ask(journalAfter(cursor), having(shell, { journalctl }));
      assert.match(readFileSync(args, "utf8"), /^_TRANSPORT=kernel .* --after-cursor=s=c6.*73a$/m);
    });

    test(`${shell.name}: messages come too, and no entry is needed`, () => {
      const journalctl = `echo "Hint: You are currently not seeing messages from other users and the system." >&2
        echo "-- No entries --"; exit 1`;
      const answer = ask(JOURNAL_OF_BOOT, having(shell, { journalctl }));
      assert.match(answer.complaint, /^Hint: .* not seeing messages/);
      assert.deepEqual([answer.exitCode, answer.hasEntries, answer.entries], [1, false, []]);
    });

    test(`${shell.name}: the kernel's buffer, with boot and time`, () => {
      const dmesg = `echo "[    0.000000] Linux version 6.1"; echo "[   12.500000] ${XID}"`;
      const answer = ask(KERNEL_BUFFER, having(shell, { dmesg }));
      // busybox's `timeout` runs busybox's own dmesg, whatever is on the PATH.
      if (!shell.name.includes("busybox")) {
        assert.deepEqual(answer.entries, ["[    0.000000] Linux version 6.1", `[   12.500000] ${XID}`]);
        assert.deepEqual([answer.exitCode, answer.firstSecs], [0, 0]);
      }
      assert.equal(answer.bootId, readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
      const up = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
      assert.ok(Math.abs((answer.bootMs ?? 0) - (Date.now() - up * 1000)) < 5000, shell.name);
    });

    test(`${shell.name}: a program that is not there`, () => {
      const gone = having(shell, { journalctl: "exit 127" });
      assert.equal(ask(JOURNAL_OF_BOOT, gone).exitCode, 127);
    });

    test(`${shell.name}: one that hangs ends at its deadline`, () => {
      const { exitCode, entries } = ask(
        JOURNAL_OF_BOOT,
        having(shell, { journalctl: "exec /bin/sleep 60" }),
        1,
      );
      assert.ok(exitCode === 124 || exitCode === 143, `${shell.name}: ${String(exitCode)}`);
      assert.deepEqual(entries, []);
    });

    test(`${shell.name}: of a flood only the newest lines leave the host`, () => {
      const flood = `i=0; while [ $i -lt 5000 ]; do echo "1767225600.000001 gpu kernel: ${XID} $i"; i=$((i+1)); done; echo "-- cursor: ${CURSOR}"`;
      const answer = ask(JOURNAL_OF_BOOT, having(shell, { journalctl: flood }));
      assert.equal(answer.isCut, true);
      assert.equal(answer.cursor, CURSOR);
      assert.ok(answer.entries.length <= MAX_LINES && answer.entries.length > MAX_LINES - 4);
      assert.match(answer.entries.at(-1) ?? "", / 4999$/);
    });
  }
});

test("the real dmesg of this machine is read, or is not permitted", (t) => {
  if (!existsSync("/usr/bin/dmesg") && !existsSync("/bin/dmesg")) {
    t.skip("dmesg is not installed");
    return;
  }
  for (const shell of SHELLS) {
    const answer = ask(KERNEL_BUFFER, shell);
    if (answer.exitCode === 0) assert.equal(answer.complaint, "", shell.name);
    else assert.match(answer.complaint, /not permitted|denied/i, shell.name);
  }
});

test("every question passes any login shell unharmed", () => {
  const cursor = cursorIn(CURSOR);
  assert.ok(cursor !== null);
  for (const question of [JOURNAL_OF_BOOT, journalAfter(cursor), KERNEL_BUFFER])
    assert.ok(shellCommand(question).length < 2000);
});

test("a position is six hexadecimal numbers, and nothing else", () => {
  assert.equal(cursorIn(CURSOR), CURSOR);
  for (const text of [
    "",
    `${CURSOR};`,
    `${CURSOR}"; reboot; "`,
    `${CURSOR}\n`,
    "s=$(id)",
    CURSOR.replace("s=c", "s=g"),
  ])
    assert.equal(cursorIn(text), null, text);
});
