/** What the demo leaves behind, however it ends. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { runCli, whenOut } from "../support/cli.js";
import { descendantsOf, signalPid, waitFor } from "../support/processes.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("demo-ends");
after(() => temp.remove());

describe("the demo's temporary keys are gone", () => {
  const kills = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2", "SIGABRT", "SIGKILL"] as const;
  const demo = (own: string, act: (child: ChildProcess) => void): ReturnType<typeof runCli> =>
    runCli(["--demo", "--format", "ndjson", "--interval", "0.5"], {
      env: { HOME: "/nonexistent", TMPDIR: own },
      started: act,
    });
  const ownFolder = (): string => mkdtempSync(join(temp.path, "demo-"));

  for (const signal of kills) {
    test(`after ${signal}, while it runs`, async () => {
      const own = ownFolder();
      await demo(own, (child) =>
        whenOut(child, /"record":"frame"/, () => {
          assert.equal(readdirSync(own).length, 1);
          child.kill(signal);
        }),
      );
      await waitFor("the end of the folder", () => readdirSync(own).length === 0);
    });

    test(`after ${signal}, while it starts`, async () => {
      const own = ownFolder();
      await demo(own, (child) => {
        void waitFor("the folder", () => readdirSync(own).length > 0).then(() => child.kill(signal));
      });
      await waitFor("the end of the folder", () => readdirSync(own).length === 0);
    });
  }

  test("after two signals, one right after the other", async () => {
    const own = ownFolder();
    const run = await demo(own, (child) =>
      whenOut(child, /"record":"frame"/, () => {
        child.kill("SIGTERM");
        child.kill("SIGINT");
      }),
    );
    assert.ok(run.code === 143 || run.code === 130);
    assert.deepEqual(readdirSync(own), []);
  });

  test("after its reader has gone, and after a signal to all of its processes", async () => {
    const own = ownFolder();
    const run = await demo(own, (child) =>
      whenOut(child, /"record":"frame"/, () => void child.stdout?.destroy()),
    );
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(readdirSync(own), []);
    const all = ownFolder();
    await demo(all, (child) =>
      whenOut(child, /"record":"frame"/, () => {
        const pid = child.pid ?? 0;
        for (const each of descendantsOf(pid)) signalPid(each.pid, "SIGTERM");
        signalPid(pid, "SIGTERM");
      }),
    );
    assert.deepEqual(readdirSync(all), []);
  });

  test("after an exception that nobody expected", async () => {
    const own = ownFolder();
    const fault = join(temp.path, "fault.cjs");
    writeFileSync(
      fault,
      `process.on("SIGUSR2", () => setImmediate(() => { throw new Error("made by the test"); }));`,
    );
    const run = await runCli(["--demo", "--format", "ndjson", "--interval", "0.5"], {
      env: { HOME: "/nonexistent", TMPDIR: own, NODE_OPTIONS: `--require ${fault}` },
      started: (child) => whenOut(child, /"record":"frame"/, () => child.kill("SIGUSR2")),
    });
    assert.match(run.stderr, /made by the test/);
    assert.notEqual(run.code, 0);
    assert.deepEqual(readdirSync(own), []);
  });
});
