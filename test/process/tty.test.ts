/** The table on a real terminal: redrawn in place, fitted to its size, and gone without a trace. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { PROGRAM, runCli } from "../support/cli.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { missing, sshArgs, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";
import { noTmux, TmuxWindow } from "../support/tmux.js";

const COMMAND = `${process.execPath} ${PROGRAM}`;
const HOSTS = 8;

const temp = makeTempDir("tty");
let sshd: Sshd;
let flags = "";

describe("the table on a terminal", { skip: missing ?? noTmux }, () => {
  before(async () => {
    const bin = makeTools(join(temp.path, "bin"), {
      "nvidia-smi": fakeNvidiaSmi({
        rows: ["0, GPU-1, NVIDIA A100, 590.48.01, $(date +%S), 1024, 81920, 51, 1410, 99.5"],
      }),
    });
    const addresses = Array.from({ length: HOSTS }, (_, index) => `127.0.0.${index + 1}`);
    sshd = await startSshd({ bin, shell: "/bin/sh", addresses });
    flags = sshArgs(sshd).join(" ");
    // Too long to be typed into a terminal.
    writeFileSync(join(temp.path, "watch"), `exec ${COMMAND} ${flags} "$@"\n`);
  });
  after(async () => {
    await sshd.stop();
    temp.remove();
  });

  /** A window in which `work` runs; closed after it. */
  async function inWindow(
    columns: number,
    rows: number,
    work: (window: TmuxWindow) => Promise<void>,
  ): Promise<void> {
    const window = new TmuxWindow(columns, rows);
    try {
      await window.see(/^\$/);
      await work(window);
    } finally {
      window.close();
    }
  }

  test("is redrawn in place, follows the terminal's size, and Ctrl-C leaves the terminal as it was", async () => {
    await inWindow(100, 24, async (window) => {
      window.type(`cd ${temp.path}; stty -a > before; echo the line above; sh watch --interval 0.3`);
      await window.see(/^8 hosts: 8 ok$/);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const titles = window.lines("history").filter((line) => line.startsWith("Host "));
      assert.equal(titles.length, 1, "one picture, not one a tick");
      assert.match(window.lines()[0] ?? "", /^\d\d:\d\d:\d\d {2}every 0\.3 s {2}8 hosts {2}8 GPUs {2}/);
      assert.match(window.lines()[1] ?? "", /^Host +State +# +Device/);
      assert.ok(
        window.lines("history").some((line) => line.startsWith("the line above")),
        "the history is kept",
      );

      window.resize(50, 7);
      await window.see(/^rows 1 to 4 of 8; arrows and page keys scroll/);
      assert.match(window.lines()[0] ?? "", /^Host +State/);
      assert.equal(window.lines().filter((line) => line.startsWith("127.0.0.")).length, 4);
      window.key("Down");
      await window.see(/^rows 2 to 5 of 8/);
      window.key("End");
      await window.see(/^127\.0\.0\.8 /);
      window.key("PPage");
      await window.see(/^rows 1 to 4 of 8/);
      window.resize(100, 24);
      await window.see(/^127\.0\.0\.8 +connected +0 +A100/);

      window.key("C-c");
      await window.see(/^\$ ?$/);
      window.type("echo code=$?; stty -a > after");
      await window.see(/^code=130$/);
      assert.equal(
        window.ask("#{cursor_flag} #{alternate_on}"),
        "1 0",
        "the cursor shows, on the normal screen",
      );
      assert.ok(
        window.lines().some((line) => line.startsWith("8 hosts: 8 ok")),
        "the last picture stays",
      );
      const [stty, sttyAfter] = ["before", "after"].map((name) =>
        readFileSync(join(temp.path, name), "utf8"),
      );
      assert.equal(sttyAfter, stty);
    });
  });

  let looks = 0;

  /** The terminal's modes, as the shell finds them. The screen is empty after it. */
  async function modesOf(window: TmuxWindow): Promise<string> {
    const written = `modes-${(looks += 1)}`;
    window.type(`stty -a > ${written}; clear; echo ${written}`);
    await window.see(new RegExp(`^${written}$`));
    return readFileSync(join(temp.path, written), "utf8");
  }

  test("goes on where it was after Ctrl-Z and fg, and q ends it", async () => {
    await inWindow(100, 24, async (window) => {
      window.type(`cd ${temp.path}`);
      const before = await modesOf(window);
      window.type("sh watch --interval 2");
      await window.see(/^8 hosts: 8 ok$/);
      window.key("C-z");
      await window.see(/Stopped/);
      assert.equal(await modesOf(window), before, "stopped, it leaves the terminal to the shell");
      window.type("clear; fg");
      await window.see(/^8 hosts: 8 ok$/);
      assert.match(window.lines()[1] ?? "", /^Host +State/);
      window.key("q");
      // What is typed before the program has ended is read by the program.
      await window.see(/^\$ ?$/);
      window.type("echo code=$?");
      await window.see(/^code=0$/);
      assert.equal(await modesOf(window), before);
    });
  });

  test("Esc and signals end it, and the terminal is as it was; in the background it reads no key", async () => {
    await inWindow(100, 24, async (window) => {
      window.type(`cd ${temp.path}`);
      const before = await modesOf(window);
      const ways: readonly (readonly [end: string, code: number])[] = [
        ["Escape", 0],
        ["TERM", 143],
        ["HUP", 129],
        ["QUIT", 131],
      ];
      for (const [end, code] of ways) {
        window.type(`clear; ulimit -c 0; sh -c 'echo $$ > pid; exec sh watch --interval 2'; echo code=$?`);
        await window.see(/^8 hosts: 8 ok$/);
        if (end === "Escape") window.key(end);
        else
          process.kill(Number(readFileSync(join(temp.path, "pid"), "utf8")), `SIG${end}` as NodeJS.Signals);
        await window.see(new RegExp(`^code=${code}$`));
        assert.equal(await modesOf(window), before, end);
      }
      window.type("clear; sh watch --interval 2 &");
      await window.see(/^8 hosts: 8 ok$/);
      window.type("clear; jobs > jobs; kill %1; wait; echo over");
      await window.see(/^over$/);
      assert.match(readFileSync(join(temp.path, "jobs"), "utf8"), /Running/);
    });
  });

  test("a warning stands below the picture, not in it, and is printed again after it", async () => {
    const recorded = await runCli([...flags.split(" "), "--once", "--format", "ndjson"]);
    assert.equal(recorded.code, 0, recorded.stderr);
    const lines = recorded.stdout.trim().split("\n");
    const file = join(temp.path, "broken.ndjson");
    writeFileSync(file, [...lines.slice(0, 4), "first", ...lines.slice(4), "second", ""].join("\n"));
    await inWindow(100, 24, async (window) => {
      // The writer keeps the pipe open, so that the picture stands.
      window.type(`(cat ${file}; sleep 3) | ${COMMAND} --replay -`);
      await window.see(/^allsmi-ssh: warning|^warning: <stdin>:10/);
      const picture = window.lines().filter((line) => line !== "");
      assert.equal(picture.length, 2 + HOSTS + 2, picture.join("\n"));
      assert.equal(picture.at(-2), "8 hosts: 8 ok");
      assert.equal(picture.at(-1), "warning: <stdin>:10: is not a JSON object; it is left out");
      await window.see(/^allsmi-ssh: warning: <stdin>:10/);
      const after = window.lines().filter((line) => line.startsWith("allsmi-ssh: warning: <stdin>:"));
      assert.equal(after.length, 2);
    });
  });

  test("a dumb terminal gets ticks one below the other, and nothing cleared", async () => {
    await inWindow(100, 40, async (window) => {
      window.type(`cd ${temp.path}; TERM=dumb sh watch --interval 2 --count 2; echo code=$?`);
      await window.see(/^code=0$/);
      const lines = window.lines("history");
      assert.equal(lines.filter((line) => line.startsWith("8 hosts: ")).length, 2);
      assert.match(lines.join(""), /TERM=dumb sh watch/, "nothing was cleared");
    });
  });
});
