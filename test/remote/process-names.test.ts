import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { namesAgree } from "../../src/remote/process-names.js";

/** The tool's name, the kernel's, the command line, and whether they are one program. */
const CASES: readonly (readonly [
  name: string,
  comm: string | null,
  command: string | null,
  agree: boolean,
])[] = [
  ["python", "python", "python train.py", true],
  ["/opt/conda/bin/python3.11", "python3", "python3 train.py", true],
  ["python3", "pt_main_thread", "/usr/bin/python3 -m train", true],
  ["pt_main_thread", "pt_main_thread", "python train.py", true],
  ["train.py", "train.py", "/usr/bin/python3 /srv/train.py", true],
  ["VLLM::EngineCore", "VLLM::EngineCor", "VLLM::EngineCore", true],
  ["text-generation-launcher", "text-generation", null, true],
  ["text-generation", "text-generation", "/usr/bin/text-generation-launcher --port 80", true],
  ["...tion-launcher", null, "/usr/bin/text-generation-launcher --port 80", true],
  ["/home/me/very/long/pa...", null, "/home/me/very/long/path/prog", true],
  ["tritonser...", "tritonserver", "/opt/tritonserver/bin/tritonserver --x", true],
  ["nginx", "nginx", "nginx: worker process", true],
  ["python, --key, secret", "python", "python --key secret", true],
  ["ray::Worker.run", "ray::Worker.run", "ray::Worker.run", true],
  ["[kworker]", "kworker", "[kworker]", true],
  ["python", "postgres", "postgres: writer", false],
  ["python", "bash", "bash -c python", false],
  ["sh", "sshd", "sshd: me@pts/0", false],
  ["trt", "trtexec", "trtexec --onnx", false],
  ["cat", "bat", "bat x", false],
  ["java", null, null, false],
  ["-", "-", "-", false],
  ["...", "x", "x", false],
];

describe("names of one process", () => {
  for (const [name, comm, command, agree] of CASES)
    test(`${name} and ${String(comm)} / ${String(command)}`, () => {
      assert.equal(namesAgree(name, { comm, command }), agree);
    });
});
