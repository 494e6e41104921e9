import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KeyDecoder, type Pressed } from "../../src/keyboard/keys.js";

const named = (pressed: readonly Pressed[]): readonly string[] =>
  pressed.map((each) => (each.kind === "key" ? each.key : each.signal));

describe("what a terminal sends", () => {
  const cases: readonly [text: string, keys: readonly string[]][] = [
    ["\u001b[A\u001b[B", ["up", "down"]],
    ["\u001bOA\u001bOB", ["up", "down"]],
    ["\u001b[5~\u001b[6~", ["page-up", "page-down"]],
    ["\u001b[H\u001b[F\u001b[1~\u001b[4~\u001bOH\u001bOF", ["home", "end", "home", "end", "home", "end"]],
    ["q", ["quit"]],
    ["\u0003\u001a\u001c", ["SIGINT", "SIGTSTP", "SIGQUIT"]],
    ["abc \r\n\t0", []],
    ["\u001bq", []],
    ["\u001b[1;5A\u001b[3~\u001b[200~", []],
    ["\u001b[Aq", ["up", "quit"]],
    [`\u001b[${"1".repeat(100)}q`, []],
    ["\u00e9\u00ff", []],
  ];
  for (const [text, keys] of cases) {
    test(`${JSON.stringify(text).slice(0, 40)} is ${keys.join(", ") || "nothing"}`, () => {
      const decoder = new KeyDecoder();
      assert.deepEqual([...named(decoder.take(text)), ...named(decoder.flush())].slice(0, 9), keys);
    });
  }
  test("in parts is the same", () => {
    const decoder = new KeyDecoder();
    assert.deepEqual(decoder.take("\u001b"), []);
    assert.ok(decoder.isWaiting);
    assert.deepEqual(decoder.take("["), []);
    assert.deepEqual(named(decoder.take("5~")), ["page-up"]);
    assert.ok(!decoder.isWaiting);
  });
  test("ESC alone ends the run once nothing follows", () => {
    const decoder = new KeyDecoder();
    decoder.take("\u001b");
    assert.deepEqual(named(decoder.flush()), ["quit"]);
    decoder.take("\u001b[");
    assert.deepEqual(decoder.flush(), []);
  });
});
