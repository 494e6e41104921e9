/** Tools that stand where a non-interactive shell has no PATH to them are found. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { recordsOf, runCli } from "../support/cli.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { missing, sshArgs, startSshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const ALL_SMI = `case $1 in --version) echo all-smi 0.22.0;; *) echo '{"schema":1,"timestamp":"t","hostname":"h","gpus":[{"uuid":"GPU-2","name":"H100","device_type":"GPU","utilization":7.0,"detail":{}}]}';; esac`;

const CASES: readonly (readonly [string, string, string, string, number])[] = [
  [".local/bin", "nvidia-smi", FAKE_A100, "nvidia-smi", 5],
  [".cargo/bin", "all-smi", ALL_SMI, "native", 7],
];

for (const [folder, program, body, transport, utilization] of CASES) {
  test(`~/${folder}/${program}`, { skip: missing ?? false }, async (t) => {
    const temp = makeTempDir("paths");
    const sshd = await startSshd({ shell: "/bin/sh" });
    try {
      if (!sshd.isolated) {
        t.skip("SKIPPED LOUDLY: needs root to give the test user a home");
        return;
      }
      makeTools(join(sshd.home, folder), { [program]: body });
      const run = await runCli([...sshArgs(sshd), "--once", "--include", "gpu"]);
      assert.equal(run.code, 0, run.stderr);
      const [frame] = recordsOf(run.stdout);
      assert(frame?.record === "frame", run.stdout);
      assert.equal(frame.transport, transport);
      assert.equal(frame.gpus?.[0]?.utilization, utilization);
    } finally {
      await sshd.stop();
      temp.remove();
    }
  });
}
