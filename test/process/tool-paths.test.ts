/** Tools at odd places: the flag for every host and the label for one, through a real sshd. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { recordsOf, runCli } from "../support/cli.js";
import { fakeNvidiaSmi } from "../support/fake-tools.js";
import { missing, sshArgs, startSshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";
import { SH } from "../support/watched-host.js";

const nvidiaSmi = (name: string): string =>
  `${SH}${fakeNvidiaSmi({ columns: ["index", "uuid", "name", "utilization.gpu [%]", "temperature.gpu"], rows: [`0, GPU-1, ${name}, 97, 61`] })}\n`;

describe("a tool at an odd place", { skip: missing ?? false }, () => {
  test("the flag counts for every host, a host's label before it, and neither is shell text", async () => {
    const temp = makeTempDir("tool-paths");
    const put = (folder: string, name: string): string => {
      const path = join(temp.path, folder, "nvidia-smi");
      mkdirSync(join(temp.path, folder), { recursive: true });
      writeFileSync(path, nvidiaSmi(name));
      chmodSync(path, 0o755);
      return path;
    };
    const byPath = put("bin", "on the PATH");
    const byFlag = put("by flag", "by flag");
    const byLabel = put(`$(touch ${temp.path.replaceAll("/", "_")}) 'label'`, "by label");
    const sshd = await startSshd({ bin: join(byPath, ".."), shell: "/bin/sh" });
    try {
      const hostfile = join(temp.path, "hosts.txt");
      const [target = ""] = sshArgs(sshd).filter((arg) => arg.includes("127.0.0.1"));
      writeFileSync(hostfile, `${target} tool.nvidia-smi="${byLabel}"\n`);
      const own = sshArgs(sshd);
      const withFile = own.flatMap((arg) =>
        arg === "--ssh" ? ["--ssh-hostfile"] : arg === target ? [hostfile] : [arg],
      );
      const nameWith = async (args: readonly string[]): Promise<unknown> => {
        const { stdout, stderr } = await runCli([...args, "--format", "ndjson", "--once"]);
        const [record] = recordsOf(stdout);
        assert.ok(record?.record === "frame", stderr + stdout);
        return record.gpus?.[0]?.name;
      };
      assert.equal(await nameWith(own), "on the PATH");
      assert.equal(await nameWith([...own, "--tool", `nvidia-smi=${byFlag}`]), "by flag");
      assert.equal(await nameWith([...withFile, "--tool", `nvidia-smi=${byFlag}`]), "by label");
      assert.equal(await nameWith([...withFile, "--workers", "1"]), "by label");
    } finally {
      await sshd.stop();
      temp.remove();
    }
  });

  test("a wrong path is wrong usage before anything connects", async () => {
    const { code, stderr } = await runCli(["--ssh", "127.0.0.1:1", "--tool", "nvidia-smi=nvidia-smi"]);
    assert.equal(code, 2);
    assert.match(stderr, /--tool: "nvidia-smi" is not an absolute path/);
  });
});
