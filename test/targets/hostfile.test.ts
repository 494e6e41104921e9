import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseHostfile, uniqueTargets } from "../../src/targets/hostfile.js";

const hosts = (text: string): readonly string[] =>
  parseHostfile(text, "h.txt").targets.map((target) => target.host);

describe("a hostfile", () => {
  test("may hold comments, blank lines, CRLF and a byte order mark", () => {
    const text = "\ufeff# fleet\r\n\r\n  dgx-01  \r\n\tdgx-02\t# spare\r\n#dgx-03\r\ndgx-04#5\r\n";
    assert.deepEqual(hosts(text), ["dgx-01", "dgx-02", "dgx-04#5"]);
    assert.deepEqual(parseHostfile(text, "h.txt").problems, []);
  });
  test("gives each target its line as origin", () => {
    const { targets } = parseHostfile("a\n\n# x\nb\n", "h.txt");
    assert.deepEqual(
      targets.map((target) => target.origin),
      ["h.txt:1", "h.txt:4"],
    );
  });
  test("needs no line end at its end", () => {
    assert.deepEqual(hosts("a\nb"), ["a", "b"]);
  });
  test("carries labels, quoted where they hold blanks or #", () => {
    const { targets, problems } = parseHostfile(
      `dgx-01 rack=r1 owner="Ada L." note='#1 = best' empty= k.e-y=a=b # end`,
      "h.txt",
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
  test("takes __proto__ for a plain label name", () => {
    const [target] = parseHostfile("a __proto__=x", "h.txt").targets;
    assert.equal(JSON.stringify(target?.labels), '{"__proto__":"x"}');
  });
  test("reports every bad line at once", () => {
    const text = ["good", "bad:0", "a b c", 'c k="open', "d k=1 k=2", "::1", "e\u0007", "f k=\u001b[m"].join(
      "\n",
    );
    const { targets, problems } = parseHostfile(text, "h.txt");
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
  test("reports a bad target and a bad label of the same line", () => {
    assert.equal(parseHostfile("bad:0 nolabel", "h.txt").problems.length, 2);
  });
  test("without a target is a problem", () => {
    assert.match(parseHostfile("# nothing\n", "h.txt").problems[0] ?? "", /^h\.txt: holds no target; write/);
  });
  test("may name 100,000 hosts", () => {
    const text = Array.from({ length: 100_000 }, (_, i) => `user@host-${i}:22 rack=${i % 40}`).join("\n");
    const { targets, problems } = parseHostfile(text, "h.txt");
    assert.equal(problems.length, 0);
    assert.equal(uniqueTargets(targets).targets.length, 100_000);
  });
  test("is shown by the example", () => {
    const text = readFileSync(new URL("../../examples/hosts-ssh.txt", import.meta.url), "utf8");
    const { targets, problems } = parseHostfile(text, "hosts-ssh.txt");
    assert.deepEqual(problems, []);
    assert.ok(targets.length >= 4);
    assert.ok(targets.some((target) => target.host.includes(":")));
    assert.ok(targets.some((target) => Object.keys(target.labels).length > 0));
  });
});

test("duplicates after user, host and port are watched once, with a warning", () => {
  const { targets } = parseHostfile("a\nA\nu@a\na:22\nu@a\n[::1]\n[::1]", "h.txt");
  const unique = uniqueTargets(targets);
  assert.equal(unique.targets.length, 4);
  assert.deepEqual(unique.warnings, [
    "h.txt:2: a is already given at h.txt:1; it is watched once",
    "h.txt:5: u@a is already given at h.txt:3; it is watched once",
    "h.txt:7: [::1] is already given at h.txt:6; it is watched once",
  ]);
});

test("any text gives targets or problems for each of its lines, never both skipped", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary" }).map((line) => line.replace(/[\r\n]/g, ""))),
      (lines) => {
        const { targets, problems } = parseHostfile(lines.join("\n"), "h.txt");
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

test("an expectation in a label is checked, with its line", () => {
  assert.deepEqual(parseHostfile("a expect.gpus=8 expect.driver=>=580.65", "h.txt").problems, []);
  for (const [label, problem] of [
    ["expect.gpus=many", /^h\.txt:1: the label expect\.gpus: "gpus=many" takes a number of GPUs/],
    [
      "expect.gpu_count=8",
      /^h\.txt:1: the label expect\.gpu_count: .* is not one of gpus, gpu, driver, vbios/,
    ],
  ] as const) {
    const [first = "", ...others] = parseHostfile(`a ${label}`, "h.txt").problems;
    assert.match(first, problem);
    assert.deepEqual(others, []);
  }
});
