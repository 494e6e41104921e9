/** Tools as they are on real hosts, through a real sshd: that cannot start, report half, or stand beside another vendor's. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { FrameRecord } from "../../src/contract/record.js";
import { fakeNvidiaSmi } from "../support/fake-tools.js";
import { missing } from "../support/sshd.js";
import { SH, watchHost, type WatchedHost } from "../support/watched-host.js";

const skip = missing ?? false;
const CASES = fileURLToPath(new URL("../../../shared/cases/", import.meta.url));
const skipCases =
  missing ?? (existsSync(CASES) ? false : "SKIPPED LOUDLY: the project's shared cases are not beside it");
const recorded = (path: string): string => readFileSync(join(CASES, path), "utf8");

async function frameOf(host: WatchedHost): Promise<FrameRecord> {
  const { frames, stderr, records } = await watchHost(host);
  const frame = frames.at(-1);
  assert.ok(frame, `${stderr}${JSON.stringify(records)}`);
  return frame;
}

/** As `0 nvidia-smi 97`: index, tool, utilization. */
const devices = ({ gpus }: FrameRecord): unknown =>
  gpus?.map((gpu) => `${gpu.index ?? "?"} ${gpu.tool ?? "?"} ${gpu.utilization ?? "-"}`);

function makeExecutable(file: string, text: string | Buffer, mode = 0o755): void {
  writeFileSync(file, text);
  chmodSync(file, mode);
}

const COLUMNS = [
  ...["index", "uuid", "name", "utilization.gpu [%]", "memory.used [MiB]"],
  ...["memory.total [MiB]", "temperature.gpu", "power.draw [W]"],
];
/** `more`: another column, whose cell ends each row. */
function nvidiaSmi(rows: readonly string[], more?: string): string {
  const columns = more === undefined ? COLUMNS : [...COLUMNS, more];
  const cases = ['--query-compute-apps*) echo "gpu_uuid, pid, process_name, used_gpu_memory [MiB]";;'];
  return `${SH}${fakeNvidiaSmi({ columns, rows, cases })}\n`;
}
const NVIDIA = nvidiaSmi(["0, GPU-1, NVIDIA A10G, 97, 10, 20, 61, 221"]);
const DEAD_NVIDIA = `${SH}echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."; exit 9\n`;
const ROCM = `${SH}case "$*" in *--json*) echo '{"card0": {"Card Series": "MI210", "Temperature (Sensor junction) (C)": "46.0", "Average Graphics Package Power (W)": "31.0", "GPU use (%)": "88", "VRAM Total Memory (B)": "687194767", "VRAM Total Used Memory (B)": "62534723", "PCI Bus": "0000:C5:00.0"}}';; esac\n`;
const allSmi = (snapshot: object, status = 0): string =>
  `${SH}case $1 in --version) echo all-smi 0.28.1;; *) echo '${JSON.stringify(snapshot)}'; exit ${status};; esac\n`;
const BLIND = allSmi({
  schema: 1,
  gpus: [],
  cpus: [{ utilization: 3 }],
  memory: [{ total_bytes: 5 }],
  chassis: [{ detail: {} }],
});

describe("a tool that is there and cannot start", () => {
  const program = (
    name: string,
    text: string | Buffer,
    mode?: number,
  ): NonNullable<WatchedHost["prepare"]> => {
    return (bin) => makeExecutable(join(bin, name), text, mode);
  };
  // The machine field of an ELF header: aarch64 where this is x86-64, and the other way round.
  const alien = Buffer.from(readFileSync("/bin/true"));
  alien[18] = alien[18] === 0xb7 ? 0x3e : 0xb7;
  const cases: readonly (readonly [what: string, prepare: (bin: string) => void, message: RegExp])[] = [
    [
      "interpreter",
      program("rocm-smi", "#!/opt/no/such/python\n"),
      /^rocm-smi is installed and cannot start/,
    ],
    ["env's interpreter", program("amd-smi", "#!/usr/bin/env python3.99\n"), /cannot start.*python3\.99/],
    [
      "library",
      program(
        "nvidia-smi",
        `${SH}echo "nvidia-smi: error while loading shared libraries: libnvidia-ml.so.1: no such file" >&2; exit 127\n`,
      ),
      /^nvidia-smi is installed and cannot start.*libnvidia-ml/,
    ],
    ["module", program("tt-smi", "#!/usr/bin/env python3\nimport no_such_module\n"), /No module named/],
    ["mode", program("hl-smi", NVIDIA, 0o644), /^hl-smi is installed and cannot start.*126/],
    ["machine", program("nvidia-smi", alien), /cannot start.*no program for this machine/],
    [
      "link",
      (bin: string) => symlinkSync("/opt/no/such/tool", join(bin, "rbln-smi")),
      /^rbln-smi is installed and cannot/,
    ],
    ["folder", (bin: string) => mkdirSync(join(bin, "xpu-smi")), /^xpu-smi is installed and cannot start/],
    ["all-smi's interpreter", program("all-smi", "#!/opt/no/such\n"), /^all-smi is installed and cannot/],
  ];
  for (const [what, prepare, message] of cases)
    test(what, { skip }, async () => {
      const frame = await frameOf({ prepare });
      assert.deepEqual(
        frame.errors?.map(({ section }) => section),
        ["gpu"],
      );
      assert.match(frame.errors[0]?.message ?? "", message);
      assert.equal(frame.cpus?.length, 1);
      assert.equal(frame.memory?.length, 1);
    });

  test("gives way to another name of the tool, and to another tool", { skip }, async () => {
    const frame = await frameOf({
      programs: { "hy-smi": ROCM, "amd-smi": "#!/opt/no/such\n" },
      prepare: (bin) => symlinkSync("/opt/no/such", join(bin, "rocm-smi")),
    });
    assert.deepEqual(devices(frame), ["0 rocm-smi 88"]);
    assert.equal(frame.errors, undefined);
  });

  test("recorded: a Python that is gone", { skip: skipCases }, async () => {
    const programs = {
      "amd-smi": recorded("05-python-away/amd-smi"),
      "rocm-smi": recorded("05-python-away/rocm-smi"),
    };
    const frame = await frameOf({ programs });
    assert.match(frame.errors?.[0]?.message ?? "", /python3\.99/);
    assert.equal(frame.cpus?.length, 1);
  });
});

describe("several tools", () => {
  test("two vendors: all devices, in every tick, each with its tool", { skip }, async () => {
    const { frames, code } = await watchHost({
      programs: { "nvidia-smi": NVIDIA, "rocm-smi": ROCM },
      args: ["--count", "2", "--interval", "3", "--include", "gpu,process"],
    });
    assert.equal(code, 0);
    assert.equal(frames.length, 2);
    for (const frame of frames) {
      assert.equal(frame.transport, "nvidia-smi");
      assert.deepEqual(devices(frame), ["0 nvidia-smi 97", "0 rocm-smi 88"]);
    }
  });

  test("a second vendor's failure is reported beside the first one's devices", { skip }, async () => {
    const frame = await frameOf({ programs: { "nvidia-smi": DEAD_NVIDIA, "rocm-smi": ROCM } });
    assert.equal(frame.transport, "rocm-smi");
    assert.deepEqual(devices(frame), ["0 rocm-smi 88"]);
    assert.match(frame.errors?.[0]?.message ?? "", /NVIDIA driver is not loaded/);
  });

  test("a second vendor's tool that hangs costs only its own devices", { skip }, async () => {
    const frame = await frameOf({
      programs: { "nvidia-smi": NVIDIA, "xpu-smi": `${SH}exec sleep 631\n` },
      args: ["--once", "--tool-timeout-secs", "1"],
    });
    assert.deepEqual(devices(frame), ["0 nvidia-smi 97"]);
    assert.deepEqual(
      frame.errors?.map(({ section, kind }) => [section, kind]),
      [["gpu", "timeout"]],
    );
  });

  test(
    "amd-smi without readings gives way to rocm-smi, and names the device",
    { skip: skipCases },
    async () => {
      const frame = await frameOf({
        programs: {
          "amd-smi": recorded("07-amd-smi-blind/amd-smi"),
          "rocm-smi": recorded("07-amd-smi-blind/rocm-smi"),
        },
      });
      assert.deepEqual(devices(frame), ["0 rocm-smi 88"]);
      assert.equal(frame.gpus?.[0]?.temperature, 46);
      assert.equal(frame.gpus[0].uuid, "00ff1586-0000-1000-8000-000000000000");
    },
  );

  test("a Jetson: nvidia-smi has the utilization, tegrastats the power", { skip }, async () => {
    const line =
      "RAM 1000/2000MB (lfb 1x4MB) CPU [4%@1836] GR3D_FREQ 38% GPU@52.5C VDD_GPU 11842mW/11702mW VIN 4mW/4mW";
    const programs = {
      "nvidia-smi": nvidiaSmi(["0, GPU-1, NVIDIA Thor, 64, [N/A], [N/A], [N/A], [N/A]"]),
      tegrastats: `${SH}while :; do echo "${line}" || exit; sleep 0.2; done\n`,
    };
    const { frames } = await watchHost({ programs, args: ["--count", "2", "--interval", "5"] });
    assert.equal(frames.length, 2);
    for (const { gpus } of frames)
      assert.deepEqual(
        gpus?.map((gpu) => [gpu.tool, gpu.uuid, gpu.utilization, gpu.temperature, gpu.power_consumption]),
        [["nvidia-smi", "GPU-1", 64, 52.5, 11.842]],
      );
  });

  test("recorded: Thor", { skip: skipCases }, async () => {
    const frame = await frameOf({
      programs: {
        "nvidia-smi": recorded("08-unknown-error-row/nvidia-smi"),
        tegrastats: recorded("06-tegrastats-jp7/tegrastats.thor"),
      },
      prepare: (bin) => writeFileSync(join(bin, "../rows"), recorded("12-mixed-and-thor/rows.thor")),
    });
    assert.deepEqual(devices(frame), ["0 nvidia-smi 64"]);
    assert.equal(frame.gpus?.[0]?.power_consumption, 11.842);
  });

  test("a GPU without values in nvidia-smi is in a single reading too", { skip }, async () => {
    const row = "0, GPU-1, Orin (nvgpu), [N/A], [N/A], [N/A], [N/A], [N/A]";
    const frame = await frameOf({ programs: { "nvidia-smi": nvidiaSmi([row]) }, args: ["--once"] });
    assert.deepEqual(devices(frame), ["0 nvidia-smi -"]);
    assert.equal(frame.errors, undefined);
  });

  test("parts that the probe's shell passed over are asked before the first reading", { skip }, async () => {
    const metric = `[{"gpu": 0, "usage": {"gfx_activity": {"value": 5, "unit": "%"}}, "temperature": {"edge": {"value": 40, "unit": "C"}}, "power": {"socket_power": {"value": 30, "unit": "W"}}}]`;
    const amd = `${SH}case "$1" in metric) echo '${metric}'; exit 1;; process) echo '[{"gpu": 0, "process_list": [{"process_info": {"name": "train", "pid": 1, "mem": {"value": 5, "unit": "B"}}}]}]';; *) echo '[]';; esac\n`;
    const frame = await frameOf({
      programs: { "amd-smi": amd },
      args: ["--once", "--include", "gpu,process"],
    });
    assert.deepEqual(devices(frame), ["0 amd-smi 5"]);
    assert.equal(frame.processes?.length, 1);
    for (const { message } of frame.errors ?? []) assert.doesNotMatch(message, /not asked|no answer/);
  });
});

describe("all-smi that sees no GPU", () => {
  test("beside a vendor tool that sees one", { skip }, async () => {
    const { frames } = await watchHost({
      programs: { "all-smi": BLIND, "nvidia-smi": NVIDIA },
      args: ["--count", "2", "--interval", "3"],
    });
    assert.equal(frames.length, 2);
    for (const frame of frames) {
      assert.equal(frame.transport, "native");
      assert.deepEqual(devices(frame), ["0 nvidia-smi 97"]);
      assert.equal(frame.memory?.[0]?.total_bytes, 5);
      assert.equal(frame.errors, undefined);
    }
  });

  test("beside a vendor tool whose driver is dead", { skip }, async () => {
    const frame = await frameOf({ programs: { "all-smi": BLIND, "nvidia-smi": DEAD_NVIDIA } });
    assert.equal(frame.transport, "native");
    assert.deepEqual(frame.gpus, []);
    assert.match(frame.errors?.[0]?.message ?? "", /NVIDIA driver is not loaded/);
  });

  test("on a host without any is no failure", { skip }, async () => {
    const nothing = `${SH}case $1 in --version) echo all-smi 0.28.1;; *) echo "error: no devices were collected from any reader — snapshot is empty" >&2; exit 1;; esac\n`;
    for (const [program, include] of [
      [BLIND, "gpu,cpu,memory"],
      [nothing, "gpu"],
    ] as const) {
      const frame = await frameOf({
        programs: { "all-smi": program },
        args: ["--once", "--include", include],
      });
      assert.equal(frame.transport, "native");
      assert.deepEqual(frame.gpus, []);
      assert.equal(frame.errors, undefined);
    }
  });

  test("nvidia-smi adds the values that all-smi lacks", { skip }, async () => {
    const row = {
      ...{
        uuid: "GPU-1",
        name: "A10G",
        device_type: "GPU",
        utilization: 50,
        temperature: 60,
        used_memory: 1,
      },
      ...{ total_memory: 2, frequency: 3, power_consumption: 4, detail: { power_limit_current: "300.00" } },
    };
    const ecc = "ecc.errors.corrected.aggregate.total";
    const beside = nvidiaSmi(["0, GPU-1, NVIDIA A10G, 97, 10, 20, 61, 221, 7"], ecc);
    const frame = await frameOf({
      programs: { "all-smi": allSmi({ schema: 1, gpus: [row] }), "nvidia-smi": beside },
      args: ["--once", "--include", "gpu"],
    });
    assert.deepEqual(devices(frame), ["0 native 50"]);
    assert.equal(frame.gpus?.[0]?.power_limit, 300);
    assert.equal(frame.gpus[0].ecc_corrected_total, 7);
  });
});
