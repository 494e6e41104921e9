/** What must hold for every vendor parser whatever its tool prints, tried with fast-check. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ParseError } from "../../src/contract/errors.js";
import type { Gpu } from "../../src/contract/record.js";
import type { PartOutputs, Reading, Sampler, Shim } from "../../src/shims/kit/shim.js";
import { assertKnownFields } from "./known-fields.js";
import { propertyRuns } from "./property-runs.js";
import { partOutputs, probeContext } from "./shim-outputs.js";

export interface ParserUnderTest {
  readonly shim: Shim;
  /** The part whose text lists the devices. */
  readonly part: string;
  /** What the other parts print: as for `device(0)` to `device(5)`. */
  readonly others?: Readonly<Record<string, string>>;
  /** One device's text. Each of its readings is `value` where one is given, and else a number above 0. */
  device(index: number, value?: string): string;
  assemble(devices: readonly string[]): string;
  /** Other whole outputs to start mutations from. */
  readonly samples?: readonly string[];
  /** The index is the position in the list: devices are distinguished by their PCI address. */
  readonly positional?: boolean;
  /** A tool of one device has no rows to mix. */
  readonly single?: boolean;
}

const NOISE = [
  "WARNING: this tool is deprecated",
  "ERROR: GPU[9]: Unable to get temperature",
  "",
  "Failed to initialize device 7: timeout",
];
const SENTINELS = ["N/A", "[N/A]", "", "ERR!", "Not Supported", "NaN", "-1", "-", "[Unknown Error]"];

export function testParserProperties(under: ParserUnderTest): void {
  const { shim, part } = under;
  const healthy = under.assemble(
    under.single === true ? [under.device(0)] : [0, 1, 2].map((i) => under.device(i)),
  );
  const sampler = samplerOf(under, healthy);

  describe(`properties of ${shim.id}`, () => {
    test("any bytes give a reading or a ParseError, and only true numbers and clean texts", () => {
      const text = fc.oneof(
        fc.string({ unit: "binary", maxLength: 400 }),
        ...[healthy, ...(under.samples ?? [])].map(mutationsOf),
      );
      fc.assert(
        fc.property(text, text, fc.nat(255), (stdout, stderr, code) => {
          const ids = [
            ...new Set([part, ...Object.keys(under.others ?? {}), ...sampler.parts.map(({ id }) => id)]),
          ];
          const end = { kind: "exit", code } as const;
          const outputs = partOutputs(Object.fromEntries(ids.map((id) => [id, { stdout, stderr, end }])));
          for (const attempt of [
            () => assertTrue(sampler.parse(outputs)),
            () => {
              const verdict = shim.judge(outputs, probeContext());
              if ("message" in verdict) assertClean(verdict.message);
              if ("sampler" in verdict) assertTrue(verdict.sampler.parse(outputs));
            },
          ])
            onlyParseErrors(attempt);
        }),
        { numRuns: propertyRuns(150) },
      );
    });

    test("a reading that the tool could not give is null, never 0", () => {
      for (const sentinel of SENTINELS) {
        const stdout = under.assemble([under.device(1, sentinel)]);
        const reading = read(() => sampler.parse(outputsOf(under, stdout)));
        for (const gpu of reading.sections.gpus ?? []) {
          const values = Object.entries(gpu).filter(
            ([key, value]) => key !== "index" && typeof value === "number",
          );
          const invented = values.filter(([, value]) => value === 0 || (value as number) < 0);
          assert.deepEqual(invented, [], `from ${JSON.stringify(sentinel)}`);
        }
      }
    });

    for (const line of ["613", "x, y", "{}", "[", "| 0 | 1 |", under.device(0)]) {
      test(`as much as is read of ${JSON.stringify(line.slice(0, 20))} again and again: few devices, few errors`, () => {
        const stdout = `${line}\n`.repeat(100_000).slice(0, 8 * 1024 * 1024);
        const { sections, errors } = read(() => sampler.parse(outputsOf(under, stdout)));
        assert.ok((sections.gpus ?? []).length <= 1, `${String(sections.gpus?.length)} devices`);
        assert.ok(errors.length <= 40, `${errors.length} errors`);
      });
    }

    if (under.single === true) return;
    const key = under.positional === true ? "pci_bus_id" : "index";
    const identified = (gpu: Gpu): Gpu => (under.positional === true ? { ...gpu, index: null } : gpu);
    test("devices shuffled, doubled, cut and among error lines: the whole ones stay as they are", () => {
      const readAlone = new Map(
        [0, 1, 2, 3, 4, 5].map((index) => [index, identified(onlyDevice(under, sampler, index))] as const),
      );
      const rows = fc.array(fc.nat(5), { minLength: 1, maxLength: 8 });
      fc.assert(
        fc.property(
          rows,
          fc.nat(100),
          fc.array(fc.tuple(fc.nat(200), fc.constantFrom(...NOISE))),
          (order, cutAt, noise) => {
            const devices = order.map((index) => under.device(index));
            const whole = under.assemble(devices);
            const cut = cutAt === 0 ? whole.length : lengthWithout(under, devices, cutAt);
            const stdout = withNoise(whole.slice(0, cut), noise);
            const expected = new Set(cut === whole.length ? order : order.slice(0, -1));
            const gpus = read(() => sampler.parse(outputsOf(under, stdout))).sections.gpus ?? [];
            for (const index of expected) {
              const found = gpus.map(identified).filter((gpu) => gpu[key] === readAlone.get(index)?.[key]);
              assert.deepEqual(found, [readAlone.get(index)], `device ${String(index)} of ${stdout}`);
            }
          },
        ),
        { numRuns: propertyRuns(150) },
      );
    });
  });
}

function samplerOf(under: ParserUnderTest, stdout: string): Sampler {
  const verdict = under.shim.judge(outputsOf(under, stdout), probeContext());
  assert.ok("sampler" in verdict, "message" in verdict ? verdict.message : "");
  return verdict.sampler;
}

function outputsOf(under: ParserUnderTest, stdout: string): PartOutputs {
  return partOutputs({ ...under.others, [under.part]: stdout });
}

function onlyDevice(under: ParserUnderTest, sampler: Sampler, index: number): Gpu {
  const { sections } = sampler.parse(outputsOf(under, under.assemble([under.device(index)])));
  const [gpu, ...more] = sections.gpus ?? [];
  assert.ok(gpu !== undefined && more.length === 0, `device ${String(index)} alone is one device`);
  return gpu;
}

/** A length that cuts within the last device, so that the ones before it are whole. */
function lengthWithout(under: ParserUnderTest, devices: readonly string[], cutAt: number): number {
  const last = devices.at(-1) ?? "";
  const start = under.assemble(devices).lastIndexOf(last);
  return start + Math.min(cutAt, Math.floor(last.length / 2));
}

function withNoise(text: string, noise: readonly (readonly [number, string])[]): string {
  const lines = text.split("\n");
  for (const [where, line] of noise.slice(0, 4)) lines.splice(where % (lines.length + 1), 0, line);
  return lines.join("\n");
}

function mutationsOf(text: string): fc.Arbitrary<string> {
  const place = fc.nat(Math.max(text.length - 1, 0));
  const piece = fc.oneof(
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.constantFrom(...SENTINELS, "0", "-5", "1e999", "99999999999999999999", '"', "{", "]", "\u001b[31m"),
  );
  return fc
    .array(fc.tuple(place, fc.nat(12), piece), { maxLength: 6 })
    .map((edits) =>
      edits.reduce((now, [at, length, put]) => now.slice(0, at) + put + now.slice(at + length), text),
    );
}

function onlyParseErrors(attempt: () => void): void {
  try {
    attempt();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    assertClean(error.message);
  }
}

function read(parse: () => Reading): Reading {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ParseError) return { sections: {}, errors: [] };
    throw error;
  }
}

/** Every number of a reading is finite and not below 0, every text is fit to print. */
function assertTrue(reading: Reading): void {
  assertKnownFields(reading.sections);
  walk(reading.sections);
  walk(reading.errors);
}

function walk(value: unknown): void {
  if (typeof value === "number") assert.ok(Number.isFinite(value) && value >= 0, String(value));
  else if (typeof value === "string") assertClean(value);
  else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      assertClean(key);
      walk(inner);
    }
  } else assert.ok(value === null || typeof value === "boolean", typeof value);
}

function assertClean(text: string): void {
  assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
}
