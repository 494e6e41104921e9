import assert from "node:assert/strict";
import { test } from "node:test";
import { Notices } from "../../src/run/notices.js";

function held(hold: boolean): { notices: Notices; printed: string[] } {
  const printed: string[] = [];
  return { printed, notices: new Notices((line) => printed.push(line), hold) };
}

test("without a redrawn table every line is printed at once", () => {
  const { notices, printed } = held(false);
  notices.log("a");
  assert.deepEqual(printed, ["a"]);
  notices.release();
  assert.deepEqual(printed, ["a"]);
});

test("beside a redrawn table the newest line is shown in it, and all are printed after it", () => {
  const { notices, printed } = held(true);
  const shown: string[] = [];
  notices.log("before");
  notices.log("the table");
  notices.showOn((line) => void shown.push(line));
  notices.log("meanwhile");
  assert.deepEqual(shown, ["the table", "meanwhile"]);
  assert.deepEqual(printed, []);
  notices.release();
  assert.deepEqual(printed, ["before", "the table", "meanwhile"]);
  notices.log("after");
  assert.deepEqual(printed.slice(-1), ["after"]);
});

test("the held lines are bounded", () => {
  const { notices, printed } = held(true);
  for (let i = 0; i < 1000; i++) notices.log(String(i));
  notices.release();
  assert.equal(printed[0], "900 earlier lines are left out");
  assert.deepEqual(printed.slice(1, 3), ["900", "901"]);
  assert.equal(printed.at(-1), "999");
});
