import assert from "node:assert/strict";
import { test } from "node:test";
import { splitRecording } from "../../bench/fleet/recorded-shell.js";

const NONCE = "0123456789ab";
const BLANK = "\u0001".repeat(12);

function frame(tick: number, text: string): string {
  return `\n@${NONCE} p gpu\n${text}\n@${NONCE} x gpu 0\n\n@${NONCE} z ${tick}\n`;
}

test("a recording is split into a bootstrap and ticks, without its nonce and numbers; a frame cut short is left out", () => {
  const begun = `printed by an rc file\n@${NONCE} v gnu Linux\n`;
  const { bootstrap, ticks } = splitRecording(
    Buffer.from(
      `${begun}${frame(0, "0 ü")}${frame(1, "1")}${frame(2, "a z 7")}${frame(3, "3").slice(0, -4)}`,
    ),
  );
  const blank = (text: string): string => text.replaceAll(NONCE, BLANK).replace(/\d+\n$/, "");
  assert.equal(bootstrap.toString(), blank(begun + frame(0, "0 ü")));
  assert.deepEqual(
    ticks.map((tick) => tick.toString()),
    [blank(frame(1, "1")), blank(frame(2, "a z 7"))],
  );
});

test("what is no recording is refused", () => {
  assert.throws(() => splitRecording(Buffer.from("sh: not found\n")), /without a bootstrap/);
  assert.throws(
    () => splitRecording(Buffer.from(`\n@${NONCE} v gnu Linux\n${frame(0, "")}`)),
    /without ticks/,
  );
});
