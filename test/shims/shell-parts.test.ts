import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { furiosaSmiShim } from "../../src/shims/furiosa-smi.js";
import type { Part, Shim } from "../../src/shims/kit/shim.js";
import { allShims } from "../../src/shims/registry.js";
import { tegrastatsShim } from "../../src/shims/tegrastats.js";
import { xpuSmiShim } from "../../src/shims/xpu-smi/xpu-smi.js";
import { firstReading, partOutputs, probeContext } from "../support/shim-outputs.js";

// The shells that this machine has; every part must run in each of them.
const SHELLS = ["sh", "dash", "bash", "ksh", "busybox"].filter(
  (shell) => spawnSync("sh", ["-c", `command -v ${shell}`]).status === 0,
);

const XPU_SMI = `#!/bin/sh
case "$*" in
  "discovery -j") printf '{\\n    "device_list": [\\n        {\\n            "device_id": 0,\\n            "pci_device_id": "0xbd5"\\n        },\\n        {\\n            "device_id": 7,\\n            "pci_device_id": "0xbd5"\\n        }\\n    ]\\n}\\n' ;;
  "discovery -d "*) printf '{"device_id": %s, "memory_physical_size_byte": "1024"}\\n' "$3" ;;
  "stats -d "*) printf '{"device_id": %s, "device_level": [{"metrics_type": "XPUM_STATS_POWER", "value": 1%s.5}]}\\n' "$3" "$3" ;;
  *) echo "The following argument was not expected: $1" >&2; exit 109 ;;
esac
`;
const FURIOSACTL = `#!/bin/sh
[ $# -gt 1 ] && { echo "error: unexpected argument $2" >&2; exit 2; }
printf '+------+-------+\\n| NPU  | Temp. |\\n+------+-------+\\n| npu1 | 40°C  |\\n+------+-------+\\n'
`;
const TEGRASTATS = `#!/bin/sh
while :; do echo "RAM 1/2MB CPU [1%@2] GR3D_FREQ 5%@114 VDD"; sleep 0.05; done
`;

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "shell-parts-"));
  for (const [name, text] of Object.entries({
    "xpu-smi": XPU_SMI,
    "furiosa-smi": FURIOSACTL,
    tegrastats: TEGRASTATS,
  })) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }
});
after(() => {
  rmSync(folder, { recursive: true });
});

/** Runs a part as the remote script does, with programs bounded by timeout(1). */
function run(shell: string, part: Part, tool: string): string {
  const command = part.command.replaceAll("{tool}", tool);
  const bounded = part.kind === "program" ? `b ${command}` : command;
  const script = `b() { timeout -k 1 20 "$@"; }; x() { exec timeout -k 1 20 "$@"; }; { ${bounded}; } </dev/null 2>/dev/null; true`;
  const argv = shell === "busybox" ? ["sh", "-c", script] : ["-c", script];
  return execFileSync(shell, argv, {
    encoding: "utf8",
    env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` },
  });
}

function read(shell: string, shim: Shim): ReturnType<typeof firstReading> {
  const context = probeContext(["gpu"]);
  const parts = shim.probe(context);
  const outputs = Object.fromEntries(
    parts.map((part) => [part.id, run(shell, part, shim.executables[0] ?? "")]),
  );
  return firstReading(shim, partOutputs(outputs), context);
}

describe("parts that are shell text, on fake tools", () => {
  for (const shell of SHELLS) {
    test(`${shell}: xpu-smi 1.x is asked for each device`, () => {
      const { gpus } = read(shell, xpuSmiShim).sections;
      assert.deepEqual(
        gpus?.map((gpu) => [gpu.index, gpu.power_consumption, gpu.total_memory]),
        [
          [0, 10.5, 1024],
          [7, 17.5, 1024],
        ],
      );
    });
    test(`${shell}: furiosactl, which has no --format, prints its table`, () => {
      const { gpus } = read(shell, furiosaSmiShim).sections;
      assert.deepEqual(
        gpus?.map((gpu) => [gpu.index, gpu.temperature]),
        [[1, 40]],
      );
    });
    test(`${shell}: one line of tegrastats is read, and it ends`, () => {
      const { gpus } = read(shell, tegrastatsShim).sections;
      assert.deepEqual(
        gpus?.map((gpu) => [gpu.utilization, gpu.frequency]),
        [[5, 114]],
      );
    });
  }
});

test("no command has characters that a login shell would interpret", async () => {
  for (const shim of await allShims())
    for (const mode of ["shell", "plain"] as const)
      for (const { id, kind, command } of shim.probe(probeContext(["gpu", "process"], mode))) {
        assert.doesNotMatch(command, /['!\n]|\\\\/, id);
        if (mode === "plain") assert.equal(kind, "program", id);
        if (kind === "program") assert.doesNotMatch(command, /[;&|<>$`"(]/, id);
      }
});
