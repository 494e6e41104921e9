import assert from "node:assert/strict";
import { test } from "node:test";
import { again, LeftOut, MAX_TRIES } from "../../bench/measure/again.js";
import { readArguments } from "../../bench/arguments.js";
import { runScenarios } from "../../bench/run-scenarios.js";
import type { Scenario } from "../../bench/scenarios/scenario.js";
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

test("a round that fails at every try is left out, counted and named with the program's message", async () => {
  const lines: string[] = [];
  const tried = { what: "one-shot, clush", say: (line: string) => lines.push(line), log: () => "refused" };
  const leftOut = new LeftOut();
  assert.equal(await leftOut.round(tried, () => Promise.resolve(7)), 7);
  assert.deepEqual(leftOut.notes(), []);
  for (let round = 0; round < 2; round++)
    assert.equal(await leftOut.round(tried, () => Promise.reject(new Error("0 of 4: no such key"))), null);
  assert.deepEqual(leftOut.notes(), [
    "2 rounds left out: one-shot, clush: failed 3 times, at last: 0 of 4: no such key",
  ]);
  assert.equal(lines.filter((line) => line.endsWith("one-shot, clush: this round is left out")).length, 2);
});

test("a scenario that fails is named, and the others run", async () => {
  const lines: string[] = [];
  const options = readArguments([], [])?.options;
  assert.ok(options !== undefined);
  const figure = { id: "a.b", what: "b", unit: "x", values: [1] };
  const scenario = (name: string, run: Scenario["run"]): Scenario => ({ name, about: name, run });
  const { measured, failed } = await runScenarios(
    [
      scenario("broken", () => Promise.reject(new Error("no sshd\nits log"))),
      scenario("whole", () => Promise.resolve({ figures: [figure], notes: ["a note"] })),
    ],
    { ...options, peer: (name) => name, say: (line) => lines.push(line) },
  );
  assert.deepEqual(failed, ["broken"]);
  assert.deepEqual(measured.figures, [figure]);
  assert.deepEqual(measured.notes, ["broken FAILED: no sshd", "a note"]);
  assert.ok(lines.some((line) => line.startsWith("broken: failed, the next scenario follows: no sshd")));
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
