/** What reading the configs of a whole fleet side by side asks of this machine. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { localEnvironment } from "../../../src/ssh/config/local-environment.js";
import { inProcessNames, type Names } from "../../../src/ssh/names/names.js";
import { FakeClock } from "../../support/fake-clock.js";
import { makeTempDir } from "../../support/temp-dir.js";

const temp = makeTempDir("local-environment");
after(() => temp.remove());

test("Match exec commands run few at once, each of them", async () => {
  const running = join(temp.path, "running");
  mkdirSync(running);
  const log = join(temp.path, "log");
  const command = `touch '${running}'/$$; ls '${running}' | wc -l >>'${log}'; sleep 0.05; rm '${running}'/$$`;
  const environment = localEnvironment({ PATH: process.env["PATH"], SHELL: "/bin/sh" });
  await Promise.all(Array.from({ length: 40 }, () => environment.runMatchExec(command)));
  const counts = readFileSync(log, "utf8").trim().split("\n").map(Number);
  assert.equal(counts.length, 40);
  assert.ok(Math.max(...counts) <= 8, `${Math.max(...counts)} at once`);
});

describe("a look-up", () => {
  const never: Names = {
    ...inProcessNames(),
    find: (_name, _family, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
  };

  test("is bounded by the ConnectTimeout that it is given", async () => {
    const clock = new FakeClock();
    const limitMs = (secs: number | null): number => (secs ?? 10) * 1000;
    const environment = localEnvironment({}, { names: never, clock, limitMs });
    for (const [secs, ms] of [
      [3, 3_000],
      [null, 10_000],
    ] as const) {
      let answer: unknown = "still asked";
      void environment.lookup("x", "any", true, secs).then((found) => (answer = found));
      await clock.advance(ms - 1);
      assert.equal(answer, "still asked");
      await clock.advance(1);
      await clock.advance(0);
      assert.equal(answer, "no-answer");
    }
  });

  test("knows what is there and what is not", async () => {
    const environment = localEnvironment({});
    assert.deepEqual(await environment.lookup("localhost", "inet", false, null), { canonicalName: null });
    assert.deepEqual(await environment.lookup("localhost", "inet", true, null), {
      canonicalName: "localhost",
    });
    assert.equal(await environment.lookup("no-such-host.invalid", "any", true, null), null);
  });
});
