/** The files in examples/ work as their first lines promise. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseHostfile } from "../../src/targets/hostfile.js";
import { PROGRAM } from "../support/cli.js";
import { NO_LOOKUPS } from "../support/no-lookups.js";
import { makeTempDir } from "../support/temp-dir.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const hasJq = spawnSync("jq", ["--version"]).status === 0;
const skip = hasJq ? false : "SKIPPED LOUDLY: jq is not installed";

test("the example hostfile has no bad line", async () => {
  const text = readFileSync(join(ROOT, "examples/hosts-ssh.txt"), "utf8");
  const parsed = await parseHostfile(text, "hosts-ssh.txt", NO_LOOKUPS);
  assert.deepEqual(parsed.problems, []);
  assert.ok(parsed.targets.length >= 4);
});

test("gpu-health.sh on the demo fleet", { skip }, () => {
  const temp = makeTempDir("examples");
  try {
    const program = join(temp.path, "allsmi-ssh");
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
    chmodSync(program, 0o755);
    const env = { PATH: `${temp.path}:${process.env["PATH"] ?? ""}` };
    const health = spawnSync(join(ROOT, "examples/gpu-health.sh"), ["--demo"], { env, encoding: "utf8" });
    assert.equal(health.status, 1, health.stderr);
    assert.match(health.stdout, /^ws-01 GPU 1: .*lost/m);
    assert.match(health.stdout, /^new-01: no-tool: the host has an accelerator \(nvidia 10de:2330 /m);
    const wrong = spawnSync(join(ROOT, "examples/gpu-health.sh"), ["--no-such-flag"], {
      env,
      encoding: "utf8",
    });
    assert.equal(wrong.status, 2);
  } finally {
    temp.remove();
  }
});
