/**
 * The steps of the Dockerfile without a container: its sources alone build the program, and it runs with what is left after
 * the development packages are gone. What the base image and apk bring is not tried.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { recordsOf, runCli } from "../support/cli.js";
import { copiedSources } from "../support/dockerfile.js";
import { makeTempDir } from "../support/temp-dir.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const temp = makeTempDir("container");
after(() => temp.remove());

test("what the Dockerfile copies is enough to build and to run", async () => {
  const [stage, image] = [join(temp.path, "stage"), join(temp.path, "image")];
  const sources = new Set(copiedSources(readFileSync(join(ROOT, "Dockerfile"), "utf8")));
  assert.ok(sources.has("src"));
  for (const source of sources) cpSync(join(ROOT, source), join(stage, source), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(stage, "node_modules"));
  execFileSync("npm", ["run", "build"], { cwd: stage, stdio: "pipe" });

  mkdirSync(image);
  for (const name of ["LICENSE", "package.json", "dist"])
    cpSync(join(stage, name), join(image, name), { recursive: true });
  const listed = execFileSync("npm", ["ls", "--omit=dev", "--all", "--parseable"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const packages = listed.split("\n").filter((path) => path.includes("/node_modules/"));
  assert.ok(packages.length > 5 && packages.length < 60, listed);
  for (const path of packages) {
    const to = join(image, relative(ROOT, path));
    mkdirSync(dirname(to), { recursive: true });
    cpSync(path, to, { recursive: true });
  }
  const run = await runCli(["--demo", "--once", "--format", "ndjson"], {
    executable: join(image, "dist/start.cjs"),
    cwd: image,
    env: { HOME: temp.path },
  });
  assert.equal(run.code, 0, run.stderr);
  assert.ok(recordsOf(run.stdout).some(({ record }) => record === "frame"));
});
