import assert from "node:assert/strict";
import { test } from "node:test";
import { Faults } from "../../src/run/faults.js";

const frames = (...lines: readonly string[]): string => lines.map((line) => `\n    at ${line}`).join("");

test("a stack is printed once, whichever host and message it comes with, and another one again", () => {
  const printed: string[] = [];
  const faults = new Faults((text) => printed.push(text));
  assert.equal(faults.isAny, false);
  const inner = frames("parse (shim.js:1:2)", "read (reader.js:3:4)", "sample (session.js:5:6)");
  faults.reportStack("a", `TypeError: of a${inner}${frames("run (run.js:1:1)")}`);
  faults.reportStack("b", `TypeError: of b${inner}${frames("node:internal/timers:5:1", "other (x.js:1:1)")}`);
  faults.reportStack("b", `TypeError: of b${frames("parse (shim.js:9:9)")}`);
  assert.equal(faults.isAny, true);
  assert.deepEqual(printed, [
    `a: internal error, please report it: TypeError: of a${inner}${frames("run (run.js:1:1)")}`,
    `b: internal error, please report it: TypeError: of b${frames("parse (shim.js:9:9)")}`,
  ]);
});

test("control characters of a host reach no terminal, and a fault with a new stack each time fills no log", () => {
  const printed: string[] = [];
  const faults = new Faults((text) => printed.push(text));
  faults.report("a", new Error("\u001b[2J\nsecond line"));
  assert.doesNotMatch(printed[0] ?? "", /\u001b/);
  for (let each = 0; each < 1000; each++) faults.reportStack("a", `Error: ${each}`);
  assert.ok(printed.length <= 50);
});
