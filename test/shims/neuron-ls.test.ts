import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { neuronLsShim } from "../../src/shims/neuron-ls.js";
import { testParserProperties } from "../support/parser-properties.js";
import { firstReading, partOutputs, probeContext } from "../support/shim-outputs.js";

const device = (index: number, value?: string): string =>
  JSON.stringify(
    {
      neuron_device: index,
      bdf: value ?? `0000:0${String(index)}:00.0`,
      numa_node: value ?? "1",
      nc_count: 2,
      memory_size: value ?? 34359738368,
      neuroncore_ids: [2 * index, 2 * index + 1],
      neuron_processes: [],
    },
    null,
    4,
  );

testParserProperties({
  shim: neuronLsShim,
  part: "neuron-ls.devices",
  others: {
    "neuron-ls.monitor": report(Object.fromEntries(Array.from({ length: 12 }, (_, core) => [core, 50]))),
  },
  device,
  assemble: (devices) => `[\n${devices.join(",\n")}\n]\n`,
  samples: [`[${device(0)}]`],
});

/** One application that uses these cores, in percent. */
function report(cores: Readonly<Record<string, number | string>>, error = ""): string {
  const inUse = Object.entries(cores).map(([core, share]) => [core, { neuroncore_utilization: share }]);
  return `${JSON.stringify({
    neuron_runtime_data: [
      {
        error: "",
        report: { neuroncore_counters: { neuroncores_in_use: Object.fromEntries(inUse) as object, error } },
      },
    ],
    neuron_hardware_info: { neuron_device_type: "trainium1", error: "" },
  })}\n`;
}

function utilizations(monitor: string): readonly (number | null)[] {
  const outputs = partOutputs({
    "neuron-ls.devices": `[${device(0)}, ${device(1)}]`,
    "neuron-ls.monitor": monitor,
  });
  return (firstReading(neuronLsShim, outputs).sections.gpus ?? []).map((gpu) => gpu.utilization);
}

test("a core that is not in use is idle; what could not be read is null, and never 0", () => {
  assert.deepEqual(utilizations(report({ "0": 50, "1": 25 })), [37.5, 0]);
  assert.deepEqual(utilizations(report({ "3": 80 })), [0, 40]);
  assert.deepEqual(utilizations(report({ "0": "N/A" })), [null, 0]);
  assert.deepEqual(utilizations(report({ "0": 50 }, "cannot read the counters")), [null, null]);
  assert.deepEqual(utilizations(""), [null, null]);
});

test("without a shell, and without a report, the devices are there and an error has the reason why nothing is read", () => {
  assert.deepEqual(
    neuronLsShim.probe(probeContext(["gpu"], "plain")).map(({ command }) => command),
    ["{tool} -j"],
  );
  const outputs = partOutputs({ "neuron-ls.devices": `[${device(0)}]`, "neuron-ls.monitor": "" });
  const { sections, errors } = firstReading(neuronLsShim, outputs);
  assert.equal(sections.gpus?.[0]?.total_memory, 34359738368);
  assert.deepEqual(errors, [
    { section: "gpu", kind: "error", message: "neuron-monitor: it printed no report" },
  ]);
});

test("neuron-monitor gets its configuration on standard input, and ends after its first report", () => {
  const part = neuronLsShim.probe(probeContext(["gpu"])).find(({ id }) => id === "neuron-ls.monitor");
  const fake =
    'neuron_monitor() { cat "$2"; while printf "\\n{}"; do sleep 0.05; done; }; ' +
    'b() { [ "$1" = neuron-monitor ] && shift && neuron_monitor "$@"; }; ';
  const printed = execFileSync("sh", ["-c", fake + (part?.command ?? "exit 1")], {
    encoding: "utf8",
    timeout: 20_000,
  });
  const config = JSON.parse(printed) as { readonly period: string; readonly system_metrics: unknown };
  assert.equal(config.period, "1s");
  assert.deepEqual(config.system_metrics, [{ type: "neuron_hw_counters" }]);
});
