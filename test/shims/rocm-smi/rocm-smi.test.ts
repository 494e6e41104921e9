import assert from "node:assert/strict";
import { test } from "node:test";
import { rocmSmiShim } from "../../../src/shims/rocm-smi/rocm-smi.js";
import { testParserProperties } from "../../support/parser-properties.js";
import { partOutputs, probeContext } from "../../support/shim-outputs.js";

const card = (index: number, value?: string): string =>
  `"card${String(index)}": ${JSON.stringify(
    {
      "Device Name": `AMD Instinct MI${String(index + 1)}00`,
      "Unique ID": `0x9aa4f4c5ef5e8c4${String(index)}`,
      "Temperature (Sensor edge) (C)": value ?? `4${String(index)}.5`,
      "Temperature (Sensor memory) (C)": value ?? "51.5",
      "sclk clock speed:": value ?? "(1502Mhz)",
      "mclk clock speed:": value ?? "(1200Mhz)",
      "Fan speed (%)": value ?? "13",
      "Max Graphics Package Power (W)": value ?? "290.0",
      "Average Graphics Package Power (W)": value ?? `3${String(index)}.5`,
      "GPU use (%)": value ?? "71",
      "GPU memory use (%)": value ?? "12",
      "VRAM Total Memory (B)": value ?? "34342961152",
      "VRAM Total Used Memory (B)": value ?? "21474836480",
    },
    null,
    4,
  )}`;

testParserProperties({
  shim: rocmSmiShim,
  part: "rocm-smi.metrics",
  others: { "rocm-smi.process-gpus": "PID 4711 is using 1 DRM device(s):\n0 \n" },
  device: card,
  assemble: (cards) => `{\n${cards.join(",\n")}\n}\n`,
  samples: [`{${card(0)}, "system": {"Driver version": "6.3.6", "PID4711": "a, b, 1, 512, 0, 0"}}`],
});

test("the command asks for processes only where they are included", () => {
  const commands = (include: Parameters<typeof probeContext>[0]) =>
    rocmSmiShim.probe(probeContext(include)).map((part) => part.command);
  assert.equal(commands(["gpu"]).length, 2, "the tool, and the driver's files");
  assert.doesNotMatch(commands(["gpu"]).join(), /pid/);
  assert.match(commands(["gpu", "process"]).join(), /--showpids --json,\{tool\} --showpidgpus/);
});

test("a tick in which the tool hangs has an error instead of the section", () => {
  const good = partOutputs({ "rocm-smi.metrics": `{${card(0)}}` });
  const verdict = rocmSmiShim.judge(good, probeContext(["gpu"]));
  assert.ok(verdict.kind === "usable");
  const { sections, errors } = verdict.sampler.parse(
    partOutputs({ "rocm-smi.metrics": { end: { kind: "timeout", afterSecs: 5 } } }),
  );
  assert.deepEqual(sections, {});
  assert.deepEqual(errors, [
    { section: "gpu", kind: "timeout", message: "rocm-smi gave no answer within 5 s" },
  ]);
});
