/** A script with places for each host's own text: the same command as by the plain check, and the same refusals. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { scriptOf, ScriptWithPlaces, shellCommand } from "../../src/remote/shell-command.js";

const TEXT = 'n=@NONCE@; kt="@STATE@"; echo "@$n"; @REST@';
const PLACES = ["@STATE@", "@REST@", "@NONCE@"];

test("places are filled in whichever order they are named, and the script around them stays", () => {
  const script = new ScriptWithPlaces(TEXT, PLACES);
  for (const nonce of ["abc", "def"]) {
    const { text, command } = script.fill(["1/2", "kq=a,b", nonce]);
    assert.equal(text, `n=${nonce}; kt="1/2"; echo "@$n"; kq=a,b`);
    assert.equal(command, shellCommand(text));
    assert.equal(command, scriptOf(text).command);
  }
});

test("what is filled in is checked each time, also where it is unsafe only beside another text", () => {
  const script = new ScriptWithPlaces(TEXT, PLACES);
  assert.ok(script.fill(["-", ":", "abc"]).command.includes("n=abc"));
  for (const value of ["it's", "a\nb", "a\\\\b", "wow!"])
    assert.throws(() => script.fill([value, ":", "abc"]).command, /unsafe in quotes/, value);
  assert.equal(script.fill(["-", "echo hi! there", "abc"]).command.endsWith("echo hi! there'"), true);
});

test("an unsafe script is refused whatever is filled in", () => {
  const script = new ScriptWithPlaces("echo 'x'; n=@NONCE@", ["@NONCE@"]);
  assert.throws(() => script.fill(["abc"]).command, /unsafe in quotes/);
});

test("a place that is not in the script is a bug that shows at once", () => {
  assert.throws(() => new ScriptWithPlaces("echo", ["@NONCE@"]), /no @NONCE@/);
});
