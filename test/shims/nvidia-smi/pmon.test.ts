/** Graphics processes and shares of a GPU, in the columns that drivers from 384 to 590 print. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Process } from "../../../src/contract/record.js";
import { acceleratorProcess } from "../../../src/shims/kit/accelerator.js";
import { readPmon, withPmon } from "../../../src/shims/nvidia-smi/pmon.js";
import { nvidiaSmiShim } from "../../../src/shims/nvidia-smi.js";
import { GOLDEN_ROOT } from "../../support/golden.js";
import { gpu } from "../../support/records.js";
import { type Answer, partOutputs, probeContext } from "../../support/shim-outputs.js";

const MIB = 1024 ** 2;

/** Type, SM, memory, encoder and decoder %, MiB and name of each row. */
const shown = (text: string): readonly unknown[] | null =>
  readPmon(text)?.map(({ gpu: at, pid, name, usedMemory, share }) => [
    at,
    pid,
    share.gpu_process_type,
    share.gpu_utilization,
    share.gpu_memory_utilization,
    share.encoder_utilization,
    share.decoder_utilization,
    usedMemory === null ? null : usedMemory / MIB,
    name,
  ]) ?? null;

describe("pmon", () => {
  test("of a driver without frame buffer columns", () => {
    const text = [
      "# gpu        pid  type    sm   mem   enc   dec   command",
      "# Idx          #   C/G     %     %     %     %   name",
      "    0      22010     C    98    56     -     -   python3",
      "    1          -     -     -     -     -     -   -",
    ].join("\n");
    assert.deepEqual(shown(text), [[0, 22010, "C", 98, 56, null, null, null, "python3"]]);
  });

  test("of a driver with `fb` alone, and of one with all columns", () => {
    const middle = [
      "# gpu        pid  type    sm   mem   enc   dec    fb   command",
      "# Idx          #   C/G     %     %     %     %    MB   name",
      "    0      12176     C     5     2     3     7   782   ffmpeg",
    ].join("\n");
    assert.deepEqual(shown(middle), [[0, 12176, "C", 5, 2, 3, 7, 782, "ffmpeg"]]);
    const wide = [
      "# gpu         pid   type     sm    mem    enc    dec    jpg    ofa     fb   ccpm    command ",
      "# Idx           #    C/G      %      %      %      %      %      %     MB     MB    name ",
      "    0       3816   C+G      -      -      -      -      -      -    112      0    gnome-remote-de",
      "    0    1865400   C+G     17      1      -      -      -      -    574      0    renderD128 --us",
      "    0    1865400   C+G     15      1      -      -      -      -    574      0    renderD128 --us",
      "    0       6508   C+G      -      -      -      -      -      -      0      0    explorer.exe",
    ].join("\r\n");
    assert.deepEqual(shown(wide), [
      [0, 3816, "C+G", null, null, null, null, 112, "gnome-remote-de"],
      [0, 1865400, "C+G", 17, 1, null, null, 574, "renderD128 --us"],
      [0, 6508, "C+G", null, null, null, null, null, "explorer.exe"],
    ]);
  });

  test("any other text is no table, and no text invents a process", () => {
    for (const text of ["", "Failed to initialize NVML", "# gpu pwr temp\n 0 70 40\n", "0 1 C 2 3 - - x"])
      assert.equal(shown(text), null, text);
    const head = "# gpu pid type sm mem enc dec command\n";
    for (const row of ["0 -1 C 1 1 1 1 x", "x 7 C 1 1 1 1 x", "0 7 C 1", "0 0 C 1 1 1 1 x"])
      assert.deepEqual(shown(head + row), [], row);
    assert.deepEqual(shown(`${head}0 7 X 101 -1 65535 a x`), [
      [0, 7, null, null, null, null, null, null, "x"],
    ]);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (bytes) => {
        for (const { pid, gpu: at } of readPmon(head + bytes) ?? [])
          assert.ok(Number.isSafeInteger(pid) && pid > 0 && Number.isSafeInteger(at) && at >= 0);
      }),
    );
  });

  test("shares join the compute process of the same GPU and pid; other processes follow", () => {
    const compute = (device_id: number | null): Process =>
      acceleratorProcess({
        ...{ pid: 7, process_name: "/usr/bin/python3", device_id, device_uuid: "GPU-1", used_memory: MIB },
      });
    const rows = readPmon(
      "# gpu pid type sm mem enc dec fb command\n1 7 C 40 5 - - 900 python3\n0 7 C 30 4 - - 800 python3\n0 9 G 3 1 - - 12 Xorg\n",
    );
    assert.ok(rows !== null);
    const joined = withPmon([compute(1), compute(null)], rows, [gpu({ index: 0, uuid: "GPU-0" })]);
    assert.deepEqual(
      joined.map((one) => [
        ...[one.device_id, one.device_uuid, one.pid, one.process_name, one.used_memory],
        ...[one.gpu_utilization, one.gpu_process_type],
      ]),
      [
        [1, "GPU-1", 7, "/usr/bin/python3", MIB, 40, "C"],
        [null, "GPU-1", 7, "/usr/bin/python3", MIB, null, null],
        [0, "GPU-0", 7, "python3", 800 * MIB, 30, "C"],
        [0, "GPU-0", 9, "Xorg", 12 * MIB, 3, "G"],
      ],
    );
  });
});

describe("pmon in a tick", () => {
  const read = (part: string): string =>
    readFileSync(`${GOLDEN_ROOT}nvidia-smi/three-boards-590/${part}/stdout.txt`, "utf8");
  const outputs = (pmon: Answer) =>
    partOutputs({
      ...{ "nvidia-smi.query": read("nvidia-smi.query"), "nvidia-smi.apps": read("nvidia-smi.apps") },
      "nvidia-smi.pmon": pmon,
    });
  const samplerAfter = (pmon: Answer) => {
    const verdict = nvidiaSmiShim.judge(outputs(pmon), probeContext(["gpu", "process"]));
    assert.ok("sampler" in verdict);
    return verdict.sampler;
  };
  const isAsked = (sampler: ReturnType<typeof samplerAfter>): boolean =>
    sampler.parts.some(({ id }) => id === "nvidia-smi.pmon");

  test("is asked where it answered the probe, and its failure is an error beside the compute processes", () => {
    const sampler = samplerAfter(read("nvidia-smi.pmon"));
    assert.ok(isAsked(sampler));
    const end = { kind: "timeout", afterSecs: 5 } as const;
    const { sections, errors } = sampler.parse(outputs({ end }));
    assert.deepEqual(
      sections.processes?.map(({ pid, gpu_utilization }) => [pid, gpu_utilization]),
      [
        [21180, null],
        [30412, null],
      ],
    );
    assert.deepEqual(
      errors.map(({ section, kind }) => [section, kind]),
      [["process", "timeout"]],
    );
  });

  test("is not asked, and no error, on a board without it", () => {
    for (const pmon of [
      { stdout: "Not supported on the device(s)\n", end: { kind: "exit", code: 3 } } as const,
      "Not supported on the device(s)\n",
    ]) {
      const sampler = samplerAfter(pmon);
      assert.ok(!isAsked(sampler));
      const { sections, errors } = sampler.parse(outputs(pmon));
      assert.deepEqual([sections.processes?.length, errors], [2, []]);
      assert.equal(sections.processes?.[0]?.gpu_process_type, undefined);
    }
  });
});
