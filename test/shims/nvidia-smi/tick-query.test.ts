/** What most ticks do not ask for is kept, and only as long as it must still be true. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Gpu } from "../../../src/contract/record.js";
import type { Sampler } from "../../../src/shims/kit/shim.js";
import { temperatureMargin } from "../../../src/shims/nvidia-smi/cells.js";
import { SELDOM_FIELDS } from "../../../src/shims/nvidia-smi/fields.js";
import { cudaVersionIn } from "../../../src/shims/nvidia-smi/seldom.js";
import { ALL_FIELDS_EVERY_TICKS } from "../../../src/shims/nvidia-smi/tick-query.js";
import { nvidiaSmiShim } from "../../../src/shims/nvidia-smi.js";
import { GOLDEN_ROOT } from "../../support/golden.js";
import { partOutputs, probeContext } from "../../support/shim-outputs.js";

const FOLDER = `${GOLDEN_ROOT}nvidia-smi/three-boards-590`;
const PROBED = readFileSync(`${FOLDER}/nvidia-smi.query/stdout.txt`, "utf8");
const VERSION = readFileSync(`${FOLDER}/nvidia-smi.version/stdout.txt`, "utf8");
const [HEADER = "", ...ROWS] = PROBED.split("\n").filter((line) => line !== "" && !line.startsWith("@"));
const NAMES = HEADER.split(", ").map((name) => name.replace(/ \[.*$/, ""));

/** What a driver prints that is asked by `command`: the rows of the recording with `changes` to the first GPU's. */
function answerTo(command: string, changes: Readonly<Record<string, string>> = {}): string {
  const asked = /--query-gpu=([^ ]+)/.exec(command)?.[1]?.split(",") ?? [];
  const columns = asked.map((name) => NAMES.indexOf(name));
  assert.ok(columns.length > 0 && !columns.includes(-1), command);
  const header = HEADER.split(", ");
  const lines = ROWS.map((row, at) => {
    const cells = row.split(", ");
    return columns.map((column) => (at === 0 && changes[NAMES[column] ?? ""]) || cells[column]).join(", ");
  });
  return `${[columns.map((column) => header[column]).join(", "), ...lines].join("\n")}\n`;
}

function probed(): { readonly sampler: Sampler; readonly first: readonly Gpu[] } {
  const outputs = partOutputs({ "nvidia-smi.query": PROBED, "nvidia-smi.version": VERSION });
  const verdict = nvidiaSmiShim.judge(outputs, probeContext(["gpu"]));
  assert.ok("sampler" in verdict);
  return { sampler: verdict.sampler, first: verdict.sampler.parse(outputs).sections.gpus ?? [] };
}

const commandOf = (sampler: Sampler): string => sampler.parts[0]?.command ?? "";
const asksAll = (sampler: Sampler): boolean =>
  [...SELDOM_FIELDS].every((field) => new RegExp(`[=,]${field}[, ]`).test(commandOf(sampler)));
const asksAny = (sampler: Sampler): boolean =>
  [...SELDOM_FIELDS].some((field) => new RegExp(`[=,]${field}[, ]`).test(commandOf(sampler)));

function tick(sampler: Sampler, changes: Readonly<Record<string, string>> = {}): readonly Gpu[] {
  const stdout = answerTo(commandOf(sampler), changes);
  return sampler.parse(partOutputs({ "nvidia-smi.query": stdout })).sections.gpus ?? [];
}

describe("readings that are asked seldom", () => {
  test("are in every record, in the same order of keys, and asked every so many ticks", () => {
    const { sampler, first } = probed();
    assert.equal(first[0]?.remapped_rows_histogram?.high, 2);
    const asked: number[] = [];
    for (let at = 1; at <= 2 * ALL_FIELDS_EVERY_TICKS; at += 1) {
      assert.equal(asksAll(sampler), asksAny(sampler));
      if (asksAll(sampler)) asked.push(at);
      assert.equal(JSON.stringify(tick(sampler)), JSON.stringify(first), `tick ${at}`);
    }
    assert.deepEqual(asked, [ALL_FIELDS_EVERY_TICKS, 2 * ALL_FIELDS_EVERY_TICKS]);
  });

  test("leave the other readings of a tick as they are", () => {
    const { sampler } = probed();
    tick(sampler);
    tick(sampler);
    const [gpu] = tick(sampler, { "utilization.gpu": "3", "utilization.encoder": "55" });
    assert.deepEqual(
      [gpu?.utilization, gpu?.encoder_utilization, gpu?.clock_sm_max, gpu?.detail["cuda_version"]],
      [3, 55, 1980, "13.1"],
    );
  });

  test("are null for a tick where another reading shows that they may have changed, and asked at once", () => {
    for (const changes of [
      { "remapped_rows.uncorrectable": "3" },
      { "remapped_rows.pending": "Yes" },
      { uuid: "GPU-5d3f1c52-8f1e-4f6a-9a34-0000000005ff" },
      { driver_version: "595.71.05" },
    ]) {
      const { sampler } = probed();
      tick(sampler);
      const [changed, other] = tick(sampler, changes);
      assert.equal(changed?.remapped_rows_histogram, null);
      assert.equal(changed.serial, null);
      assert.equal(changed.detail["vbios_version"], undefined);
      assert.equal(other?.serial, "1650000000591");
      assert.ok(asksAll(sampler));
      const now = { ...changes, "remapped_rows.histogram.high": "3" };
      const [asked] = tick(sampler, now);
      assert.deepEqual([asked?.serial, asked?.remapped_rows_histogram?.high], ["1650000000590", 3]);
      assert.ok(!asksAny(sampler));
      assert.deepEqual(tick(sampler, now)[0], asked);
      // Another driver comes with another CUDA version, which was not asked for.
      const cuda = "driver_version" in changes ? undefined : "13.1";
      assert.equal(asked?.detail["cuda_version"], cuda);
    }
  });

  test("are asked again until they are answered", () => {
    const { sampler } = probed();
    tick(sampler, { uuid: "GPU-5d3f1c52-8f1e-4f6a-9a34-0000000005ff" });
    const end = { kind: "timeout", afterSecs: 5 } as const;
    sampler.parse(partOutputs({ "nvidia-smi.query": { end } }));
    assert.ok(asksAll(sampler));
  });

  test("come with the first tick where the probe asked for ten fields", () => {
    const ten = answerTo(
      "--query-gpu=index,uuid,name,driver_version,utilization.gpu,memory.used,memory.total,temperature.gpu,clocks.current.graphics,power.draw ",
    );
    const help = NAMES.map((name) => `"${name}"\nText.\n`).join("\n");
    const outputs = partOutputs({
      ...{ "nvidia-smi.query": ten, "nvidia-smi.help": help },
      ...{ "nvidia-smi.list": "", "nvidia-smi.version": VERSION },
    });
    const verdict = nvidiaSmiShim.judge(outputs, probeContext(["gpu"], "plain"));
    assert.ok("sampler" in verdict);
    const { sampler } = verdict;
    const [first] = sampler.parse(outputs).sections.gpus ?? [];
    assert.deepEqual([first?.serial, first?.detail["cuda_version"]], [undefined, "13.1"]);
    assert.ok(asksAll(sampler));
    assert.equal(tick(sampler)[0]?.serial, "1650000000590");
    assert.ok(!asksAny(sampler));
  });

  test("a histogram without the counts that would show its change is not kept", () => {
    const { sampler } = probed();
    const mig = { "remapped_rows.correctable": "[N/A]", "remapped_rows.uncorrectable": "[N/A]" };
    tick(sampler, mig);
    assert.equal(tick(sampler, mig)[0]?.remapped_rows_histogram, null);
    assert.equal(tick(sampler, mig)[0]?.remapped_rows_histogram, null);
  });
});

test("the CUDA version has two names, and no other text is one", () => {
  assert.equal(cudaVersionIn("KMD Version : 610.43.02\nCUDA UMD Version : 13.3\n"), "13.3");
  assert.equal(cudaVersionIn('CUDA Version : Deprecated, see "CUDA UMD Version"\n'), null);
  assert.equal(cudaVersionIn("Invalid combination of input arguments.\n"), null);
});

test("a temperature margin may be below 0, and is null where it is no margin", () => {
  for (const [cell, margin] of [
    ["26", 26],
    ["-3", -3],
    ["-3 C", -3],
    ["0", 0],
    ["[N/A]", null],
    ["-256", null],
    ["65535", null],
    ["", null],
  ] as const)
    assert.equal(temperatureMargin(cell), margin, cell);
});
