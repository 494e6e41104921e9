/** The quick reader returns what readQuery returns, whatever the answers are and in whatever order they come. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { QUERY_FIELDS } from "../../../../src/shims/nvidia-smi/fields.js";
import { quickQueryReader } from "../../../../src/shims/nvidia-smi/fast/quick-query.js";
import { readQuery, type QueryAnswer } from "../../../../src/shims/nvidia-smi/query.js";
import { GOLDEN_ROOT } from "../../../support/golden.js";
import { propertyRuns } from "../../../support/property-runs.js";

/** A reader that compares each of its answers with readQuery's, and counts those that it read without it. */
function checkedReader(): { readonly read: (text: string) => QueryAnswer; readonly quick: () => number } {
  let reads = 0;
  let plainReads = 0;
  const quick = quickQueryReader((text, columns) => {
    plainReads += 1;
    return readQuery(text, columns);
  });
  return {
    read(text) {
      reads += 1;
      const [actual, expected] = [quick(text, COLUMNS), readQuery(text, COLUMNS)];
      assert.deepEqual(actual, expected);
      // The order of keys is part of what a record prints.
      assert.equal(JSON.stringify(actual), JSON.stringify(expected));
      return actual;
    },
    quick: () => reads - plainReads,
  };
}

/**
 * Two cells of each field of the query. `live`: it changes from tick to tick, so the quick reader must not leave it to
 * the plain one. A field that is added to the query fails a test until it has a line here.
 */
interface Sample {
  readonly cells: readonly [string, string];
  readonly live?: true;
}
const live = (before: string, after: string): Sample => ({ cells: [before, after], live: true });
const fixed = (before: string, after: string): Sample => ({ cells: [before, after] });
const SAMPLES: Readonly<Record<string, Sample>> = {
  index: fixed("0", "1"),
  uuid: fixed("GPU-1", "GPU-2"),
  name: fixed("NVIDIA H100 80GB HBM3", "NVIDIA H200"),
  driver_version: fixed("590.48.01", "595.71.05"),
  "utilization.gpu": live("10", "100"),
  "memory.used": live("70000", "8"),
  "memory.total": fixed("81559", "81558"),
  "temperature.gpu": live("41", "39"),
  "clocks.current.graphics": live("1980", "345"),
  "power.draw": live("631.95", "69.8"),
  kmd_version: fixed("610.01", "610.02"),
  serial: fixed("1652023000", "1652023001"),
  vbios_version: fixed("96.00.DA.00.0C", "96.00.DA.00.0D"),
  compute_mode: fixed("Default", "Prohibited"),
  compute_cap: fixed("9.0", "9.1"),
  persistence_mode: fixed("Enabled", "Disabled"),
  "utilization.memory": live("9", "31"),
  "utilization.encoder": live("0", "100"),
  "utilization.decoder": live("0", "7"),
  "memory.free": live("11559", "81079"),
  "memory.reserved": fixed("480", "481"),
  "temperature.memory": live("53", "39"),
  "temperature.gpu.tlimit": live("26", "0"),
  "clocks.current.memory": live("2619", "1593"),
  "clocks.current.sm": live("1395", "345"),
  "clocks.max.graphics": fixed("1980", "2100"),
  "clocks.max.memory": fixed("2619", "3201"),
  "clocks.max.sm": fixed("1980", "2100"),
  "power.draw.average": live("697.04", "70.1"),
  "power.draw.instant": live("705.98", "71.2"),
  "power.limit": fixed("700.00", "600.00"),
  "enforced.power.limit": fixed("700.00", "600.00"),
  "power.default_limit": fixed("700.00", "600.00"),
  "power.min_limit": fixed("200.00", "100.00"),
  "power.max_limit": fixed("700.00", "750.00"),
  "fan.speed": live("30", "101"),
  pstate: fixed("P0", "P8"),
  "ecc.mode.current": fixed("Enabled", "Disabled"),
  "ecc.errors.corrected.volatile.total": live("0", "1"),
  "ecc.errors.uncorrected.volatile.total": fixed("0", "1"),
  "ecc.errors.corrected.aggregate.total": live("2", "3"),
  "ecc.errors.uncorrected.aggregate.total": fixed("0", "1"),
  "ecc.errors.uncorrected.aggregate.sram.thresholdExceeded": fixed("No", "Yes"),
  "retired_pages.single_bit_ecc.count": fixed("0", "1"),
  "retired_pages.double_bit.count": fixed("0", "1"),
  "retired_pages.pending": fixed("No", "Yes"),
  "remapped_rows.correctable": fixed("0", "1"),
  "remapped_rows.uncorrectable": fixed("0", "1"),
  "remapped_rows.pending": fixed("No", "Yes"),
  "remapped_rows.failure": fixed("No", "Yes"),
  "remapped_rows.histogram.max": fixed("2560", "2559"),
  "remapped_rows.histogram.high": fixed("0", "1"),
  "remapped_rows.histogram.partial": fixed("0", "1"),
  "remapped_rows.histogram.low": fixed("0", "1"),
  "remapped_rows.histogram.none": fixed("0", "1"),
  "clocks_throttle_reasons.active": live("0x0000000000000000", "0x0000000000000004"),
  "clocks_event_reasons.active": live("0x0000000000000000", "0x0000000000000041"),
  "clocks_event_reasons_counters.sw_power_cap": live("221310321", "5459682741"),
  "clocks_event_reasons_counters.sw_thermal_slowdown": live("0", "999999999999999"),
  "clocks_event_reasons_counters.hw_thermal_slowdown": live("0", "17"),
  "clocks_event_reasons_counters.hw_power_brake_slowdown": live("4", "17"),
  "pcie.link.gen.current": fixed("5", "1"),
  "pcie.link.gen.max": fixed("5", "4"),
  "pcie.link.width.current": fixed("16", "8"),
  "pcie.link.width.max": fixed("16", "8"),
  "fabric.state": fixed("Completed", "In Progress"),
  "fabric.status": fixed("Success", "N/A"),
  gpu_recovery_action: fixed("None", "Reset"),
  addressing_mode: fixed("None", "HMM"),
  "mig.mode.current": fixed("Disabled", "Enabled"),
  "pci.bus_id": fixed("00000000:18:00.0", "00000000:2A:00.0"),
};
const LIVE = new Set(Object.keys(SAMPLES).filter((field) => SAMPLES[field]?.live === true));

describe("each field of the query", () => {
  test("has a sample", () => {
    assert.deepEqual(Object.keys(SAMPLES), QUERY_FIELDS);
  });

  // Two names of one column are never asked for together.
  const pairs = [
    ["driver_version", "kmd_version"],
    ["clocks_event_reasons.active", "clocks_throttle_reasons.active"],
  ] as const;
  const columnsWith = (field: string): readonly string[] => {
    const left = pairs.map(([newer, older]) => (field === older ? newer : older));
    return QUERY_FIELDS.filter((name) => !left.some((other) => other === name));
  };

  for (const [field, { live: isLive }] of Object.entries(SAMPLES))
    test(`${field} is read as by the plain function${isLive === true ? ", without it" : ""}`, () => {
      const columns = columnsWith(field);
      const answer = (at: 0 | 1): string => {
        const cells = columns.map((name) => SAMPLES[name]?.cells[name === field ? at : 0] ?? "");
        return `${columns.join(", ")}\n${cells.join(", ")}\n`;
      };
      const { read, quick } = checkedReader();
      const [before, same, after, last] = [answer(0), answer(0), answer(1), answer(0)].map(read);
      assert.deepEqual(same, before);
      assert.deepEqual(last, before);
      if (isLive === true) assert.equal(quick(), 3);
      else assert.notDeepEqual(after, before);
    });
});

const FIELDS = [
  ...[
    "index",
    "uuid",
    "name",
    "driver_version",
    "utilization.gpu [%]",
    "memory.used [MiB]",
    "memory.total [MiB]",
  ],
  ...[
    "temperature.gpu",
    "clocks.current.graphics [MHz]",
    "power.draw [W]",
    "serial",
    "utilization.memory [%]",
  ],
  ...["memory.free [MiB]", "fan.speed [%]", "pstate", "ecc.errors.corrected.aggregate.total"],
  ...["clocks_event_reasons.active", "power.draw.average [W]", "pci.bus_id"],
];
const HEADER = FIELDS.join(", ");
const COLUMNS = FIELDS.map((field) => field.replace(/ \[.*/, ""));

/** A GPU's cells: usual readings, and now and then one that no healthy GPU prints. */
const odd = fc.constantFrom(
  "[N/A]",
  "[Not Supported]",
  "[GPU is lost]",
  "ERR!",
  "",
  "-1",
  "65535",
  "99999999999",
  "+3",
);
const cell = (usual: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 200, arbitrary: usual }, { weight: 1, arbitrary: odd });
const whole = (max: number): fc.Arbitrary<string> => cell(fc.integer({ min: 0, max }).map(String));
const watts = cell(fc.integer({ min: 0, max: 90_000 }).map((cents) => (cents / 100).toFixed(2)));

const row = (index: number): fc.Arbitrary<string> =>
  fc
    .tuple(
      ...[whole(100), whole(81_559), cell(fc.constant("81559")), whole(90), whole(1980), watts],
      ...[cell(fc.constant("1652023000")), whole(100), whole(81_559), whole(100)],
      ...[
        cell(fc.constant("P0")),
        whole(3),
        cell(fc.constantFrom("0x0000000000000000", "0x0000000000000004")),
        watts,
      ],
    )
    .map((cells) =>
      [
        String(index),
        `GPU-0000000${index}`,
        "NVIDIA H100 80GB HBM3",
        "590.48.01",
        ...cells,
        `00000000:0${index}:00.0`,
      ].join(", "),
    );
const sentence = fc.constant("Unable to determine the device handle for GPU0000:0A:00.0: GPU is lost.");
const answer = fc
  .tuple(
    row(0),
    row(1),
    fc.oneof({ weight: 20, arbitrary: fc.constant(null) }, sentence, row(1), row(2)),
    fc.boolean(),
  )
  .map(([first, second, third, isCut]) => {
    const text = `${[HEADER, first, second, ...(third === null ? [] : [third])].join("\n")}\n`;
    return isCut && third !== null ? text.slice(0, -7) : text;
  });

/** Captured answers as a tick has them: without the lines that only the probe script prints. */
const captures = readdirSync(`${GOLDEN_ROOT}nvidia-smi`).flatMap((name) => {
  try {
    const text = readFileSync(`${GOLDEN_ROOT}nvidia-smi/${name}/nvidia-smi.query/stdout.txt`, "utf8");
    return [text.replace(/^@.*\n/gm, "")];
  } catch {
    return [];
  }
});

/** The same answer with other live values, taken from `values` in turn. */
function withValues(text: string, values: readonly number[]): string {
  const [header = "", ...rows] = text.split("\n");
  const fields = header.split(", ").map((name) => name.replace(/ \[.*$/, ""));
  let next = 0;
  const changed = rows.map((row) =>
    row
      .split(", ")
      .map((cell, column) =>
        LIVE.has(fields[column] ?? "") && /^[\d.]+$/.test(cell)
          ? String(values[next++ % values.length] ?? 0)
          : cell,
      )
      .join(", "),
  );
  return [header, ...changed].join("\n");
}

/** Fewer would hardly ever be read by the quick reader. */
const RUNS = Math.max(50, propertyRuns(150));

describe("the quick reader agrees with the plain one", () => {
  test("on any sequence of answers", () => {
    let quickReads = 0;
    fc.assert(
      fc.property(fc.array(answer, { minLength: 2, maxLength: 8 }), (texts) => {
        const { read, quick } = checkedReader();
        texts.forEach(read);
        quickReads += quick();
      }),
      { numRuns: RUNS },
    );
    assert.ok(quickReads > RUNS / 20, `only ${quickReads} answers were read without the plain function`);
  });

  test("on captures whose live values change, with damage in some ticks", () => {
    let quickReads = 0;
    const damage = fc.record({
      at: fc.nat(4000),
      remove: fc.nat(60),
      insert: fc.oneof(
        fc.string({ unit: "binary", maxLength: 20 }),
        fc.constantFrom("", "\n", ", ", "0", "[N/A]"),
      ),
    });
    const tick = fc.record({
      values: fc.array(
        fc.oneof(
          fc.nat(120),
          fc.integer({ min: 0, max: 9000 }).map((n) => n / 100),
        ),
        {
          minLength: 1,
          maxLength: 24,
        },
      ),
      damage: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: damage }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...captures),
        fc.array(tick, { minLength: 2, maxLength: 8 }),
        (capture, ticks) => {
          const { read, quick } = checkedReader();
          for (const { values, damage } of ticks) {
            const text = withValues(capture, values);
            if (damage === null) read(text);
            else {
              const at = damage.at % (text.length + 1);
              read(text.slice(0, at) + damage.insert + text.slice(at + damage.remove));
            }
          }
          quickReads += quick();
        },
      ),
      { numRuns: RUNS },
    );
    assert.ok(quickReads > RUNS / 20, `only ${quickReads} answers were read without the plain function`);
  });

  test("on arbitrary bytes", () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each).toString("utf8"));
    fc.assert(
      fc.property(
        fc.array(bytes, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...captures),
        (texts, capture) => {
          const { read } = checkedReader();
          for (const text of texts) {
            read(text);
            read(capture);
            read(capture);
            read(capture + text);
          }
        },
      ),
    );
  });

  // In the usual run at every fourth byte: all of them take seconds.
  test("on an answer that is cut at any byte", () => {
    const step = Math.ceil(4 / propertyRuns(4));
    for (const capture of captures.filter((text) => text.length < 2500)) {
      const { read } = checkedReader();
      const changed = withValues(capture, [7, 8]);
      for (let length = 0; length < changed.length; length += step) {
        read(capture);
        read(capture);
        read(changed.slice(0, length));
      }
    }
  });

  test("on a chip whose temperature is 0 and stays so", () => {
    const rows = (power: string, load: string): string =>
      `index, uuid, power.draw, memory.total, temperature.gpu, utilization.gpu\n0, GPU-1, ${power}, 81559, 0, ${load}\n`;
    const { read } = checkedReader();
    for (const text of [rows("100.00", "5"), rows("90.00", "5"), rows("0.00", "0")]) read(text);
  });
});

test("a later answer does not change an earlier one's GPUs", () => {
  const rows = (watts: string): string =>
    `index, uuid, name, driver_version, power.draw, memory.total\n0, GPU-1, H100, 590.48.01, ${watts}, 81559\n`;
  const { read, quick } = checkedReader();
  read(rows("100.00"));
  const [before] = read(rows("200.00")).gpus;
  const [after] = read(rows("300.00")).gpus;
  assert.equal(quick(), 2);
  assert.equal(before?.power_consumption, 200);
  assert.equal(after?.power_consumption, 300);
  assert.equal(before.uuid, after.uuid);
});
