import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ParseError } from "../../../src/contract/errors.js";
import { withExtras, type Gpu, type Section } from "../../../src/contract/record.js";
import type { Reading } from "../../../src/shims/kit/shim.js";
import { nativeShim } from "../../../src/shims/native/native.js";
import { allShims, FALLBACK_IDS, shimsToTry, TOOLS, toolNamed } from "../../../src/shims/registry.js";
import { makeTools } from "../../support/fake-tools.js";
import { GOLDEN_ROOT } from "../../support/golden.js";
import { firstReading, partOutputs, probeContext } from "../../support/shim-outputs.js";
import { makeTempDir } from "../../support/temp-dir.js";

const golden = (name: string): string => readFileSync(`${GOLDEN_ROOT}native/${name}/stdout.txt`, "utf8");
const recorded = golden("0.22-cpu-host");
const oddValues = golden("sentinels-and-odd-values");

const ALL: readonly Section[] = ["gpu", "cpu", "memory", "chassis", "process", "storage"];
const context = probeContext(ALL);
const outputsOf = (stdout: string) => partOutputs({ "native.snapshot": stdout });
const read = (snapshot: unknown): Reading =>
  firstReading(nativeShim, outputsOf(JSON.stringify(snapshot)), context);
const gpu = {
  uuid: "u",
  name: "n",
  device_type: "GPU",
  utilization: 5,
  temperature: 40,
  used_memory: 1,
  total_memory: 2,
  frequency: 3,
  power_consumption: 4,
};

describe("native snapshots", () => {
  test("every value that is null or odd costs itself alone", () => {
    const whole = read({ schema: 1, gpus: [gpu] }).sections.gpus?.[0];
    assert.ok(whole);
    for (const key of Object.keys(gpu)) {
      for (const odd of [null, "odd", [], {}, -1, true]) {
        if (typeof gpu[key as keyof typeof gpu] === "string" && odd === "odd") continue;
        const { sections, errors } = read({ schema: 1, gpus: [{ ...gpu, [key]: odd }, gpu] });
        const expected: Gpu = { ...whole, [key]: key === "device_type" ? "GPU" : null };
        assert.ok(sections.gpus);
        assert.deepEqual(sections.gpus[0], expected, `${key} = ${JSON.stringify(odd)}`);
        assert.deepEqual(sections.gpus[1], { ...whole, index: 1 });
        assert.deepEqual(errors, []);
      }
    }
  });

  test("of a section with more entries than a host has, the first are read, and the rest is told", () => {
    const { sections, errors } = read({ schema: 1, gpus: Array(16_385).fill(gpu), memory: [] });
    assert.equal(sections.gpus?.length, 16_384);
    assert.deepEqual(errors, [
      { section: "gpu", kind: "parse", message: "all-smi: 16385 entries of gpu; the first 16384 are read" },
    ]);
  });

  test("sentinels are null and true zeros stay", () => {
    const [idle, none] =
      read({
        gpus: [
          { ...gpu, utilization: 0, power_consumption: 0, used_memory: 0 },
          {
            ...gpu,
            utilization: -1,
            power_consumption: -1,
            temperature: 0,
            frequency: 0,
            total_memory: 0,
            used_memory: 0,
          },
        ],
      }).sections.gpus ?? [];
    const told = ({
      utilization,
      power_consumption,
      temperature,
      frequency,
      used_memory,
    }: typeof idle & object) => [utilization, power_consumption, temperature, frequency, used_memory];
    assert.ok(idle && none);
    assert.deepEqual(told(idle), [0, 0, 40, 3, 0]);
    assert.deepEqual(told(none), [null, null, null, null, null]);
  });

  test("unknown fields and sections are passed on, the tool's own labels are not", () => {
    const { sections } = read({
      schema: 1,
      hostname: "h",
      host_id: ["x"],
      gpus: [{ ...gpu, host_id: "h", hostname: "h", instance: "h", time: "t", brand_new: { deep: [-4] } }],
      switches: [{ id: 7 }],
    });
    const first = sections.gpus?.[0];
    assert.ok(first);
    assert.deepEqual(withExtras(first)["brand_new"], { deep: [-4] });
    for (const label of ["host_id", "hostname", "instance", "time"]) assert.ok(!(label in first), label);
    assert.deepEqual(Object.keys(sections), ["gpus", "switches"]);
  });

  test("a section that is no list is an error of that section alone", () => {
    const { sections, errors } = read({
      schema: 1,
      gpus: "none",
      memory: null,
      cpus: [{ index: 0, utilization: 3 }],
    });
    assert.deepEqual(Object.keys(sections), ["cpus"]);
    assert.deepEqual(errors, [{ section: "gpu", kind: "parse", message: "all-smi: gpus is not a list" }]);
  });

  test("texts are cleaned only where something must be", () => {
    const { sections } = read({
      schema: 1,
      gpus: [{ ...gpu, name: "a\u001b]0;x\u0007b", detail: { "k\u0000": "v\u202e" } }],
    });
    assert.equal(sections.gpus?.[0]?.name, "a\ufffd]0;x\ufffdb");
    assert.deepEqual(sections.gpus[0].detail, { "k\ufffd": "v\ufffd" });
  });

  test("a snapshot that fails says so for every section that was asked", () => {
    const verdict = nativeShim.judge(outputsOf(recorded), context);
    assert.equal(verdict.kind, "usable");
    const stderr = "error: no devices were collected from any reader — snapshot is empty\n";
    const { sections, errors } = verdict.sampler.parse(
      partOutputs({ "native.snapshot": { stderr, end: { kind: "exit", code: 1 } } }),
    );
    assert.deepEqual(sections, {});
    assert.deepEqual(
      errors.map((error) => error.section),
      ALL,
    );
    for (const error of errors) {
      assert.equal(error.exit_code, 1);
      assert.match(error.message, /no devices were collected/);
    }
  });
});

describe("properties of native", () => {
  test("any bytes give a reading or a ParseError; texts are clean, known numbers are finite", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom("null", "-1", "1e999", '"\\u001b"', "{", "]", "0", '"\\u009b"', "\\ud800"),
    );
    const edits = fc.array(fc.tuple(fc.nat(oddValues.length), fc.nat(12), piece), { maxLength: 6 });
    const mutated = fc
      .tuple(fc.constantFrom(recorded, oddValues), edits)
      .map(([text, list]) =>
        list.reduce((now, [at, length, put]) => now.slice(0, at) + put + now.slice(at + length), text),
      );
    const text = fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), fc.json(), mutated);
    fc.assert(
      fc.property(text, (stdout) => {
        try {
          const verdict = nativeShim.judge(outputsOf(stdout), context);
          if ("message" in verdict) walk(verdict.message);
          if ("sampler" in verdict) walk(verdict.sampler.parse(outputsOf(stdout)));
        } catch (error) {
          if (!(error instanceof ParseError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  test("readings of known fields are never negative, and zero only where zero was told", () => {
    const value = fc.oneof(
      fc.double(),
      fc.integer({ min: -2, max: 2 }),
      fc.constant(null),
      fc.string(),
      fc.boolean(),
    );
    const device = fc.record(
      Object.fromEntries(Object.keys(gpu).map((key) => [key, value])) as Record<
        keyof typeof gpu,
        typeof value
      >,
    );
    fc.assert(
      fc.property(fc.array(device), (gpus) => {
        const reading = read({ schema: 1, gpus });
        assert.equal(reading.sections.gpus?.length, gpus.length);
        for (const [at, found] of reading.sections.gpus.entries())
          for (const key of Object.keys(gpu)) {
            const number = withExtras(found)[key];
            if (typeof number !== "number") continue;
            assert.ok(number >= 0, `${key} ${number}`);
            const told = Object.entries(gpus[at] ?? {}).find(([name]) => name === key)?.[1];
            // fast-check also gives -0, which JSON tells as 0.
            if (number === 0) assert.ok(told === 0, `${key} was ${String(told)}`);
          }
      }),
    );
  });

  test("devices shuffled, doubled or among things that are none: the whole ones stay", () => {
    const item = fc.oneof(fc.nat(4), fc.constantFrom(null, "text", [], 7, true));
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const gpus = items.map((one) =>
          typeof one === "number" && one < 5 ? { ...gpu, name: `g${one}` } : one,
        );
        const names = items
          .filter((one) => typeof one === "number" && one < 5)
          .map((one) => `g${String(one)}`);
        assert.deepEqual(
          read({ schema: 1, gpus }).sections.gpus?.map((found) => found.name),
          names,
        );
      }),
    );
  });
});

function walk(value: unknown): void {
  if (typeof value === "number") assert.ok(Number.isFinite(value), String(value));
  if (typeof value === "string")
    assert.doesNotMatch(value, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
  if (typeof value === "object" && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      walk(key);
      walk(inner);
    }
}

describe("native probe", () => {
  const verdictOf = (version: string, code = 0) =>
    nativeShim.judge(
      partOutputs({ "native.snapshot": { stdout: `${version}\n${recorded}`, end: { kind: "exit", code } } }),
      context,
    ).kind;

  test("is taken from 0.22 on", () => {
    for (const old of ["0.9.9", "0.21.0", "0.21.99", "0.1.0"])
      assert.equal(verdictOf(`all-smi ${old}`), "too-old", old);
    for (const good of ["0.22.0", "0.22.1-rc.1", "0.27.0", "0.100.0", "1.0.0", "10.2.3"])
      assert.equal(verdictOf(`all-smi ${good}`), "usable", good);
  });

  test("the version of a plain host is a part of its own", () => {
    const snapshot = "native.snapshot";
    const old = partOutputs({ "native.version": "all-smi 0.20.1\r\n", [snapshot]: recorded });
    assert.equal(nativeShim.judge(old, probeContext(ALL, "plain")).kind, "too-old");
    const good = partOutputs({ "native.version": "all-smi 0.25.0\r\n", [snapshot]: recorded });
    assert.equal(nativeShim.judge(good, probeContext(ALL, "plain")).kind, "usable");
  });

  test("the script runs a snapshot only where the version is new enough", () => {
    const [part] = nativeShim.probe(probeContext(["gpu", "memory"]));
    assert.ok(part);
    assert.doesNotMatch(part.command, /['!\n\r]|\\\\/);
    const statusOf = (version: string): [string, number | null] => {
      const dir = makeTempDir("native");
      const bin = makeTools(dir.path, {
        "all-smi": `case $1 in --version) echo "${version}";; snapshot) shift; echo "ran $*"; exit 1;; esac`,
      });
      const script = `b() { "$@"; }; x() { exec "$@"; }; ${part.command.replaceAll("{tool}", `${bin}/all-smi`)}`;
      const { stdout, status } = spawnSync("/bin/sh", ["-c", script], { encoding: "utf8" });
      dir.remove();
      return [stdout, status];
    };
    for (const old of ["all-smi 0.9.0", "all-smi 0.21.4", "all-smi 0.1.0", "something else 3"])
      assert.deepEqual(statusOf(old), [`${old}\n`, 3]);
    const ran = "ran --format json --pretty=false --include gpu,memory\n";
    for (const good of [
      "all-smi 0.22.0",
      "all-smi 0.30.1",
      "all-smi 0.200.0",
      "all-smi 1.0.0",
      "all-smi 12.21.0",
    ])
      assert.deepEqual(statusOf(good), [`${good}\n${ran}`, 1]);
  });
});

describe("the registry", () => {
  test("names are unique and found by id and alias", () => {
    const names = TOOLS.flatMap((tool) => [tool.id, ...tool.aliases]);
    assert.deepEqual(names, [...new Set(names)]);
    for (const tool of TOOLS)
      for (const name of [tool.id, ...tool.aliases]) assert.equal(toolNamed(` ${name.toUpperCase()} `), tool);
    assert.equal(toolNamed("no-such-tool"), undefined);
  });

  test("each entry loads the shim of its id", async () => {
    assert.deepEqual(
      (await allShims()).map((shim) => shim.id),
      TOOLS.map((tool) => tool.id),
    );
  });

  test("native is tried first and always, the others as asked", async () => {
    assert.equal(await TOOLS[0]?.load(), nativeShim);
    assert.ok(!FALLBACK_IDS.includes("native"));
    assert.deepEqual(
      (await shimsToTry([])).map((shim) => shim.id),
      ["native"],
    );
    assert.deepEqual(
      (await shimsToTry(["rocm-smi", "nvidia-smi", "rocm-smi"])).map((shim) => shim.id),
      ["native", "rocm-smi", "nvidia-smi"],
    );
  });
});
