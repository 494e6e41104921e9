import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseHostfile, uniqueTargets, type ParsedHostfile } from "../../src/targets/hostfile.js";
import { NO_LOOKUPS } from "../support/no-lookups.js";

const parse = (text: string, file = "h.txt"): Promise<ParsedHostfile> =>
  parseHostfile(text, file, NO_LOOKUPS);
const hosts = async (text: string): Promise<readonly string[]> =>
  (await parse(text)).targets.map((target) => target.host);

describe("a hostfile", () => {
  test("may hold comments, blank lines, CRLF and a byte order mark", async () => {
    const text = "\ufeff# fleet\r\n\r\n  dgx-01  \r\n\tdgx-02\t# spare\r\n#dgx-03\r\ndgx-04#5\r\n";
    assert.deepEqual(await hosts(text), ["dgx-01", "dgx-02", "dgx-04#5"]);
    assert.deepEqual((await parse(text)).problems, []);
  });
  test("gives each target its line as origin", async () => {
    const { targets } = await parse("a\n\n# x\nb\n");
    assert.deepEqual(
      targets.map((target) => target.origin),
      ["h.txt:1", "h.txt:4"],
    );
  });
  test("needs no line end at its end", async () => {
    assert.deepEqual(await hosts("a\nb"), ["a", "b"]);
  });
  test("carries labels, quoted where they hold blanks or #", async () => {
    const { targets, problems } = await parse(
      `dgx-01 rack=r1 owner="Ada L." note='#1 = best' empty= k.e-y=a=b # end`,
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(targets[0]?.labels, {
      rack: "r1",
      owner: "Ada L.",
      note: "#1 = best",
      empty: "",
      "k.e-y": "a=b",
    });
  });
  test("takes __proto__ for a plain label name", async () => {
    const [target] = (await parse("a __proto__=x")).targets;
    assert.equal(JSON.stringify(target?.labels), '{"__proto__":"x"}');
  });
  test("reports every bad line at once", async () => {
    const text = ["good", "bad:0", "a b c", 'c k="open', "d k=1 k=2", "::1", "e\u0007", "f k=\u001b[m"].join(
      "\n",
    );
    const { targets, problems } = await parse(text);
    assert.deepEqual(
      targets.map((target) => target.host),
      ["good"],
    );
    assert.deepEqual(
      problems.map((problem) => problem.split(": ")[0]),
      ["h.txt:2", "h.txt:3", "h.txt:4", "h.txt:5", "h.txt:6", "h.txt:7", "h.txt:8"],
    );
    for (const problem of problems) assert.match(problem, /^h\.txt:\d+: .+; .+$/);
  });
  test("reports a bad target and a bad label of the same line", async () => {
    assert.equal((await parse("bad:0 nolabel")).problems.length, 2);
  });
  test("without a target is a problem", async () => {
    assert.match((await parse("# nothing\n")).problems[0] ?? "", /^h\.txt: holds no target; write/);
  });
  test("may name 100,000 hosts", async () => {
    const text = Array.from({ length: 100_000 }, (_, i) => `user@host-${i}:22 rack=${i % 40}`).join("\n");
    const { targets, problems } = await parse(text);
    assert.equal(problems.length, 0);
    assert.equal(uniqueTargets(targets).targets.length, 100_000);
  });
  test("is shown by the example", async () => {
    const text = readFileSync(new URL("../../examples/hosts-ssh.txt", import.meta.url), "utf8");
    const { targets, problems } = await parse(text, "hosts-ssh.txt");
    assert.deepEqual(problems, []);
    assert.ok(targets.length >= 4);
    assert.ok(targets.some((target) => target.host.includes(":")));
    assert.ok(targets.some((target) => Object.keys(target.labels).length > 0));
  });
});

test("duplicates after user, host and port are watched once, with a warning", async () => {
  const { targets } = await parse("a\nA\nu@a\na:22\nu@a\n[::1]\n[::1]");
  const unique = uniqueTargets(targets);
  assert.equal(unique.targets.length, 4);
  assert.deepEqual(unique.warnings, [
    "h.txt:2: a is already given at h.txt:1; it is watched once",
    "h.txt:5: u@a is already given at h.txt:3; it is watched once",
    "h.txt:7: [::1] is already given at h.txt:6; it is watched once",
  ]);
});

test("any text gives targets or problems for each of its lines, never both skipped", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "binary" }).map((line) => line.replace(/[\r\n]/g, ""))),
      async (lines) => {
        const { targets, problems } = await parse(lines.join("\n"));
        for (const [index, line] of lines.entries()) {
          const bare = (index === 0 ? line.replace(/^\ufeff/, "") : line).replace(/^[ \t]+/, "");
          if (bare === "" || bare.startsWith("#")) continue;
          const place = `h.txt:${index + 1}`;
          assert.ok(
            targets.some((target) => target.origin === place) ||
              problems.some((problem) => problem.startsWith(`${place}: `)),
            `line ${index + 1} is neither`,
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("an expectation in a label is checked, with its line", async () => {
  assert.deepEqual((await parse("a expect.gpus=8 expect.driver=>=580.65")).problems, []);
  for (const [label, problem] of [
    ["expect.gpus=many", /^h\.txt:1: the label expect\.gpus: "gpus=many" takes a number of GPUs/],
    [
      "expect.gpu_count=8",
      /^h\.txt:1: the label expect\.gpu_count: .* is not one of gpus, gpu, driver, vbios/,
    ],
  ] as const) {
    const [first = "", ...others] = (await parse(`a ${label}`)).problems;
    assert.match(first, problem);
    assert.deepEqual(others, []);
  }
});
