/** Every configuration here is resolved twice, by us and by the installed `ssh -G`, and all lines must agree. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { compare } from "./compare.js";
import { generateCases } from "./generated-cases.js";
import { HAND_CASES, type HandCase } from "./hand-cases.js";
import { NEWER_CASES } from "./newer-cases.js";
import { findOracle } from "./oracle.js";
import { propertyRuns } from "../../support/property-runs.js";

const oracle = await findOracle();
/** Set SSH_CONFIG_SEED and SSH_CONFIG_CASES for another, larger draw. */
const SEED = Number(process.env["SSH_CONFIG_SEED"] ?? 20240917);
const GENERATED = Number(process.env["SSH_CONFIG_CASES"] ?? propertyRuns(100));

/** What another ssh than 9.2 may refuse that we go on taking: DSA (gone in 10.1), old IPQoS values, times with blanks, GSSAPI. */
const isNewer = (oracle?.dialect ?? 902) > 902;
const CHANGED_VALUES = /dss|gssapi|ipqos|quiet|silent|"[^"\n]* [0-9][^"\n]*"|proxyjump/i;
const CHANGED: ReadonlySet<string> = new Set(
  isNewer
    ? [
        "time with blanks in quotes",
        "ProxyJump tab and words",
        "host key algorithms plus",
        "CA algorithms with a certificate",
        "IPQoS two",
        "GSSAPI",
      ]
    : [],
);

describe(
  "ssh_config against ssh -G",
  { skip: oracle === null ? "SKIPPED: no OpenSSH client here" : false },
  () => {
    let root = "";
    const counts = { files: 0, resolved: 0, refused: 0 };
    before(async () => {
      root = await mkdtemp(join(tmpdir(), "allsmi-ssh-config-"));
    });
    after(async () => {
      await rm(root, { recursive: true, force: true });
    });

    for (const [index, hand] of [...HAND_CASES, ...NEWER_CASES].entries()) {
      test(hand.name, async () => {
        const differences = await run(hand, join(root, `hand-${index}`));
        if (CHANGED.has(hand.name)) return;
        if (hand.staysApart === undefined) assert.deepEqual(differences, []);
        else assert.notDeepEqual(differences, []);
      });
    }

    test(`${GENERATED} generated configurations`, async () => {
      const disagreements: string[] = [];
      for (const [index, generated] of generateCases(GENERATED, SEED).entries()) {
        if (isNewer && CHANGED_VALUES.test(generated.config + Object.values(generated.files ?? {}).join()))
          continue;
        const directory = join(root, `generated-${index}`);
        const differences = await run(generated, directory);
        if (differences.length > 0)
          disagreements.push(`${generated.config}\n=> ${differences.join("\n   ")}`);
      }
      assert.deepEqual(disagreements, []);
    });

    test("at least 200 files agree", (context) => {
      context.diagnostic(
        `${oracle?.version ?? ""}: ${counts.files} configurations agree, asked ${counts.resolved + counts.refused} times: ` +
          `${counts.resolved} resolved to the same lines, ${counts.refused} refused by both`,
      );
      for (const { name, staysApart } of HAND_CASES) {
        if (staysApart !== undefined) context.diagnostic(`disagreement that stays: ${name}: ${staysApart}`);
      }
      assert.ok(counts.files >= 200);
    });

    async function run(hand: HandCase, directory: string): Promise<string[]> {
      if (oracle === null) return [];
      const differences: string[] = [];
      for (const target of hand.targets ?? [{ host: "foo" }]) {
        await rm(directory, { recursive: true, force: true });
        await write(join(directory, "home/.keep"), "");
        for (const [name, text] of Object.entries({ ...hand.files, config: hand.config })) {
          await write(join(directory, name), text.replaceAll("@/", `${directory}/`));
        }
        const env = { HOME: join(directory, "home"), SHELL: "/bin/sh", ...hand.env };
        const found = await compare(oracle, { config: join(directory, "config"), target, env });
        differences.push(...found.differences.map((difference) => `${target.host}: ${difference}`));
        if (found.differences.length === 0) counts[found.outcome]++;
      }
      if (differences.length === 0) counts.files++;
      return differences;
    }
  },
);

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
}
