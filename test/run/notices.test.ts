import assert from "node:assert/strict";
import { test } from "node:test";
import { Notices } from "../../src/run/notices.js";

function notices(hold: boolean): { notices: Notices; printed: string[] } {
  const printed: string[] = [];
  return { printed, notices: new Notices((line) => printed.push(line), hold) };
}

test("without a picture every line is printed at once", () => {
  const { notices: words, printed } = notices(false);
  words.say("a");
  assert.deepEqual(printed, ["a"]);
  words.release();
  assert.deepEqual(printed, ["a"]);
});

test("beside a picture the newest line is shown in it, and all are printed after it", () => {
  const { notices: words, printed } = notices(true);
  const shown: string[] = [];
  words.say("before");
  words.say("the picture");
  words.showOn((line) => void shown.push(line));
  words.say("meanwhile");
  assert.deepEqual(shown, ["the picture", "meanwhile"]);
  assert.deepEqual(printed, []);
  words.release();
  assert.deepEqual(printed, ["before", "the picture", "meanwhile"]);
  words.say("after");
  assert.deepEqual(printed.slice(-1), ["after"]);
});

test("what is held is bounded", () => {
  const { notices: words, printed } = notices(true);
  for (let i = 0; i < 1000; i++) words.say(String(i));
  words.release();
  assert.equal(printed[0], "900 earlier lines are left out");
  assert.deepEqual(printed.slice(1, 3), ["900", "901"]);
  assert.equal(printed.at(-1), "999");
});
