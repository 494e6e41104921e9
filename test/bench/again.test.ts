import assert from "node:assert/strict";
import { test } from "node:test";
import { again, MAX_TRIES } from "../../bench/measure/again.js";
import { startAnywhere } from "../../bench/fleet/fleet.js";

test("a run that fails is tried again, with a message for each failure", async () => {
  const lines: string[] = [];
  let runs = 0;
  const result = await again(
    { what: "round-trips: ready", say: (line) => lines.push(line), log: () => "" },
    () => (++runs < MAX_TRIES ? Promise.reject(new Error("auth-failed")) : Promise.resolve(runs)),
  );
  assert.equal(result, MAX_TRIES);
  assert.deepEqual(
    lines,
    Array.from({ length: MAX_TRIES - 1 }, () => "round-trips: ready: failed, is tried again: auth-failed"),
  );
});

test("the last failure names the step, its message and the end of the servers' log", async () => {
  const log = Array.from({ length: 40 }, (_, line) => `line ${line}`).join("\n");
  const failing = again({ what: "one-shot: ours", say: () => undefined, log: () => log }, () =>
    Promise.reject(new Error("3 of 4 hosts answered")),
  );
  await assert.rejects(failing, (error: Error) => {
    assert.match(error.message, /^one-shot: ours: failed 3 times, at last: 3 of 4 hosts answered\n/);
    assert.match(error.message, /\n {2}line 39$/);
    assert.doesNotMatch(error.message, /line 24\n/);
    return true;
  });
});

test("servers that need one port on many addresses take another port where a part of them is in use", async () => {
  const stopped: number[] = [];
  let tries = 0;
  const started = await startAnywhere((port) => {
    tries += 1;
    if (port !== 0 && tries < 4) return Promise.reject(new Error(`port ${port}: Address already in use`));
    const bound = port === 0 ? 2000 + tries : port;
    return Promise.resolve({ port: bound, stop: () => Promise.resolve(void stopped.push(bound)) });
  }, 2);
  assert.deepEqual(
    started.map(({ port }) => port),
    [2003, 2003],
  );
  assert.deepEqual(stopped, [2001]);
  await assert.rejects(
    startAnywhere(() => Promise.reject(new Error("no sshd")), 2),
    /no sshd/,
  );
});
