import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { excludeTargets } from "../../src/targets/exclude.js";
import { targetsOf } from "../../src/targets/hostfile.js";
import { expandHostlist, HostBudget, LookupProblem, type Lookups } from "../../src/targets/hostlist.js";
import { expandRanges } from "../../src/targets/ranges.js";
import { isSelected, parseSelectors } from "../../src/targets/select.js";
import { assertTextLinear } from "../support/growth.js";

const GROUPS: Readonly<Record<string, string>> = {
  "local:gpu": "dgx-[01-03],@old!dgx-02",
  "local:old": "v100-1",
  "local:circle": "a,@circle",
  "racks:r1": "n[1-2]",
  "racks:r2": "n3 n4",
  "racks:*": "@r1,@r2",
  "local:empty": "",
  "local:wrong": "a[1-",
};
const LOOKUPS: Lookups = {
  group(name, fromSource) {
    const key = name.includes(":") ? name : `${fromSource ?? "local"}:${name}`;
    const hostlist = GROUPS[key];
    const source = key.split(":")[0] ?? "";
    return Promise.resolve(hostlist === undefined ? null : { hostlist, source });
  },
  aliases: (pattern) =>
    pattern === "bad*"
      ? Promise.reject(new LookupProblem("no config"))
      : Promise.resolve(["gpu-1", "gpu-2"].filter((name) => name.startsWith(pattern.replace("*", "")))),
};

async function expand(text: string): Promise<readonly string[]> {
  const { names, problems } = await expandHostlist(text, LOOKUPS, new HostBudget());
  assert.deepEqual(problems, []);
  return names;
}
async function problemOf(text: string): Promise<string> {
  const { problems } = await targetsOf(text, "--ssh", LOOKUPS, new HostBudget());
  assert.equal(problems.length, 1, problems.join("\n"));
  return problems[0] ?? "";
}

describe("a hostlist has", () => {
  const cases: [text: string, names: string][] = [
    ["dgx-[01-03,20]", "dgx-01 dgx-02 dgx-03 dgx-20"],
    ["admin@dgx-[9-11]:2222,b", "admin@dgx-9:2222 admin@dgx-10:2222 admin@dgx-11:2222 b"],
    ["rack[1-2]node[01-02].example.org", "rack1node01 rack1node02 rack2node01 rack2node02"],
    ["[fe80::1]:22", "[fe80::1]:22"],
    ["10.0.[0-1].[8-9]", "10.0.0.8 10.0.0.9 10.0.1.8 10.0.1.9"],
    ["ssh://u@h[1-2]:22/", "ssh://u@h1:22/ ssh://u@h2:22/"],
    ["a b,\n c", "a b c"],
    ["a[0-6/2]!a4", "a0 a2 a6"],
    ["a[1-4]&a[3-9]", "a3 a4"],
    ["a[1-2]^a[2-3]", "a1 a3"],
    ["a!a,a", "a"],
    ["@gpu", "dgx-01 dgx-03 v100-1"],
    ["admin@@racks:r1", "admin@n1 admin@n2"],
    ["@racks:r[1-2]", "n1 n2 n3 n4"],
    ["@racks:*", "n1 n2 n3 n4"],
    ["gpu-*", "gpu-1 gpu-2"],
    ["u@gpu-*:22", "u@gpu-1:22 u@gpu-2:22"],
  ];
  for (const [text, names] of cases) {
    test(JSON.stringify(text), async () => {
      const suffix = text.endsWith(".example.org") ? ".example.org" : "";
      assert.deepEqual(
        await expand(text),
        names.split(" ").map((name) => name + suffix),
      );
    });
  }
});

describe("a wrong hostlist is one clear problem", () => {
  const cases: [text: string, problem: RegExp][] = [
    ["a[1-", /has a \[ without its \]; write it as \[01-16,20\]/],
    ["a[x]", /"\[x\]", which is neither a range nor an IPv6 address/],
    ["a[]", /"\[\]", which is neither/],
    ["a[1,,2]", /neither a range/],
    ["a[08-100]", /ends have different numbers of digits/],
    ["a[5-1]", /ends before it begins/],
    ["a[1-5/0]", /step of 0/],
    ["a[1-100001]", /more than 100000 hosts/],
    ["a[1-400]b[1-400]", /more than 100000 hosts/],
    ["a[1-9999999999999999]", /number that is too long/],
    ["a[1-60000],b[1-60000]", /more than 100000 hosts/],
    ["a,,b", /empty target/],
    ["@nosuch", /there is no group @nosuch, or no host in it; nodeset -l/],
    ["@circle", /the group @circle: the group @circle contains itself/],
    ["@empty", /there is no group @empty, or no host in it/],
    ["@wrong", /the group @wrong: .* without its \]/],
    ["zpu-*", /matches no Host entry of ssh_config/],
    ["bad*", /^no config$/],
  ];
  for (const [text, problem] of cases) {
    test(text, async () => assert.match(await problemOf(text), problem));
  }
  test("a range that is wrong in every host does not print them all", async () => {
    const { problems } = await targetsOf("a[1-5000]/x", "--ssh", LOOKUPS, new HostBudget());
    assert.equal(problems.length, 20);
  });
});

test("^ leaves hosts out, by name, user, port or pattern, and reports one that leaves nothing out", async () => {
  const text = "dgx-[01-06],u@dgx-07:22,gpu-1,^dgx-0[1-2],^DGX-07,^*-05,^gpu-1:2222,^w@dgx-06";
  const { targets, excluded, problems } = await targetsOf(text, "--ssh", LOOKUPS, new HostBudget());
  assert.deepEqual(problems, []);
  const kept = excludeTargets(
    targets,
    excluded.map((name) => ({ text: name, origin: "--ssh" })),
  );
  assert.deepEqual(
    kept.targets.map(({ host }) => host),
    ["dgx-03", "dgx-04", "dgx-06", "gpu-1"],
  );
  assert.deepEqual(kept.warnings, [
    "--ssh: ^gpu-1:2222 leaves no host out",
    "--ssh: ^w@dgx-06 leaves no host out",
  ]);
});

test("selectors are all met, with patterns, and != is met without the label", () => {
  const rack = { host: "a", labels: { rack: "r12", role: "gpu,big" }, origin: "" };
  const isMet = (text: string): boolean => {
    const selectors = parseSelectors(text);
    assert.ok(typeof selectors !== "string", text);
    return isSelected(rack, selectors);
  };
  for (const text of ["rack=r12", "rack=r1*", "rack=r1?,role=gpu*", "row!=3", "rack!=r2", "role=gpu,big"])
    assert.ok(isMet(text), text);
  for (const text of ["rack=r1", "rack!=r1*", "rack=r12,role=cpu", "row=*", "constructor=*"])
    assert.ok(!isMet(text), text);
  assert.equal(parseSelectors("rack"), '"rack" is not a selector; write key=value or key!=value');
});

test("a hostlist is read in linear time", () => {
  assertTextLinear(["dgx-[01-02,7],u@gpu[1-2]!a&b ^c   "], (text) => expandRanges(text.slice(0, 400_000)));
});

/** Patterns as people write them; a name never has two neighbouring digits groups that nodeset folds otherwise. */
const span = fc
  .tuple(fc.nat(130), fc.nat(15), fc.constantFrom(1, 1, 1, 2, 7), fc.boolean())
  .map(([first, more, step, isPadded]) => {
    const width = isPadded ? String(first + more).length + 1 : 0;
    const [begin, end] = [first, first + more].map((number) => String(number).padStart(width, "0"));
    return more === 0 ? `${begin}` : `${begin}-${end}${step === 1 ? "" : `/${step}`}`;
  })
  .filter((text) => !/^\d-\d\d|^\d\d-\d{3}/.test(text) || !text.startsWith("0"));
const range = fc.array(span, { minLength: 1, maxLength: 3 }).map((spans) => `[${spans.join(",")}]`);
const stem = fc.constantFrom("dgx-", "gpu", "a", "node-x", "r");
const nodeName = fc
  .tuple(
    stem,
    fc.option(range),
    fc.option(fc.tuple(fc.constantFrom("n", "-"), range)),
    fc.constantFrom("", "-ib", ".lan"),
  )
  .map(([first, one, two, end]) => `${first}${one ?? ""}${two === null ? "" : two.join("")}${end}`);
const expression = fc
  .tuple(
    nodeName,
    fc.array(fc.tuple(fc.constantFrom(",", ",", ",", "!", "&", "^"), nodeName), { maxLength: 4 }),
  )
  .map(([first, rest]) => first + rest.map((each) => each.join("")).join(""));

test(
  "500 patterns expand as nodeset -e expands them",
  {
    skip:
      spawnSync("nodeset", ["--version"]).error !== undefined && "SKIPPED LOUDLY: nodeset is not installed",
  },
  async () => {
    const patterns = fc.sample(expression, { numRuns: 500, seed: 17 });
    // One process for all: this is what nodeset -e does with its argument.
    const script = `
import sys
from ClusterShell.NodeSet import NodeSet
for line in sys.stdin.read().split("\\n"):
    print(" ".join(NodeSet(line)))
`;
    const program = spawnSync("/bin/sh", ["-c", "command -v nodeset"], { encoding: "utf8" }).stdout.trim();
    const [, interpreter = "python3"] = /^#!\s*(\S+)/.exec(readFileSync(program, "utf8")) ?? [];
    const python = spawnSync(interpreter, ["-c", script], {
      input: patterns.join("\n"),
      encoding: "utf8",
      maxBuffer: 256 * 1024 * 1024,
    });
    assert.equal(python.status, 0, python.stderr);
    const answers = python.stdout.replace(/\n$/, "").split("\n");
    assert.equal(answers.length, patterns.length);
    let hosts = 0;
    for (const [index, pattern] of patterns.entries()) {
      const expected = (answers[index] ?? "").split(" ").filter((name) => name !== "");
      assert.deepEqual([...(await expand(pattern))].sort(), expected.sort(), pattern);
      hosts += expected.length;
    }
    assert.ok(hosts > 5000, `only ${hosts} hosts were compared`);
  },
);
