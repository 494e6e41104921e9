import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Gpu, Memory } from "../../src/contract/record.js";
import { fillUnifiedMemory } from "../../src/remote/compose.js";
import { joinProcesses, namesAgree, redact } from "../../src/remote/processes.js";
import { accelerator, acceleratorProcess } from "../../src/shims/kit/accelerator.js";

const row = (pid: number, name: string | null) =>
  acceleratorProcess({ pid, process_name: name, device_id: 0, device_uuid: "GPU-1", used_memory: 512 });

describe("processes", () => {
  const ps = new Map([
    [
      7,
      {
        pid: 7,
        user: "ann",
        command: "/opt/a --key secret",
        comm: "a",
        cpu_percent: 0,
        ppid: 1,
        nice_value: -5,
      },
    ],
  ]);

  test("the tool's values win and ps fills in what it does not report", () => {
    const [known, gone] = joinProcesses([row(7, "a"), row(8, null)], ps);
    assert.deepEqual(known, {
      ...row(7, "a"),
      user: "ann",
      command: "/opt/a --key secret",
      cpu_percent: 0,
      ppid: 1,
      nice_value: -5,
    });
    assert.deepEqual(gone, row(8, null));
  });

  test("a process that the tool cannot name, or that is another program, gets no values of the pid", () => {
    for (const name of [null, "tritonserver", "/usr/bin/b"])
      assert.deepEqual(joinProcesses([row(7, name)], ps), [row(7, name)]);
    assert.equal(joinProcesses([row(7, "b")], ps, true)[0]?.user, null);
    assert.equal(
      joinProcesses([row(7, null)], ps, true)[0]?.user,
      "ann",
      "a tool that reads this host's /proc",
    );
  });

  test("one process on two GPUs is two rows", () => {
    const rows = [row(7, "a"), { ...row(7, "a"), device_id: 1 }];
    assert.deepEqual(
      joinProcesses(rows, ps).map(({ device_id, user }) => ({ device_id, user })),
      [
        { device_id: 0, user: "ann" },
        { device_id: 1, user: "ann" },
      ],
    );
  });

  test("redaction drops command lines, users and the paths and arguments of names", () => {
    const joined = joinProcesses([row(7, "/home/ann/run, --key, secret")], ps);
    const [found] = redact(joined);
    assert.deepEqual([found?.command, found?.user, found?.process_name], [null, null, "run"]);
    assert.doesNotMatch(JSON.stringify(found), /ann|secret/);
    const owned = { ...row(1, "x"), container_id: "c", container_runtime: "docker", slurm_job_id: 7 };
    const [owner] = redact([{ ...owned, systemd_unit: "user@1000.service", pod_name: "p" }]);
    assert.deepEqual(
      [
        owner?.container_id,
        owner?.slurm_job_id,
        owner?.systemd_unit,
        owner?.pod_name,
        owner?.container_runtime,
      ],
      [null, null, null, null, "docker"],
    );
    assert.equal(redact([row(1, "C:\\Users\\ann\\My App\\app.exe")])[0]?.process_name, "app.exe");
    assert.equal(redact([row(1, "/home/ann smith/run")])[0]?.process_name, null);
    assert.equal(redact([row(1, null)])[0]?.process_name, null);
  });
});

describe("unified memory", () => {
  const memory: Memory = {
    index: 0,
    total_bytes: 128,
    used_bytes: 28,
    available_bytes: 100,
    free_bytes: 90,
    buffers_bytes: 0,
    cached_bytes: 0,
    swap_total_bytes: 0,
    swap_used_bytes: 0,
    swap_free_bytes: 0,
    utilization: 21.9,
  };
  const gb10: Gpu = accelerator("GPU", { name: "NVIDIA GB10", memory_source: "host" });

  test("is the host's for the devices that have none of their own", () => {
    const own = accelerator("GPU", { memory_source: "device" });
    const [shared, other] = fillUnifiedMemory([gb10, own], [memory]);
    assert.deepEqual([shared?.total_memory, shared?.used_memory, shared?.memory_free], [128, 28, 100]);
    assert.equal(other, own);
  });

  test("stays null without the host's, and a size that the tool reported stays", () => {
    assert.deepEqual(fillUnifiedMemory([gb10], undefined), [gb10]);
    assert.deepEqual(fillUnifiedMemory([gb10], []), [gb10]);
    const sized = { ...gb10, total_memory: 64 };
    assert.deepEqual(fillUnifiedMemory([sized], [memory]), [sized]);
  });
});

/** The tool's name, the kernel's, the command line, and whether they are one program. */
const NAMES: readonly (readonly [
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
  for (const [name, comm, command, agree] of NAMES)
    test(`${name} and ${String(comm)} / ${String(command)}`, () => {
      assert.equal(namesAgree(name, { comm, command }), agree);
    });
});
