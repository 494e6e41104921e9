/** What the single-file executable is made of, and where it finds its other programs: in itself. */
import assert from "node:assert/strict";
import { builtinModules } from "node:module";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundle } from "../../build/executable-bundle.js";
import { EXECUTABLE_ENTRY, isResolverProcess, programsBeside, THREAD_ASSET } from "../../src/run/programs.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

for (const [entry, inputs] of [
  ["src/executable.ts", ["src/start.ts", "src/main.ts", "src/ssh/names/resolver.ts"]],
  ["src/sources/threads/thread.ts", ["src/fleet/open-fleet.ts"]],
] as const)
  test(`${entry} in one text needs nothing but Node.js itself`, async () => {
    const { text, metafile } = await bundle(ROOT, entry);
    const [output] = Object.values(metafile.outputs);
    assert.ok(output !== undefined);
    for (const input of inputs) assert.ok(Object.hasOwn(metafile.inputs, input), input);
    const foreign = output.imports
      .map(({ path }) => path.replace(/^node:/, ""))
      .filter((path) => path !== "sea" && !builtinModules.includes(path));
    assert.deepEqual(foreign, []);
    assert.doesNotMatch(text, /import\.meta/);
    // Node.js reports each of these on standard error.
    assert.doesNotMatch(text, /\brequire\("[^"]*(\.node|cpu-features)"\)/);
    assert.ok(text.includes("is not in the executable"));
  });

test("its thread is an asset, and its resolver is itself", () => {
  const { thread, resolver } = programsBeside(EXECUTABLE_ENTRY);
  assert.equal(thread.protocol, "data:");
  assert.ok(decodeURIComponent(thread.href).includes(`getAsset("${THREAD_ASSET}", "utf8")`));
  assert.equal(resolver.href, pathToFileURL(process.execPath).href);
});

test("is the resolver only as a child of itself", () => {
  const execPath = "/opt/allsmi-ssh";
  const is = (argument: string, connected: boolean): boolean =>
    isResolverProcess({ argv: [execPath, execPath, argument], execPath, connected });
  assert.deepEqual(
    [is(execPath, true), is(execPath, false), is("dgx-01", true), is("--once", true)],
    [true, false, false, false],
  );
});
