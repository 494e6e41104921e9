/** Which lines are for a host: the golden files, and ssh-keygen -F as the oracle for the same look-ups. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { KnownIndex } from "../../../src/ssh/known-hosts/fast/known-index.js";
import { KnownList, type KnownLines } from "../../../src/ssh/known-hosts/lookup.js";
import { parseKnownHosts } from "../../../src/ssh/known-hosts/parse.js";

/** By name: `line marker` of each line found. */
type Answers = Record<string, string[]>;

const ROOT = fileURLToPath(new URL("../../../golden/known-hosts/", import.meta.url));
const CASES = readdirSync(ROOT).sort();
const keygen = spawnSync("ssh-keygen", ["-?"]).error === undefined;

for (const name of CASES) {
  test(`golden: ${name}`, () => {
    const dir = join(ROOT, name);
    assert.ok(existsSync(join(dir, "source.md")), "every case has its source");
    const answers = ours(dir, new KnownIndex());
    assert.deepEqual(ours(dir, new KnownList()), answers);
    const file = join(dir, "expected.json");
    if (process.env["UPDATE_GOLDEN"] !== undefined) {
      writeFileSync(file, `${JSON.stringify(keygen ? theirs(dir) : answers, null, 2)}\n`);
    }
    const expected: unknown = JSON.parse(readFileSync(file, "utf8"));
    assert.deepEqual(answers, expected);
  });
}

test("ssh-keygen -F finds the same lines", { skip: keygen ? false : "ssh-keygen is not installed" }, (t) => {
  let agreed = 0;
  const disagreements: string[] = [];
  for (const name of CASES) {
    const mine = ours(join(ROOT, name), new KnownIndex());
    for (const [host, lines] of Object.entries(theirs(join(ROOT, name)))) {
      if (JSON.stringify(mine[host]) === JSON.stringify(lines)) agreed++;
      else
        disagreements.push(
          `${name}: ${host.slice(0, 40)}: we ${String(mine[host])}, ssh-keygen ${String(lines)}`,
        );
    }
  }
  t.diagnostic(
    `known_hosts lookups: ${agreed} agree with ssh-keygen -l -F, ${disagreements.length} disagree`,
  );
  assert.deepEqual(disagreements, []);
  assert.ok(agreed >= 150, `${agreed} cases`);
});

function ours(dir: string, known: KnownLines): Answers {
  known.add(parseKnownHosts(readFileSync(join(dir, "known_hosts"), "latin1"), "known_hosts"));
  return answersFor(dir, (name) => known.lookup(name).map(({ at, marker }) => `${at.line} ${marker}`));
}

function theirs(dir: string): Answers {
  return answersFor(dir, (name) => {
    const args = ["-l", "-F", name, "-f", join(dir, "known_hosts")];
    const { stdout } = spawnSync("ssh-keygen", args, { encoding: "latin1" });
    return [...stdout.matchAll(/^# Host .* found: line (\d+) ?(CA|REVOKED)?$/gm)].map(
      ([, line = "", marker]) => `${line} ${markerOf(marker)}`,
    );
  });
}

function markerOf(label: string | undefined): string {
  return label === "CA" ? "cert-authority" : label === "REVOKED" ? "revoked" : "none";
}

function answersFor(dir: string, find: (name: string) => string[]): Answers {
  const names: unknown = JSON.parse(readFileSync(join(dir, "names.json"), "utf8"));
  assert.ok(Array.isArray(names));
  return Object.fromEntries(names.map(String).map((name) => [name, find(name)]));
}
