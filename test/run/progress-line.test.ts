/** The progress line: drawn in place, away while anything else is written, and gone at the end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgressLine, progressTerminal } from "../../src/run/progress-line.js";
import { FakeClock } from "../support/fake-clock.js";

const CLEAR = "\r\u001b[K";

function drawn(texts: readonly (string | null)[]): {
  clock: FakeClock;
  line: ProgressLine;
  written: string[];
  widths: number[];
} {
  const clock = new FakeClock();
  const written: string[] = [];
  const widths: number[] = [];
  const terminal = { columns: () => 80, write: (text: string) => void written.push(text) };
  const line = new ProgressLine(clock, terminal);
  let at = 0;
  line.start((columns) => {
    widths.push(columns);
    return texts[Math.min(at++, texts.length - 1)] ?? null;
  });
  return { clock, line, written, widths };
}

test("is drawn after a moment, again while hosts connect, and cleared when none is left", async () => {
  const { clock, written, widths } = drawn(["one", "two", null]);
  await clock.advance(400);
  assert.deepEqual(written, []);
  await clock.advance(5000);
  assert.deepEqual(written, [`${CLEAR}one`, `${CLEAR}two`, CLEAR]);
  assert.deepEqual(widths, [79, 79, 79]);
  assert.equal(clock.timers, 0);
});

test("a fleet that connects at once sees nothing of it", async () => {
  const { clock, written } = drawn([null]);
  await clock.advance(5000);
  assert.deepEqual(written, []);
});

test("is off the screen while a line is written, and comes back", async () => {
  const { clock, line, written } = drawn(["one", "two"]);
  await clock.advance(600);
  assert.equal(
    line.around(() => written.push("a line\n") > 0),
    true,
  );
  line.around(() => written.push("another\n"));
  await clock.advance(500);
  line.stop();
  await clock.advance(5000);
  assert.deepEqual(written, [`${CLEAR}one`, CLEAR, "a line\n", "another\n", `${CLEAR}two`, CLEAR]);
});

test("there is none with --quiet, on a dumb terminal, where nothing connects, or where no terminal is", async () => {
  const logTerminal = { columns: () => 80, write: () => undefined };
  const run = { verbosity: "normal", dryRun: false, check: null } as const;
  assert.equal(progressTerminal(run, { logTerminal, env: {} }), logTerminal);
  assert.equal(progressTerminal({ ...run, verbosity: "quiet" }, { logTerminal, env: {} }), null);
  assert.equal(progressTerminal({ ...run, dryRun: true }, { logTerminal, env: {} }), null);
  assert.equal(progressTerminal(run, { logTerminal, env: { TERM: "dumb" } }), null);
  const clock = new FakeClock();
  const line = new ProgressLine(clock, progressTerminal(run, { logTerminal: null, env: {} }));
  line.start(() => "never");
  await clock.advance(5000);
  assert.equal(clock.timers, 0);
  line.stop();
});
