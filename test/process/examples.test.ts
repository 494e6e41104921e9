/** The files in examples/ work as their first lines promise. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseHostfile } from "../../src/targets/hostfile.js";
import { PROGRAM, runCli } from "../support/cli.js";
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

test("prometheus.jq and gpu-health.sh on the demo fleet", { skip }, async () => {
  const temp = makeTempDir("examples");
  try {
    const run = await runCli(["--demo", "--once", "--format", "ndjson"]);
    const metrics = execFileSync("jq", ["-rnf", join(ROOT, "examples/prometheus.jq")], {
      input: run.stdout,
      encoding: "utf8",
    });
    assert.match(metrics, /^allsmi_up\{host="dgx-01",state="connected",transport="native",error=""\} 1$/m);
    assert.match(
      metrics,
      /^allsmi_up\{host="locked-01",state="auth-failed",transport="",error="auth-failed"\} 0$/m,
    );
    assert.match(
      metrics,
      /^allsmi_gpu_temperature_celsius\{host="dgx-02",gpu="3",uuid="[^"]+",name="NVIDIA H100 80GB HBM3"\} \d+$/m,
    );
    assert.doesNotMatch(metrics, /null/);
    const sample = /^[a-z_]+\{([a-z_]+="([^"\\]|\\.)*",?)*\} -?[0-9.e+]+$/;
    for (const line of metrics.trimEnd().split("\n"))
      assert.ok(line.startsWith("# ") || sample.test(line), line);

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
