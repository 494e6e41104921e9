/** The progress line on a real terminal: there while a host is waited for, and gone without a trace. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { PROGRAM } from "../support/cli.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { missing, sshArgs, startSshd, type Sshd } from "../support/sshd.js";
import { startTcpServer, type TcpServer } from "../support/tcp-server.js";
import { makeTempDir } from "../support/temp-dir.js";
import { noTmux, TmuxWindow } from "../support/tmux.js";

describe("while hosts connect, on a terminal", { skip: missing ?? noTmux }, () => {
  const temp = makeTempDir("progress");
  let sshd: Sshd;
  let silent: TcpServer;
  before(async () => {
    const bin = makeTools(join(temp.path, "bin"), { "nvidia-smi": FAKE_A100 });
    [sshd, silent] = await Promise.all([
      startSshd({ bin, shell: "/bin/sh" }),
      startTcpServer(() => undefined),
    ]);
    const flags = [...sshArgs(sshd), "--ssh-timeout-secs", "2.5", "--once", "--include", "gpu"];
    writeFileSync(join(temp.path, "once"), `exec ${process.execPath} ${PROGRAM} ${flags.join(" ")} "$@"\n`);
  });
  after(async () => {
    await Promise.all([sshd.stop(), silent.stop()]);
    temp.remove();
  });

  async function inWindow(work: (window: TmuxWindow) => Promise<void>): Promise<void> {
    const window = new TmuxWindow(80, 24);
    try {
      await window.see(/^\$/);
      window.type(`cd ${temp.path}; clear`);
      await work(window);
    } finally {
      window.close();
    }
  }
  const waited = (): string => `slow@127.0.0.1:${silent.port}`;

  test("names the host that --once waits for; what is printed then stands on a line of its own", async () => {
    await inWindow(async (window) => {
      window.type(`sh once ${waited()} > out; echo code=$?`);
      await window.see(/^connected 1 of 2, 1 under way for \d s: 127\.0\.0\.1$/);
      await window.see(/^code=3$/);
      const lines = window.lines();
      assert.ok(!lines.some((line) => line.startsWith("connected")), lines.join("\n"));
      assert.ok(
        lines.some((line) => line.startsWith(`allsmi-ssh: ${waited()}: handshake-timeout:`)),
        lines.join("\n"),
      );
      assert.ok(lines.some((line) => line.startsWith("  have the firewalls on the way let it through")));
    });
  });

  test("stands where the table will be until the table is there", async () => {
    await inWindow(async (window) => {
      window.type(
        `${process.execPath} ${PROGRAM} ${waited()} --ssh-config none --once --ssh-timeout-secs 2; echo code=$?`,
      );
      await window.see(/^connected 0 of 1, 1 under way for \d s: 127\.0\.0\.1$/);
      await window.see(/^code=4$/);
      assert.ok(!window.lines("history").some((line) => line.startsWith("connected 0")));
    });
  });

  test("there is none with --quiet", async () => {
    await inWindow(async (window) => {
      window.type(`sh once --quiet ${waited()} > out; echo code=$?`);
      await window.see(/^code=3$/);
      const [, ...below] = window.lines().filter((line) => line !== "");
      assert.deepEqual(
        below.filter((line) => !/^code=3$|^\$/.test(line)),
        [],
      );
    });
  });
});
