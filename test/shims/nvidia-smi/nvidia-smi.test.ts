import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ParseError } from "../../../src/contract/errors.js";
import type { Gpu } from "../../../src/contract/record.js";
import { readCsv } from "../../../src/shims/kit/csv-rows.js";
import type { Reading } from "../../../src/shims/kit/shim.js";
import { readApps, withInstanceIds } from "../../../src/shims/nvidia-smi/apps.js";
import { throttleReasons } from "../../../src/shims/nvidia-smi/cells.js";
import { explainFailure, lostGpu } from "../../../src/shims/nvidia-smi/failures.js";
import { fieldsOfDriver } from "../../../src/shims/nvidia-smi/driver-fields.js";
import {
  fieldsInHelp,
  QUERY_FIELDS,
  queryCommand,
  TEN_FIELDS,
} from "../../../src/shims/nvidia-smi/fields.js";
import { NVIDIA_HOLDER } from "../../../src/shims/nvidia-smi/nvidia-smi.js";
import { nvidiaSmiShim } from "../../../src/shims/nvidia-smi.js";
import { PROBE_COMMAND } from "../../../src/shims/nvidia-smi/probe-command.js";
import { readQuery } from "../../../src/shims/nvidia-smi/query.js";
import { wholeLines } from "../../../src/shims/nvidia-smi/sections.js";
import { readSmiXml } from "../../../src/shims/nvidia-smi/xml.js";
import { makeTools } from "../../support/fake-tools.js";
import { GOLDEN_ROOT } from "../../support/golden.js";
import { testParserProperties } from "../../support/parser-properties.js";
import { gpu } from "../../support/records.js";
import { firstReading, partOutputs, probeContext } from "../../support/shim-outputs.js";
import { makeTempDir } from "../../support/temp-dir.js";

const golden = (file: string): string => readFileSync(`${GOLDEN_ROOT}nvidia-smi/${file}`, "utf8");

const MOVING: ReadonlySet<string> = new Set([
  "utilization",
  "memory_utilization",
  "temperature",
  "temperature_memory",
  "frequency",
  "clock_sm",
  "power_consumption",
]);
/** Fields that are not read from the XML. */
const ONLY_IN_ROWS = [
  "ecc_corrected_total",
  "ecc_uncorrected_total",
  "ecc_corrected_since_load",
  "ecc_uncorrected_since_load",
  "throttle_reasons",
] as const;
/** Fields that the recorded rows were not asked for. */
const ONLY_IN_XML: ReadonlySet<string> = new Set([
  "pcie",
  "encoder_utilization",
  "decoder_utilization",
  "temperature_margin",
  "frequency_max",
  "clock_memory_max",
  "clock_sm_max",
  "power_limit_default",
  "power_limit_min",
  "power_limit_max",
  "ecc_sram_threshold_exceeded",
  "retired_pages_single_bit",
  "retired_pages_double_bit",
  "remapped_rows_correctable",
  "remapped_rows_uncorrectable",
  "remapped_rows_histogram",
  "throttle_time_sw_power_cap",
  "throttle_time_sw_thermal",
  "throttle_time_hw_thermal",
  "throttle_time_hw_power_brake",
  "pcie_link_gen_max",
  "pcie_link_width_max",
  "fabric_state",
  "fabric_status",
]);
/** Without those; of a reading that changes between the two commands, only the type is compared. */
function comparable({ detail, ...gpu }: Gpu): object {
  const entries = Object.entries(gpu).filter(
    ([key]) => !ONLY_IN_XML.has(key) && !ONLY_IN_ROWS.some((only) => only === key),
  );
  const values = entries.map(([key, value]) => [key, MOVING.has(key) ? typeof value : value] as const);
  const texts = Object.entries(detail).filter(
    ([key]) => !["compute_capability", "cuda_version"].includes(key),
  );
  return { ...Object.fromEntries(values), detail: Object.fromEntries(texts) };
}

const HEADER =
  "index, uuid, name, driver_version, utilization.gpu [%], memory.used [MiB], memory.total [MiB], " +
  "temperature.gpu, clocks.current.graphics [MHz], power.draw [W], fan.speed [%], pstate, " +
  "ecc.errors.corrected.aggregate.total, clocks_event_reasons.active, pcie.link.gen.current, pci.bus_id";
const uuidOf = (index: number): string => `GPU-5d3f1c52-8f1e-4f6a-9a34-00000000000${String(index)}`;
const gpuRow = (index: number, value?: string): string =>
  [
    String(index),
    uuidOf(index),
    `NVIDIA Board, rev ${String(index)}`,
    "575.57.08",
    value ?? `${String(index)}7`,
    value ?? "1410",
    value ?? "81559",
    value ?? "45",
    value ?? "1980",
    value ?? "301.25",
    value ?? "33",
    value ?? "P2",
    value ?? "4",
    value ?? "0x0000000000000004",
    value ?? "4",
    `00000000:0${String(index + 1)}:00.0`,
  ].join(", ");

testParserProperties({
  shim: nvidiaSmiShim,
  part: "nvidia-smi.query",
  others: {
    "nvidia-smi.apps": `gpu_uuid, pid, process_name, used_gpu_memory [MiB]\n${uuidOf(0)}, 4711, python, 512\n`,
  },
  device: gpuRow,
  assemble: (rows) => `${HEADER}\n${rows.join("\n")}\n`,
  samples: [
    golden("mig-h200/nvidia-smi.query/stdout.txt"),
    golden("mig-h200/nvidia-smi.xml/stdout.txt"),
    golden("mig-h200/nvidia-smi.list/stdout.txt"),
    golden("mig-h200/nvidia-smi.apps/stdout.txt"),
    golden("unknown-error-row/stdout.txt"),
    golden("tesla-k80-390/stdout.txt"),
  ],
});

describe("nvidia-smi rows", () => {
  test("commas in one column are counted off from both ends", () => {
    const { lines } = readCsv("1, a, b, c, 9", ["index", "name", "power.draw"], "name");
    assert.deepEqual(lines, [
      {
        kind: "row",
        cells: new Map([
          ["index", "1"],
          ["name", "a, b, c"],
          ["power.draw", "9"],
        ]),
      },
    ]);
  });

  test("a row whose values are in the wrong columns is an error and no device", () => {
    const { gpus, errors } = readQuery(`0, GPU-1, A, B, 550.1, 3\n`, [
      "index",
      "uuid",
      "name",
      "driver_version",
      "x",
    ]);
    assert.deepEqual(
      gpus.map((gpu) => gpu.name),
      ["A, B"],
    );
    assert.deepEqual(errors, []);
    const slid = readQuery(`0, GPU-1, A, B, 3\n`, ["index", "uuid", "name", "driver_version", "x"]);
    assert.deepEqual(slid.gpus, []);
    assert.equal(slid.errors[0]?.kind, "parse");
  });

  test("a wrapper that always prints the ten columns is read by them", () => {
    const row = `0, ${uuidOf(0)}, NVIDIA A10, 535.129.03, 3, 4, 23028, 33, 210, 43.89`;
    const { gpus, columns } = readQuery(
      `@fields ${fieldsInHelp('"uuid" "fan.speed"').join(",")}\n${row}\n@exit 0\n`,
      [],
    );
    assert.deepEqual(columns, TEN_FIELDS);
    assert.deepEqual(
      gpus.map((gpu) => [gpu.name, gpu.power_consumption]),
      [["NVIDIA A10", 43.89]],
    );
  });

  test("error lines between rows never hide a healthy row", () => {
    const noise = fc.constantFrom(
      "Unable to determine the device handle for GPU0000:09:00.0: Unknown Error",
      Array(16).fill("[Unknown Error]").join(", "),
      "WARNING: infoROM is corrupted at gpu 0000:06:00.0",
      gpuRow(9, "[GPU is lost]"),
      "",
    );
    const lines = fc.array(fc.oneof(fc.nat(5), noise), { maxLength: 12 });
    fc.assert(
      fc.property(lines, (mixed) => {
        const wanted = [...new Set(mixed.filter((line) => typeof line === "number"))];
        const text = mixed.map((line) => (typeof line === "number" ? gpuRow(line) : line)).join("\n");
        const { gpus, errors } = readQuery(`${HEADER}\n${text}\n`, []);
        const healthy = gpus.filter((gpu) => gpu.error === undefined);
        assert.deepEqual(
          healthy.map((gpu) => gpu.uuid),
          wanted.map(uuidOf),
        );
        for (const gpu of gpus) if (gpu.error !== undefined) assert.notEqual(errors.length, 0);
      }),
    );
  });

  test("a tool that was killed while it printed leaves no half number", () => {
    const outputs = (stdout: string) =>
      partOutputs({ "nvidia-smi.query": { stdout, end: { kind: "timeout", afterSecs: 5 } } });
    const half = `${HEADER}\n${gpuRow(0)}\n${gpuRow(1).slice(0, -1)}`;
    const { sections, errors } = firstReading(nvidiaSmiShim, outputs(half), probeContext(["gpu"]));
    assert.deepEqual(
      sections.gpus?.map((gpu) => gpu.index),
      [0],
    );
    assert.deepEqual(
      errors.map((error) => error.kind),
      ["timeout"],
    );
  });

  test("a query that is cut anywhere gives its whole rows, with or without the newline of the last one", () => {
    const header = "index, uuid, name, power.draw [W], pci.bus_id";
    const rows = ["3E", "4F"].map(
      (bus, at) => `${at}, ${uuidOf(at)}, NVIDIA L4, 17.25, 00000000:${bus}:00.0`,
    );
    const text = [header, ...rows, ""].join("\n");
    const end = { kind: "timeout", afterSecs: 5 } as const;
    for (let length = 0; length <= text.length; length++) {
      const stdout = text.slice(0, length);
      const { gpus } = readQuery(wholeLines({ stdout, stderr: "", end }), []);
      const isThere = (row: string): boolean => stdout.includes(row);
      assert.deepEqual(
        gpus.map(({ uuid, power_consumption }) => [uuid, power_consumption]),
        rows.flatMap((row, at) => (isThere(row) ? [[uuidOf(at), 17.25]] : [])),
        JSON.stringify(stdout.slice(-40)),
      );
    }
  });

  test("the names of throttle reasons are the bits of nvml.h", () => {
    assert.deepEqual(throttleReasons("0x0000000000000000"), []);
    assert.deepEqual(throttleReasons("0x00000000000000E1"), [
      "gpu_idle",
      "sw_thermal_slowdown",
      "hw_thermal_slowdown",
      "hw_power_brake_slowdown",
    ]);
    assert.deepEqual(throttleReasons("0x8000000000000200"), ["0x200", "0x8000000000000000"]);
    for (const none of ["N/A", "[N/A]", "Active", "0x", ""]) assert.equal(throttleReasons(none), null);
  });

  test("sentences about lost GPUs have several wordings", () => {
    const busId = "00000000:2A:00.0";
    const cases = [
      ["Unable to determine the device handle for GPU0000:2A:00.0: Unknown Error", null, "Unknown Error"],
      [
        "Unable to determine the device handle for GPU 0000:2a:00.0: GPU is lost.  Reboot",
        null,
        "GPU is lost. Reboot",
      ],
      ["Unable to determine the device handle for gpu 0000:2A:00.0: Not Found", null, "Not Found"],
      ["Unable to determine the device handle for GPU3: 0000:2A:00.0: Unknown Error", 3, "Unknown Error"],
      ["Unable to determine the device handle for GPU 00000000:2A:00.0", null, "Unknown Error"],
    ] as const;
    for (const [line, index, reason] of cases)
      assert.deepEqual(lostGpu(line), { index, busId, reason }, line);
    assert.equal(lostGpu("No devices were found"), null);
  });

  test("an exit status without output is explained too", () => {
    assert.equal(
      explainFailure("", 9),
      "the NVIDIA driver is not loaded; nvidia-smi exited 9 and printed nothing",
    );
    assert.match(explainFailure("", 17), /blocks the GPUs' control device .*; nvidia-smi exited 17/);
    assert.equal(explainFailure("", 77), "nvidia-smi exited 77 and printed nothing");
    assert.equal(explainFailure("what\nnow", 77), "nvidia-smi: what; now");
  });

  test("the messages of -L and of the query for no GPU are both known", () => {
    for (const output of ["No devices were found\n", "No devices found.\n"])
      assert.match(
        explainFailure(output, null),
        /^the NVIDIA driver is loaded and shows no GPU .*; nvidia-smi: No/,
      );
  });

  test("the XML and the row of a GPU give the same readings", () => {
    for (const name of ["h100-580-idle", "h100-580-load"]) {
      const [row] = readQuery(golden(`${name}/nvidia-smi.query/stdout.txt`), []).gpus;
      const [fromXml] = readSmiXml(golden(`${name}/nvidia-smi.xml/stdout.txt`));
      assert.ok(row && fromXml);
      assert.equal(row.detail["compute_capability"], "9.0");
      for (const key of ONLY_IN_ROWS) assert.ok(key in row, key);
      assert.deepEqual(comparable(fromXml.gpu), comparable(row), name);
    }
  });

  test("the XML of a recorded H100 gives what its elements hold", () => {
    const [idle, load] = ["h100-580-idle", "h100-580-load"].map(
      (name) => readSmiXml(golden(`${name}/nvidia-smi.xml/stdout.txt`))[0]?.gpu,
    );
    assert.ok(idle && load);
    const picked = (gpu: Gpu): object =>
      Object.fromEntries(Object.entries(gpu).filter(([key]) => ONLY_IN_XML.has(key)));
    assert.deepEqual(picked(idle), {
      encoder_utilization: 0,
      decoder_utilization: 0,
      temperature_margin: 50,
      frequency_max: 1980,
      clock_memory_max: 2619,
      clock_sm_max: 1980,
      power_limit_default: 700,
      power_limit_min: 200,
      power_limit_max: 700,
      ecc_sram_threshold_exceeded: false,
      retired_pages_single_bit: null,
      retired_pages_double_bit: null,
      remapped_rows_correctable: 0,
      remapped_rows_uncorrectable: 0,
      remapped_rows_histogram: { max: 2560, high: 0, partial: 0, low: 0, none: 0 },
      throttle_time_sw_power_cap: 0,
      throttle_time_sw_thermal: 0,
      throttle_time_hw_thermal: 0,
      throttle_time_hw_power_brake: 0,
      pcie_link_gen_max: 5,
      pcie_link_width_max: 16,
      pcie: { replay_errors: 0, rx_bytes_per_second: 671e3, tx_bytes_per_second: 1037e3, ticks_ago: 0 },
      fabric_state: null,
      fabric_status: null,
    });
    assert.deepEqual(
      [load.temperature_margin, load.throttle_time_sw_power_cap, load.detail["cuda_version"]],
      [22, 9308626, "13.0"],
    );
  });

  test("a process on two GPUs has the instance of each", () => {
    const on = (uuid: string, instance: number): string =>
      `<gpu id="00000000:0${instance}:00.0"><uuid>${uuid}</uuid><processes><process_info>` +
      `<gpu_instance_id>${instance}</gpu_instance_id><compute_instance_id>0</compute_instance_id>` +
      `<pid>77</pid></process_info></processes></gpu>`;
    const xml = readSmiXml(`<nvidia_smi_log>${on(uuidOf(0), 1)}${on(uuidOf(1), 5)}</nvidia_smi_log>`);
    const rows = [uuidOf(1), uuidOf(0), "MIG-6f2d9b0c-0000-5000-8000-000000000001"]
      .map((uuid) => `${uuid}, 77, a, 512\n`)
      .join("");
    const { processes } = readApps(`gpu_uuid, pid, process_name, used_gpu_memory [MiB]\n${rows}`, [], []);
    assert.deepEqual(
      withInstanceIds(processes, xml).map(({ gpu_instance_id: instance }) => instance),
      [5, 1, 1],
    );
  });
});

describe("nvidia-smi ticks", () => {
  const sampler = () => {
    const verdict = nvidiaSmiShim.judge(
      partOutputs({ "nvidia-smi.query": `${HEADER}\n${gpuRow(0)}\n` }),
      probeContext(["gpu", "process"]),
    );
    assert.equal(verdict.kind, "usable");
    return verdict.sampler;
  };
  const apps = `gpu_uuid, pid, process_name, used_gpu_memory [MiB]\n${uuidOf(0)}, 4711, a, b, 512\n`;

  test("a driver that goes away costs the GPUs and is an error", () => {
    const stdout = "Failed to initialize NVML: Driver/library version mismatch\n";
    const end = { kind: "exit", code: 18 } as const;
    const { sections, errors } = sampler().parse(
      partOutputs({ "nvidia-smi.query": { stdout, end }, "nvidia-smi.apps": { stdout, end } }),
    );
    assert.deepEqual(sections, {});
    assert.deepEqual(
      errors.map(({ section, kind, exit_code }) => ({ section, kind, exit_code })),
      [
        { section: "gpu", kind: "error", exit_code: 18 },
        { section: "process", kind: "error", exit_code: 18 },
      ],
    );
    assert.match(errors[0]?.message ?? "", /differ in version.*version mismatch/);
  });

  test("a driver that no longer knows a field asks for a new probe", () => {
    const stdout = 'Field "no.such" is not a valid field to query.\n\n';
    const { sections, errors, outdated } = sampler().parse(
      partOutputs({
        "nvidia-smi.query": { stdout, end: { kind: "exit", code: 2 } },
        "nvidia-smi.apps": apps,
      }),
    );
    assert.equal(sections.gpus, undefined);
    assert.equal(outdated, true);
    assert.match(errors[0]?.message ?? "", /^this driver does not know a field .*"no\.such"/);
  });

  test("processes keep the device numbers of the last good query", () => {
    const end = { kind: "timeout", afterSecs: 5 } as const;
    const { sections, errors } = sampler().parse(
      partOutputs({ "nvidia-smi.query": { end }, "nvidia-smi.apps": apps }),
    );
    assert.equal(sections.gpus, undefined);
    assert.deepEqual(
      sections.processes?.map(({ pid, device_id, process_name }) => ({ pid, device_id, process_name })),
      [{ pid: 4711, device_id: 0, process_name: "a, b" }],
    );
    assert.deepEqual(
      errors.map((error) => error.kind),
      ["timeout"],
    );
  });

  test("any bytes as processes or XML give a result or a ParseError", () => {
    const bytes = fc.string({ unit: "binary", maxLength: 300 });
    const pieces = fc.array(
      fc.constantFrom("<gpu>", "</gpu>", "<nvidia_smi_log>", "<pid>", "7", "<a/>", "<!--", "&amp;", "\u0000"),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          pieces.map((list) => list.join("")),
        ),
        (text) => {
          for (const process of readApps(text, [], []).processes)
            assert.ok(Number.isSafeInteger(process.pid));
          try {
            for (const { gpu } of readSmiXml(text)) assert.equal(gpu.device_type, "GPU");
          } catch (error) {
            assert.ok(error instanceof ParseError);
          }
        },
      ),
    );
  });

  test("what is not asked for is not run", () => {
    const parts = (include: Parameters<typeof probeContext>[0]) => {
      const outputs = partOutputs({ "nvidia-smi.query": `${HEADER}\n${gpuRow(0)}\n` });
      const verdict = nvidiaSmiShim.judge(outputs, probeContext(include));
      return "sampler" in verdict ? verdict.sampler.parts.map((part) => part.id) : [];
    };
    assert.deepEqual(parts(["gpu"]), ["nvidia-smi.query"]);
    assert.deepEqual(parts(["gpu", "process"]), ["nvidia-smi.query", "nvidia-smi.apps"]);
    assert.deepEqual(parts(["process"]), ["nvidia-smi.apps"]);
    assert.deepEqual(parts(["cpu"]), []);
  });

  test("only our own field names reach a command", () => {
    const command = queryCommand(["index", "uuid", "$(reboot)", "name;reboot"]);
    assert.equal(command, "{tool} --query-gpu=index,uuid --format=csv,nounits");
    assert.equal(queryCommand(["rm"]), queryCommand(TEN_FIELDS));
  });
});

describe("nvidia-smi probe script", () => {
  const HELP = (fields: readonly string[]): string => fields.map((field) => `"${field}"\nText.\n`).join("\n");
  const shells = ["sh", "dash", "bash", "ksh", "busybox", "zsh"].filter(
    (name) => spawnSync("/bin/sh", ["-c", `command -v ${name}`]).status === 0,
  );
  /** A tool that refuses fields that its help does not list, as every driver does. */
  const fakeTool = (help: string, rows: string, status: number, before = ":"): string =>
    [
      before,
      `case $1 in`,
      `--help-query-gpu) cat <<'END'\n${help}\nEND\n;;`,
      `--query-gpu=*) f=\${1#--query-gpu=}; IFS=,; for x in $f; do case '${help.replaceAll("\n", " ")}' in *"\\"$x\\""*) ;; *)`,
      `echo "Field \\"$x\\" is not a valid field to query."; exit 2;; esac; done`,
      `cat <<'END'\n${rows}\nEND\nexit ${String(status)};;`,
      `esac`,
    ].join("\n");

  const SHELL_ARGS: Readonly<Record<string, readonly string[]>> = {
    busybox: ["ash"],
    zsh: ["--emulate", "sh"],
  };
  function run(
    shell: string,
    tool: string,
    command = PROBE_COMMAND,
    version = "",
  ): { stdout: string; status: number | null } {
    const dir = makeTempDir("nvidia-smi");
    const bin = makeTools(dir.path, { "nvidia-smi": tool });
    const script = `n="\n"; b() { "$@"; }; x() { exec "$@"; }; f() { :; }; w() { printf %s "$1"; }; ks() { kk=$version; }; version="${version}"; ${command.replaceAll("{tool}", `${bin}/nvidia-smi`)}`;
    const args = [...(SHELL_ARGS[shell] ?? []), "-c", script];
    const { stdout, status } = spawnSync(shell, args, { encoding: "utf8" });
    dir.remove();
    return { stdout, status };
  }

  for (const shell of shells) {
    test(`asks for what help lists under ${shell}`, () => {
      const known = [
        ...TEN_FIELDS,
        "fan.speed",
        "clocks_throttle_reasons.active",
        "clocks_event_reasons.active",
        "pci.bus_id",
      ];
      const { stdout, status } = run(shell, fakeTool(HELP(known), `0, ${uuidOf(0)}`, 0));
      const asked = [...TEN_FIELDS, "fan.speed", "clocks_event_reasons.active", "pci.bus_id"];
      assert.equal(stdout, `@fields ${asked.join(",")}\n0, ${uuidOf(0)}\n@exit 0\n`);
      assert.equal(status, 0);
      assert.deepEqual(fieldsInHelp(HELP(known)), asked);
    });

    test(`asks for the fields of the driver's version without its help, under ${shell}`, () => {
      const refused =
        'case $1 in *fabric*) echo "Field \\"fabric.state\\" is not a valid field to query."; exit 7;; esac';
      const asked = (version: string, before: string): readonly string[] => {
        const noted = 'case $1 in --query*) echo 0, "GPU-${1#*=}";; *) exit 1;; esac; exit 0';
        const state = version === "" ? "" : `${version} /usr/bin/nvidia-smi `;
        return run(shell, `${before}\n${noted}`, PROBE_COMMAND, state).stdout.split("\n");
      };
      for (const version of ["590.48.01", "610.57.04"]) {
        const fields = fieldsOfDriver(version)?.join(",");
        const lines = [
          `@fields ${fields}`,
          `0, GPU-${fields}`,
          "@exit 0",
          `@state ${version} /usr/bin/nvidia-smi `,
          "",
        ];
        assert.deepEqual(asked(version, ":"), lines);
      }
      const ten = TEN_FIELDS.join(",");
      for (const version of ["570.86.15", "5800.1"])
        assert.deepEqual(asked(version, ":"), [`@fields ${ten}`, `0, GPU-${ten}`, "@exit 0", ""], version);
      // Refused, as by a wrapper: help chooses, and where it fails too, nothing is kept.
      const byStatus = [0, 1, 2, 3, 7, 64, 255].map(
        (status) => `case $1 in *fabric*) echo no such option; exit ${status};; esac`,
      );
      for (const before of [refused, ...byStatus])
        assert.deepEqual(
          asked("590.48.01", before),
          [`@fields ${ten}`, `0, GPU-${ten}`, "@exit 0", ""],
          before,
        );
      // What NVML or the deadline ended is not asked again, and rows are taken whatever the status is.
      for (const [before, status] of [
        ["exit 9", 9],
        ["exit 18", 18],
        ["exit 124", 124],
        ["exit 137", 137],
        ['echo 0, "GPU-${1#*=}"; exit 15', 15],
      ] as const)
        assert.deepEqual(
          [...asked("590.48.01", `case $1 in *fabric*) ${before};; esac`)].slice(-3),
          [`@exit ${status}`, "@state 590.48.01 /usr/bin/nvidia-smi ", ""],
          before,
        );
    });

    test(`asks for every field of ours under ${shell}`, () => {
      const { stdout } = run(shell, fakeTool(HELP(QUERY_FIELDS), `0, ${uuidOf(0)}`, 0));
      const asked = fieldsInHelp(HELP(QUERY_FIELDS));
      assert.equal(stdout.split("\n")[0], `@fields ${asked.join(",")}`);
      // Two fields have two names each, of which the newer one is asked for.
      assert.equal(asked.length, QUERY_FIELDS.length - 2);
    });

    test(`falls back to ten columns under ${shell}`, () => {
      const liar = `case $1 in *fan.speed*) echo 'Field "fan.speed" is not a valid field to query.'; exit 2;; esac`;
      const { stdout } = run(shell, fakeTool(HELP([...TEN_FIELDS, "fan.speed"]), `0, ${uuidOf(0)}`, 0, liar));
      assert.equal(stdout, `@fields ${TEN_FIELDS.join(",")}\n0, ${uuidOf(0)}\n@exit 0\n`);
      const silent = run(shell, `case $1 in --query-gpu=*) echo "$1 ${uuidOf(1)}";; *) exit 1;; esac`);
      assert.equal(silent.stdout.split("\n")[1], `--query-gpu=${TEN_FIELDS.join(",")} ${uuidOf(1)}`);
    });

    test(`leaves out the fields that a driver refuses, and asks for the rest, under ${shell}`, () => {
      const refuse = (...fields: readonly string[]): string =>
        fields
          .map(
            (field) =>
              `case ,$1, in *[,=]${field},*) echo 'Field "${field}" is not a valid field to query.'; exit 2;; esac`,
          )
          .join("\n");
      const rest = (...gone: readonly string[]): string =>
        TEN_FIELDS.filter((field) => !gone.includes(field)).join(",");
      const asked = (help: string, ...gone: readonly string[]): string | undefined =>
        run(
          shell,
          [
            refuse(...gone),
            `case $1 in --help*) cat <<'END'`,
            help,
            "END",
            ";;",
            `*) echo "0, ${uuidOf(0)}";; esac`,
          ].join("\n"),
        ).stdout.split("\n")[0];
      assert.equal(asked("no such option", "driver_version"), `@fields ${rest("driver_version")}`);
      assert.equal(
        asked("", "power.draw", "index", "clocks.current.graphics"),
        `@fields ${rest("power.draw", "index", "clocks.current.graphics")}`,
      );
      const listed = asked(HELP([...TEN_FIELDS, "fan.speed", "pci.bus_id"]), "fan.speed", "driver_version");
      assert.equal(listed, `@fields ${rest("driver_version")},pci.bus_id`);
    });

    test(`asks a driver for the version that its help lists, under ${shell}`, () => {
      for (const [known, asked] of [
        [["driver_version", "kmd_version"], ["kmd_version"]],
        [["kmd_version"], ["kmd_version"]],
        [[], []],
      ] as const) {
        const nine = TEN_FIELDS.filter((field) => field !== "driver_version");
        const help = HELP([...nine, ...known]);
        const { stdout } = run(shell, fakeTool(help, `0, ${uuidOf(0)}`, 0));
        assert.equal(stdout.split("\n")[0], `@fields ${[...nine, ...asked].join(",")}`);
        assert.deepEqual(fieldsInHelp(help), [...nine, ...asked]);
      }
    });

    test(`ends with 0 exactly when a GPU answered, under ${shell}`, () => {
      const statusOf = (rows: string, status: number) =>
        run(shell, fakeTool(HELP(TEN_FIELDS), rows, status)).status;
      assert.equal(statusOf(`0, ${uuidOf(0)}`, 15), 0);
      assert.equal(statusOf("0, [Unknown Error], 3100, 00000000:17:00.0", 15), 0);
      assert.equal(statusOf("No devices were found", 0), 6);
      assert.equal(statusOf("Failed to initialize NVML", 9), 9);
    });
  }

  for (const shell of shells) {
    test(`asks for MIG instances only where a GPU is in MIG mode, under ${shell}`, () => {
      const parts = nvidiaSmiShim.probe(probeContext(["gpu"]));
      assert.deepEqual(
        parts.map((part) => part.id),
        ["nvidia-smi.query", "nvidia-smi.list", "nvidia-smi.xml", "nvidia-smi.version"],
      );
      const ran = (row: string): string => {
        const tool = `case $1 in --query-gpu=*) echo "${row}";; -*) echo "ran $*";; esac`;
        return run(shell, tool, parts.map((part) => `{ ${part.command}; } </dev/null`).join("; ")).stdout;
      };
      const enabled = `0, ${uuidOf(0)}, Enabled, 0, None, Enabled, 00000000:18:00.0`;
      assert.match(ran(enabled), /@exit 0\nran -L\nran -q -x\nran --version\n$/);
      const disabled = `0, ${uuidOf(0)}, Enabled, 0, 70000, Enabled, 0, Disabled, 00000000:18:00.0`;
      assert.match(ran(disabled), /@exit 0\nran --version\n$/);
    });
  }

  test("is one line that any login shell hands on unharmed", () => {
    for (const mode of ["shell", "plain"] as const)
      for (const part of nvidiaSmiShim.probe(probeContext(["gpu", "process"], mode)))
        assert.doesNotMatch(part.command, /['!\n\r]|\\\\/);
    assert.equal(execFileSync("/bin/sh", ["-n", "-c", PROBE_COMMAND], { encoding: "utf8" }), "");
  });
});

describe("a field that a driver refuses", () => {
  const refusal = 'Field "driver_version" is not a valid field to query.\n';
  const rows = `index, uuid, name, utilization.gpu [%]\n0, ${uuidOf(0)}, A10, 5\n`;
  const answer = (stdout: string, code: number) =>
    partOutputs({ "nvidia-smi.query": { stdout, end: { kind: "exit", code } } });

  for (const mode of ["plain", "shell"] as const)
    test(`is not asked for again after a tick, ${mode}`, () => {
      const verdict = nvidiaSmiShim.judge(answer(rows, 0), probeContext(["gpu"], mode));
      assert.ok("sampler" in verdict);
      const { sampler } = verdict;
      const before = sampler.parts;
      sampler.parse(answer(rows, 0));
      assert.equal(sampler.parts, before);
      const refused = sampler.parse(answer('Field "name" is not a valid field to query.\n', 2));
      assert.equal(refused.sections.gpus, undefined);
      assert.notEqual(refused.errors.length, 0);
      assert.match(sampler.parts[0]?.command ?? "", /--query-gpu=index,uuid,utilization.gpu /);
      const next = sampler.parse(answer(`index, uuid, utilization.gpu [%]\n0, ${uuidOf(0)}, 6\n`, 0));
      assert.deepEqual(
        next.sections.gpus?.map(({ utilization }) => utilization),
        [6],
      );
    });

  test("costs a host without a shell one tick, help or no help", () => {
    for (const help of ["", '"uuid" "driver_version" "index" "name"']) {
      const outputs = new Map([
        ...answer(refusal, 2),
        ...partOutputs({ "nvidia-smi.help": help, "nvidia-smi.list": "" }),
      ]);
      const verdict = nvidiaSmiShim.judge(outputs, probeContext(["gpu"], "plain"));
      assert.ok("sampler" in verdict);
      assert.notEqual(verdict.sampler.parse(outputs).errors.length, 0);
      assert.doesNotMatch(verdict.sampler.parts[0]?.command ?? "driver_version", /driver_version/);
      assert.equal(verdict.sampler.parse(answer(rows, 0)).sections.gpus?.length, 1);
    }
  });
});

describe("a GPU that answers in part", () => {
  const read = (changes: Readonly<Record<string, string>>) => {
    const cells = {
      index: "2",
      uuid: uuidOf(2),
      name: "A10",
      "utilization.gpu": "5",
      "memory.used": "70",
      "memory.total": "23028",
      "temperature.gpu": "40",
      "clocks.current.graphics": "1695",
      "power.draw": "99.5",
      "fan.speed": "30",
      "ecc.mode.current": "Enabled",
      "pci.bus_id": "00000000:65:00.0",
      ...changes,
    };
    return readQuery(`${Object.keys(cells).join(", ")}\n${Object.values(cells).join(", ")}\n`, []);
  };
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, string | undefined])[] = [
    ["a lost one's single cell", { "power.draw": "[GPU is lost]" }, "GPU is lost"],
    ["one that requires a reset", { "ecc.mode.current": "[GPU requires reset]" }, "GPU requires reset"],
    ["ERR! of a fan", { "fan.speed": "ERR!" }, "ERR!"],
    ["[ERR!] of the power", { "power.draw": "[ERR!]" }, "ERR!"],
    ["an unknown error of a reading", { "temperature.gpu": "[Unknown Error]" }, "Unknown Error"],
    ["an unknown error of the uuid", { uuid: "[Unknown Error]" }, "Unknown Error"],
    ["an unknown error of one feature only", { "ecc.mode.current": "[Unknown Error]" }, undefined],
    [
      "half a row without permission",
      {
        "utilization.gpu": "[Insufficient Permissions]",
        "memory.used": "[Insufficient Permissions]",
        "power.draw": "[Insufficient Permissions]",
      },
      undefined,
    ],
    ["a reading that is not supported", { "power.draw": "[Not Supported]", "fan.speed": "[N/A]" }, undefined],
  ];
  for (const [name, changes, error] of cases)
    test(name, () => {
      const { gpus, errors } = read(changes);
      assert.equal(gpus.length, 1);
      assert.deepEqual([gpus[0]?.error, gpus[0]?.index, gpus[0]?.total_memory], [error, 2, 23028 * 2 ** 20]);
      const expected = error === undefined ? [] : ["00000000:65:00.0"];
      assert.deepEqual(
        errors.map(({ device }) => device),
        expected,
      );
    });

  test("a lost GPU has an index, null where nothing names it", () => {
    for (const line of [
      "Unable to determine the device handle for GPU0000:09:00.0: Unknown Error",
      "[Unknown Error], [Unknown Error]",
    ]) {
      const [lost] = readQuery(`index, uuid\n${line}\n`, []).gpus;
      assert.ok(lost !== undefined && Object.hasOwn(lost, "index"));
      assert.equal(lost.index, null);
    }
  });
});

describe("the driver's holder", () => {
  const wanted = (changes: readonly Partial<Gpu>[], errors: Reading["errors"] = []): boolean =>
    NVIDIA_HOLDER.isWanted({ sections: { gpus: changes.map((change) => gpu(change)) }, errors });
  test("is for hosts on which a GPU may be without any user", () => {
    assert.equal(wanted([{ persistence_mode: true }, { persistence_mode: true }]), false);
    assert.equal(wanted([{ persistence_mode: true }, { persistence_mode: false }]), true);
    assert.equal(wanted([{ persistence_mode: null }]), true);
    assert.equal(wanted([{}]), true, "a driver that does not report the mode");
    assert.equal(wanted([]), false);
  });
  test("is not for hosts with a failed GPU, which could not be reset then", () => {
    const lost = { error: "GPU is lost" };
    assert.equal(wanted([{ persistence_mode: false }, lost]), false);
    const errors = [{ section: "gpu", kind: "error", message: "GPU is lost" }] as const;
    assert.equal(wanted([{ persistence_mode: false }], errors), false);
  });
  test("asks for a field that is no reading, by our own constant", () => {
    assert.match(NVIDIA_HOLDER.command, /^\{tool\} --query-gpu=uuid [\w=, -]+$/);
  });
});
