/** On a runtime that cannot run the program, a file that it can parse prints one line about it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { transform } from "esbuild";
import { PROGRAM } from "../support/cli.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("runtime");
after(() => temp.remove());

const versions = (more: string): string =>
  `Object.defineProperty(process, "versions", { value: { ...process.versions, ${more} } });`;
const POSES: readonly (readonly [name: string, script: string, expectedMessage: string])[] = [
  ["Bun", versions('bun: "1.2.9"'), "Bun 1.2.9"],
  ["Deno", `${versions('deno: "2.2.1"')} globalThis.Deno = {};`, "Deno 2.2.1"],
  ["an old Node.js", versions('node: "16.20.2"'), "Node.js 16.20.2"],
];

for (const [name, script, version] of POSES) {
  for (const args of [["--version"], ["--help"], ["--ssh", "127.0.0.1", "--once"], ["--bogus"]]) {
    test(`${name}: ${args.join(" ")}`, () => {
      const pose = join(temp.path, `${name}.cjs`);
      writeFileSync(pose, script);
      const run = spawnSync(process.execPath, ["--require", pose, PROGRAM, ...args], { encoding: "utf8" });
      assert.deepEqual(
        [run.status, run.stdout, run.stderr],
        [2, "", `allsmi-ssh needs Node.js 20.19 or newer; this is ${version}\n`],
      );
    });
  }
}

test("what is started has no syntax and no module name that an old Node.js does not know", async () => {
  const text = readFileSync(PROGRAM, "utf8");
  const as = async (target: string): Promise<string> =>
    (await transform(text, { target, minify: true, supported: { "dynamic-import": true } })).code;
  // esbuild rewrites what is newer than the target.
  assert.equal(await as("es2017"), await as("esnext"));
  assert.doesNotMatch(text, /require\("node:/);
});
