/** Compact records and the way back: what devices share stands once, and nothing is lost. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { expandCompact } from "../../src/contract/expand-compact.js";
import type { FieldMap } from "../../src/contract/field-table.js";
import { SECTION_FIELDS } from "../../src/contract/fields.js";
import { KEY_OF_SECTION, SECTIONS, type FrameRecord, type StreamRecord } from "../../src/contract/record.js";
import { EVERYTHING } from "../../src/contract/selection.js";
import { compactRecord } from "../../src/format/compact.js";
import { createNdjsonFormatter } from "../../src/format/ndjson.js";
import { recordedReadings } from "../support/golden.js";
import { schemaProblems } from "../support/line-schemas.js";
import { propertyRuns } from "../support/property-runs.js";
import { frame, gpu, state } from "../support/records.js";

/** As a reader of the line has it. */
const printed = (record: StreamRecord): StreamRecord =>
  JSON.parse(JSON.stringify(compactRecord(record))) as StreamRecord;

const two = labelled({
  gpus: [
    gpu({ index: 0, temperature: 60, fan_speed_percent: null, detail: { vbios: "1", serial: "a" } }),
    gpu({ index: 1, temperature: null, fan_speed_percent: null, detail: { vbios: "1", serial: "b" } }),
  ],
});

describe("a compact frame", () => {
  test("has what all devices share once, in objects too, and no nulls and labels", () => {
    const { gpus, defaults } = printed(two) as unknown as Record<string, Record<string, object>>;
    assert.deepEqual(gpus, [
      { index: 0, temperature: 60, detail: { serial: "a" } },
      { index: 1, detail: { serial: "b" } },
    ]);
    const shared = defaults?.["gpus"] as Record<string, unknown>;
    assert.deepEqual(shared["detail"], { vbios: "1" });
    assert.equal(shared["name"], two.gpus?.[0]?.name);
    assert.ok(!("temperature" in shared) && !("host_id" in shared) && !("fan_speed_percent" in shared));
  });

  test("has no defaults for one device, for devices that share nothing, and for a state", () => {
    assert.ok(!("defaults" in compactRecord(frame({ gpus: [gpu()] }))));
    assert.ok(!("defaults" in compactRecord(frame({ gpus: [] }))));
    const lost = state();
    assert.equal(compactRecord(lost), lost);
  });

  test("shares only what every device has: a lost GPU without a reading keeps it from the others", () => {
    const lost = { ...gpu({ index: 1, error: "GPU is lost" }), name: null };
    const [first] = (printed(frame({ gpus: [gpu({ index: 0 }), lost] })) as FrameRecord).gpus ?? [];
    assert.equal(first?.name, gpu().name);
  });

  test("of chosen fields has them as a whole record would", () => {
    const selection = { ...EVERYTHING, isCompact: true };
    const query = ["hostname", "gpu.index", "gpu.detail.vbios"];
    const text = createNdjsonFormatter({ isOnce: false, query, csvSections: SECTIONS, selection }).format([
      two,
    ]);
    assert.deepEqual(JSON.parse(text), {
      hostname: two.hostname,
      defaults: { gpus: { detail: { vbios: "1" } } },
      gpus: [{ index: 0 }, { index: 1 }],
    });
  });

  test("is made whole by the line of jq in docs/rows.md", (t) => {
    const docs = readFileSync(new URL("../../docs/rows.md", import.meta.url), "utf8");
    const line = /^jq -c '(.*defaults.*)'$/m.exec(docs)?.[1];
    assert.ok(line !== undefined);
    const run = spawnSync("jq", ["-c", line], { input: JSON.stringify(printed(two)), encoding: "utf8" });
    if (run.error !== undefined) {
      t.skip("NOT RUN: no jq");
      return;
    }
    const { gpus } = JSON.parse(run.stdout) as FrameRecord;
    assert.deepEqual(
      gpus?.map(({ name, detail, temperature }) => [name, detail, temperature]),
      two.gpus?.map(({ name, detail, temperature }) => [name, detail, temperature ?? undefined]),
    );
  });
});

describe("expandCompact", () => {
  test("gives the record back, with null in every field that all devices have", () => {
    assert.deepEqual(expandCompact(printed(two)), withoutOptionalNulls(two));
    const [, second] = (expandCompact(printed(two)) as FrameRecord).gpus ?? [];
    assert.deepEqual([second?.temperature, second?.instance], [null, two.hostname]);
    assert.deepEqual(schemaProblems("record", expandCompact(printed(two))), []);
  });

  test("returns any other record as it is", () => {
    for (const record of [two, state(), frame({ gpus: [] }), frame({})])
      assert.equal(expandCompact(record), record);
  });

  const recorded = recordedReadings();
  const devicesOf = SECTIONS.map((section) => ({
    section,
    devices: recorded.filter((each) => each.section === section).map(({ device }) => device),
  })).filter(({ devices }) => devices.length > 0);

  test("any frame of recorded devices comes back, whatever is missing in them and whatever they have beside", () => {
    const changes = fc.record({
      nulls: fc.array(fc.nat({ max: 80 }), { maxLength: 6 }),
      extras: fc.dictionary(fc.constantFrom("__proto__", "constructor", "more"), fc.jsonValue(), {
        maxKeys: 2,
      }),
    });
    const sections = devicesOf.map(({ section, devices }) =>
      fc
        .array(fc.tuple(fc.constantFrom(...devices), changes), { maxLength: 4 })
        .map(
          (list) =>
            [
              KEY_OF_SECTION[section],
              list.map(([device, change]) => changed(device, change, SECTION_FIELDS[section])),
            ] as const,
        ),
    );
    const anyFrame = fc
      .subarray(sections.map((_, at) => at))
      .chain((chosen) => fc.tuple(...chosen.map((at) => sections[at] ?? fc.constant(["gpus", []] as const))))
      .map((entries) => labelled(Object.fromEntries<readonly object[]>(entries)));
    fc.assert(
      fc.property(anyFrame, (record) => {
        const compact = printed(record);
        assert.deepEqual(expandCompact(compact), withoutOptionalNulls(record));
        assert.deepEqual(printed(expandCompact(compact)), compact);
      }),
      { numRuns: propertyRuns(50) },
    );
  });
});

interface Change {
  readonly nulls: readonly number[];
  readonly extras: Readonly<Record<string, unknown>>;
}

/** The device with some of its fields null, and with fields that no table has. */
function changed(device: object, { nulls, extras }: Change, fields: FieldMap): object {
  const names = Object.keys(device).map((name) => (fields[name]?.nullable === true ? name : null));
  const entries = Object.entries(device).map(([name, value]: [string, unknown]) =>
    nulls.includes(names.indexOf(name)) ? [name, null] : [name, value],
  );
  return Object.fromEntries([...entries, ...Object.entries(extras)]) as object;
}

function labelled(sections: Readonly<Record<string, readonly object[]>>): FrameRecord {
  const { host_id, hostname, timestamp } = frame({});
  const labels = { host_id, hostname, instance: hostname, time: timestamp };
  return frame(
    Object.fromEntries(
      Object.entries(sections).map(([key, devices]) => [
        key,
        devices.map((device) => ({ ...device, ...labels })),
      ]),
    ),
  );
}

/** The record without nulls but for those of fields that every device of the section has. */
function withoutOptionalNulls(record: StreamRecord): StreamRecord {
  const sections = SECTIONS.flatMap((section) => {
    const devices: readonly object[] | undefined =
      record.record === "frame" ? record[KEY_OF_SECTION[section]] : undefined;
    return devices === undefined
      ? []
      : [[KEY_OF_SECTION[section], devices.map((device) => known(device, SECTION_FIELDS[section]))]];
  });
  return {
    ...(JSON.parse(JSON.stringify(record)) as StreamRecord),
    ...Object.fromEntries(sections),
  } as StreamRecord;
}

function known(object: object, fields: FieldMap): object {
  const entries = Object.entries(object).flatMap(
    ([name, value]: [string, unknown]): (readonly [string, unknown])[] => {
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (value === null) return field !== undefined && field.optional !== true ? [[name, null]] : [];
      return [[name, knownValue(value, field?.fields ?? field?.items?.fields ?? {})]];
    },
  );
  const nulls = Object.entries(fields).flatMap(([name, { optional, nullable }]) =>
    optional !== true && nullable === true && !Object.hasOwn(object, name) ? [[name, null] as const] : [],
  );
  return Object.fromEntries([...entries, ...nulls]);
}

function knownValue(value: unknown, fields: FieldMap): unknown {
  if (Array.isArray(value))
    return value.map((item: unknown) =>
      typeof item === "object" && item !== null ? knownValue(item, fields) : item,
    );
  return typeof value === "object" && value !== null ? known(value, fields) : value;
}
