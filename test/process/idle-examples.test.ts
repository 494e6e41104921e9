/** examples/idle-gpus.mjs and examples/memory-without-process.jq, on recorded streams and on a real host. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { FrameRecord, Gpu, Process, StreamRecord } from "../../src/contract/record.js";
import { acceleratorProcess } from "../../src/shims/kit/accelerator.js";
import { FAKE_A100, fakeNvidiaSmi } from "../support/fake-tools.js";
import { frame, gpu, state } from "../support/records.js";
import { missing } from "../support/sshd.js";
import { SH, watchHost } from "../support/watched-host.js";

const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));
const GIB = 2 ** 30;
const START_MS = Date.parse("2026-01-02T03:00:00Z");

interface Ran {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

function run(program: string, args: readonly string[], records: readonly StreamRecord[], env = {}): Ran {
  const input = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const { status, stdout, stderr } = spawnSync(program, args, {
    input,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], ...env },
  });
  return { status, lines: stdout.split("\n").slice(0, -1), stderr };
}

const labels = { host_id: "admin@dgx-01:22", hostname: "dgx-01", instance: "dgx-01", time: "" };
function holder(changes: Partial<Process> = {}): FrameRecord["processes"] & {} {
  const known = acceleratorProcess({
    ...{ pid: 4242, process_name: "python", device_id: 0, device_uuid: "GPU-0", used_memory: 70 * GIB },
  });
  return [{ ...known, user: "alice", state: "S", ...changes, ...labels }];
}

/** A frame a minute; each reading changes the one GPU, which is idle and held by alice. Null: the host was away. */
function stream(readings: readonly (Partial<Gpu> | null)[], processes = holder()): readonly StreamRecord[] {
  return readings.map((changes, tick) => {
    const timestamp = new Date(START_MS + tick * 60_000).toISOString();
    return changes === null
      ? state({ hostname: "dgx-01", tick, timestamp })
      : frame({
          ...{ tick, timestamp, processes },
          gpus: [gpu({ utilization: 0, used_memory: 71 * GIB, tool: "nvidia-smi", ...changes })],
        });
  });
}

const minutes = (count: number, changes: Partial<Gpu> | null = {}): (Partial<Gpu> | null)[] =>
  Array.from({ length: count }, () => changes);

describe("idle-gpus.mjs", () => {
  const idle = (records: readonly StreamRecord[], ...args: string[]): Ran =>
    run(process.execPath, [`${EXAMPLES}/idle-gpus.mjs`, "--minutes", "30", ...args], records);
  const HELD =
    "dgx-01 GPU 0: idle for 30 min, 71.0 GiB in use, held by alice, pid 4242, python, 70.0 GiB, for 30 min";

  const cases: readonly (readonly [
    what: string,
    records: readonly StreamRecord[],
    lines: readonly string[],
  ])[] = [
    ["30 minutes", stream(minutes(31)), [HELD]],
    ["29 minutes", stream(minutes(30)), []],
    ["a line for each idle time, however long", stream(minutes(200)), [HELD]],
    ["again after it was busy", stream([...minutes(31), { utilization: 90 }, ...minutes(31)]), [HELD, HELD]],
    ["busy for one reading in between", stream([...minutes(20), { utilization: 90 }, ...minutes(20)]), []],
    ["5 % is busy", stream(minutes(60, { utilization: 5 })), []],
    ["4.9 % is idle", stream(minutes(31, { utilization: 4.9 })), [HELD]],
    ["utilization that is never known", stream(minutes(60, { utilization: null })), []],
    ["away for 4 minutes", stream([...minutes(10), ...minutes(3, null), ...minutes(18)]), [HELD]],
    ["away for 10 minutes", stream([...minutes(20), ...minutes(10, null), ...minutes(20)]), []],
    ["free: no process and little memory", stream(minutes(60, { used_memory: 4 * 2 ** 20 }), []), []],
    [
      "memory that no process holds",
      stream(minutes(31), []),
      ["dgx-01 GPU 0: idle for 30 min, 71.0 GiB in use, held by no listed process"],
    ],
    ["the host's own memory", stream(minutes(60, { memory_source: "host" }), []), []],
    ["a process of another GPU", stream(minutes(60, { used_memory: 0 }), holder({ device_id: 1 })), []],
    [
      "a process of another vendor's tool",
      stream(minutes(60, { used_memory: 0, tool: "rocm-smi" }), [
        ...holder().map((each) => ({ ...each, tool: "nvidia-smi" })),
      ]),
      [],
    ],
    [
      "a process of several GPUs, of a job",
      stream(minutes(31), holder({ device_id: null, device_ids: [0, 1], slurm_job_id: 77, user: null })),
      [HELD.replace("alice", "unknown user").replace("python,", "python, job 77,")],
    ],
    [
      "a process of a pod that began later",
      [
        ...stream(minutes(21)),
        ...stream(minutes(31), [
          ...holder(),
          ...holder({ pid: 7, pod_name: "bob-0", pod_namespace: "ml" }),
        ]).slice(21),
      ],
      [`${HELD}; alice, pid 7, python, pod ml/bob-0, 70.0 GiB, for 9 min`],
    ],
  ];
  for (const [what, records, lines] of cases)
    test(what, () => {
      const ran = idle(records);
      assert.deepEqual(ran.lines, lines);
      assert.equal(ran.status, 0, ran.stderr);
      assert.equal(ran.stderr, "");
    });

  test("ticks that are far apart are no gap", () => {
    const hourly = stream(minutes(3)).map((record, tick) => ({
      ...record,
      timestamp: new Date(START_MS + tick * 3_600_000).toISOString(),
    }));
    assert.match(idle(hourly).lines.join("\n"), /^dgx-01 GPU 0: idle for 60 min,.* for 60 min$/);
  });

  test("its flags", () => {
    const used = stream(minutes(11, { utilization: 12 }));
    assert.equal(idle(used, "--minutes", "10", "--below", "20").lines.length, 1);
    const little = stream(minutes(31, { used_memory: 500 * 2 ** 20 }), []);
    assert.equal(idle(little, "--min-mib", "400").lines.length, 1);
    const wrong = idle([], "--minutes", "soon");
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /--minutes needs a number, not soon/);
  });

  test("a stream without processes gives one warning a host", () => {
    const records = stream(minutes(3)).map((record) => {
      const { gpus = [] } = record as FrameRecord;
      return frame({ tick: record.tick ?? 0, timestamp: record.timestamp, gpus });
    });
    assert.match(idle(records).stderr, /^dgx-01: no list of processes; .*--include gpu,process.*\n$/);
  });
});

const hasJq = spawnSync("jq", ["--version"]).status === 0;
const skip = hasJq ? false : "SKIPPED LOUDLY: jq is not installed";

describe("memory-without-process.jq", { skip }, () => {
  const print = (records: readonly StreamRecord[], env = {}): readonly string[] => {
    const ran = run("jq", ["-rf", `${EXAMPLES}/memory-without-process.jq`], records, env);
    assert.equal(ran.status, 0, ran.stderr);
    return ran.lines;
  };
  const on = (changes: Partial<Gpu>, processes = holder()): readonly StreamRecord[] =>
    stream([changes], processes);

  test("memory of no process, from 1 GiB or MIN_GIB on", () => {
    const left = on({ memory_unaccounted: 1.5 * GIB });
    const line = "dgx-01 GPU 0: no listed process has 1.5 GiB of the 71 GiB in use";
    assert.deepEqual(print(left), [line]);
    assert.deepEqual(print(left, { MIN_GIB: "2" }), []);
    assert.deepEqual(print(on({ memory_unaccounted: GIB / 2 })), []);
    assert.deepEqual(print(on({ memory_unaccounted: null })), []);
    assert.deepEqual(print(on({})), []);
    assert.deepEqual(print([state(), frame({})]), []);
  });

  test("a listed process that the host does not have", () => {
    const dead = holder({ pid: 99, state: null, user: null });
    const line = "dgx-01 GPU 0: pid 99 (python) has 70 GiB, and the host has no such process";
    assert.deepEqual(print(on({}, [...holder(), ...dead])), [line]);
    assert.deepEqual(print(on({}, [...holder(), ...holder({ pid: 99, state: null, device_id: 1 })])), []);
    assert.deepEqual(print(on({}, dead)), [], "no process of the host is known");
  });

  test("through a real host", { skip: missing ?? false }, async () => {
    const columns = [
      "index",
      "uuid",
      "name",
      "utilization.gpu [%]",
      "memory.used [MiB]",
      "memory.total [MiB]",
    ];
    const apps = [
      "gpu_uuid, pid, process_name, used_gpu_memory [MiB]",
      "GPU-1, 1, $first, 2048 MiB",
      "GPU-1, 4194304, python, 3072 MiB",
    ];
    const nvidiaSmi = fakeNvidiaSmi({
      columns,
      rows: ["0, GPU-1, A100, 0, 9216, 81920", "1, GPU-2, A100, 0, 4, 81920"],
      cases: [
        `--query-compute-apps=*) read -r first </proc/1/comm; printf '%s\\n' ${apps.map((row) => `"${row}"`).join(" ")};;`,
      ],
    });
    const { frames, stderr } = await watchHost({
      programs: { "nvidia-smi": `${SH}${nvidiaSmi}\n` },
      args: ["--once", "--include", "gpu,process"],
    });
    assert.deepEqual(
      frames[0]?.gpus?.map((each) => each.memory_unaccounted),
      [4 * GIB, 4 * 2 ** 20],
      stderr,
    );
    assert.deepEqual(print(frames), [
      "127.0.0.1 GPU 0: no listed process has 4 GiB of the 9 GiB in use",
      "127.0.0.1 GPU 0: pid 4194304 (python) has 3 GiB, and the host has no such process",
    ]);
    const plain = await watchHost({
      programs: { "nvidia-smi": `${SH}${FAKE_A100}\n` },
      args: ["--once", "--include", "gpu"],
    });
    assert.equal("memory_unaccounted" in (plain.frames[0]?.gpus?.[0] ?? assert.fail()), false);
  });
});
