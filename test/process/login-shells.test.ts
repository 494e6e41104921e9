/** The remote script under the login shells that hosts have, through a real sshd. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { recordsOf, runCli } from "../support/cli.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { LOGIN_SHELLS, type LoginShell } from "../support/login-shells.js";
import { missing, sshArgs, startSshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const SHELLS: readonly LoginShell[] = [{ name: "sh", argv: ["/bin/sh"], skip: false }, ...LOGIN_SHELLS];

const NVIDIA_SMI = fakeNvidiaSmi({
  columns: [
    ...["index", "uuid", "name", "utilization.gpu [%]"],
    ...["memory.used [MiB]", "memory.total [MiB]", "temperature.gpu"],
  ],
  rows: ["0, GPU-1, NVIDIA A100, 37, 1024, 81920, 51", "1, GPU-2, NVIDIA A100, 4, 0, 81920, 40"],
});

describe("login shells", { concurrency: 4 }, () => {
  for (const { name, argv, skip } of SHELLS) {
    test(`a host whose login shell is ${name}`, { skip: missing ?? skip }, async (t) => {
      const temp = makeTempDir("shell");
      const bin = makeTools(join(temp.path, "bin"), {
        "nvidia-smi": NVIDIA_SMI,
        "shell-with-arguments": `exec ${argv.join(" ")} "$@"`,
      });
      const shell = argv.length === 1 ? argv[0] : join(bin, "shell-with-arguments");
      const sshd = await startSshd({ bin, shell });
      try {
        if (!sshd.isolated) {
          t.skip("SKIPPED LOUDLY: needs root to give the test user a shell");
          return;
        }
        const run = await runCli([
          ...[...sshArgs(sshd), "--format", "ndjson", "--interval", "6", "--count", "2"],
          ...["--include", "gpu,cpu,memory,chassis,process,storage"],
        ]);
        assert.equal(run.code, 0, run.stderr);
        const frames = recordsOf(run.stdout).filter((record) => record.record === "frame");
        assert.equal(frames.length, 2, run.stdout);
        for (const frame of frames) {
          assert.equal(frame.channel, "session");
          assert.equal(frame.transport, "nvidia-smi");
          assert.deepEqual(
            frame.gpus?.map((gpu) => [gpu.index, gpu.utilization, gpu.used_memory]),
            [
              [0, 37, 1024 * 2 ** 20],
              [1, 4, 0],
            ],
          );
          assert.ok((frame.memory?.[0]?.total_bytes ?? 0) > 0);
          assert.ok((frame.cpus?.[0]?.total_threads ?? 0) > 0);
          assert.ok((frame.storage?.length ?? 0) > 0);
        }
        assert.equal(typeof frames.at(-1)?.cpus?.[0]?.utilization, "number");
      } finally {
        await sshd.stop();
        temp.remove();
      }
    });
  }
});
