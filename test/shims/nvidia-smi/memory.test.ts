/** What is read beside the last answer is what would be read by itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { QueryMemory } from "../../../src/shims/nvidia-smi/memory.js";
import { readQuery } from "../../../src/shims/nvidia-smi/query.js";

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

/** A GPU's cells: usual readings, and now and then one that no GPU in order gives. */
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

test("any sequence of answers is read as each by itself", () => {
  let remembered = 0;
  fc.assert(
    fc.property(fc.array(answer, { minLength: 2, maxLength: 8 }), (texts) => {
      const memory = new QueryMemory();
      const columns = FIELDS.map((field) => field.replace(/ \[.*/, ""));
      for (const text of texts) {
        const alone = readQuery(text, columns);
        const beside = memory.read(text);
        if (beside === null) memory.remember(text, alone);
        else {
          remembered += 1;
          assert.deepEqual([...beside], [...alone.gpus]);
          assert.deepEqual(
            beside.map((gpu) => JSON.stringify(gpu)),
            alone.gpus.map((gpu) => JSON.stringify(gpu)),
          );
          assert.deepEqual(alone.errors, []);
        }
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(remembered > 200, `only ${remembered} answers were read beside the last one`);
});

test("what an earlier record holds is left as it is", () => {
  const rows = (watts: string): string =>
    `index, uuid, name, driver_version, power.draw, memory.total\n0, GPU-1, H100, 590.48.01, ${watts}, 81559\n`;
  const memory = new QueryMemory();
  memory.remember(rows("100.00"), readQuery(rows("100.00"), []));
  const [before] = memory.read(rows("200.00")) ?? [];
  const [after] = memory.read(rows("300.00")) ?? [];
  assert.equal(before?.power_consumption, 200);
  assert.equal(after?.power_consumption, 300);
  assert.equal(before.uuid, after.uuid);
});
