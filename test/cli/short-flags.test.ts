/** Letters of flags: alone, joined, with their values in every spelling, and what must not be read as letters. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readFlags } from "../../src/cli/argv.js";
import { FLAGS } from "../../src/cli/flags.js";
import { letterOf, nameOfLetter } from "../../src/cli/short-flags.js";
import { propertyRuns } from "../support/property-runs.js";

async function read(...args: readonly string[]): Promise<Readonly<Record<string, readonly string[]>>> {
  const { texts, operands, problems } = await readFlags(args);
  assert.deepEqual(problems, []);
  return { ...Object.fromEntries(texts), ...(operands.length > 0 ? { hosts: operands } : {}) };
}
async function problemsOf(...args: readonly string[]): Promise<readonly string[]> {
  return (await readFlags(args)).problems;
}
const withLetter = FLAGS.filter(({ name }) => letterOf(name) !== undefined);

test("every letter is of one flag that exists", () => {
  const letters = withLetter.map(({ name }) => letterOf(name) ?? "");
  assert.equal(new Set(letters).size, letters.length);
  for (const { name } of withLetter) assert.equal(nameOfLetter(letterOf(name) ?? ""), name);
  const known = new Set(FLAGS.map(({ name }) => name));
  for (const letter of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") {
    const name = nameOfLetter(letter);
    assert.ok(name === undefined || known.has(name), letter);
  }
});

describe("a letter means the flag", () => {
  for (const { name, takes } of withLetter) {
    const letter = letterOf(name) ?? "";
    test(`-${letter} is --${name}`, async () => {
      const args = takes.kind === "value" ? ["text"] : [];
      assert.deepEqual(await read(`-${letter}`, ...args), await read(`--${name}`, ...args));
    });
  }
});

describe("a value", () => {
  for (const args of [["-n", "5"], ["-n5"], ["-n=5"], ["-qn5"], ["-qn", "5"], ["-qn=5"]]) {
    test(args.join(" "), async () => {
      const { interval, quiet } = await read(...args);
      assert.deepEqual([interval, quiet !== undefined], [["5"], args[0]?.startsWith("-q")]);
    });
  }
  test("is no number, whatever it looks like", async () => {
    for (const text of ["007", "1e3", "0x10", "true", "1.10", "12345678901234567890"])
      assert.deepEqual(await read(`-o${text}`, "-w", text), { output: [text], ssh: [text] });
  });
  test("ends the letters: what follows is a part of it", async () => {
    assert.deepEqual(await read("-1fcsv"), { once: [""], format: ["csv"] });
    assert.deepEqual(await read("-oqv"), { output: ["qv"] });
    assert.deepEqual(await read("-wa,b", "c"), { ssh: ["a,b"], hosts: ["c"] });
  });
  test("may begin with a dash, as that of a name, but not with two", async () => {
    assert.deepEqual(await read("-n", "-5"), { interval: ["-5"] });
    assert.deepEqual(await read("-H-"), { "ssh-hostfile": ["-"] });
    assert.deepEqual(await problemsOf("-o", "--once"), ["--output: needs a value; write --output FILE"]);
  });
  test("comes back as it was typed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), async (text) => {
        fc.pre(!text.startsWith("=") && !FLAGS.some(({ name }) => name === `i${text}`));
        assert.deepEqual(await read(`-i${text}`), { "ssh-key": [text] });
        assert.deepEqual(await read(`-i=${text}`), { "ssh-key": [text] });
      }),
      { numRuns: propertyRuns(100) },
    );
  });
});

test("switches go together, and count", async () => {
  assert.deepEqual(await read("-1vv"), { once: [""], verbose: ["", ""] });
  assert.deepEqual(await read("-1", "-v", "--verbose"), { once: [""], verbose: ["", ""] });
});

describe("wrong usage", () => {
  const cases: [args: readonly string[], problems: readonly string[]][] = [
    [["-once"], ["unknown flag -once; did you mean --once?"]],
    [["-format", "csv"], ["unknown flag -format; did you mean --format?"]],
    [["-interval=5"], ["unknown flag -interval; did you mean --interval?"]],
    [["-sshHostfile", "f"], ["unknown flag -sshHostfile; did you mean --ssh-hostfile?"]],
    [["-x", "a"], ["unknown flag -x"]],
    [["-qx"], ["unknown flag -x"]],
    [["-15"], ["unknown flag -5"]],
    [["-q=1"], ["--quiet: takes no value"]],
    [["-n"], ["--interval: needs a value; write --interval SECS"]],
    [["-qn"], ["--interval: needs a value; write --interval SECS"]],
  ];
  for (const [args, problems] of cases)
    test(args.join(" "), async () => assert.deepEqual(await problemsOf(...args), problems));
  test("-o with an option of ssh writes no file of that name", async () => {
    for (const args of [["-o", "StrictHostKeyChecking=no"], ["-oUserKnownHostsFile /dev/null"]])
      assert.match((await problemsOf(...args))[0] ?? "", /^-o is --output FILE, and takes no option of ssh;/);
    assert.deepEqual(await read("--output=Date=x"), { output: ["Date=x"] });
  });
});
