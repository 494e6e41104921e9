/** `--format otlp-json`: the numbers of the records, in messages that a receiver takes; nothing for what is missing. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { StreamRecord } from "../../../src/contract/record.js";
import { SECTION_FIELDS } from "../../../src/contract/fields.js";
import { createFormatter } from "../../../src/format/create-formatter.js";
import { metricOf } from "../../../src/format/otlp/metric-names.js";
import { createOtlpFormatter } from "../../../src/format/otlp-json.js";
import { DEVICE_FAMILIES } from "../../../src/format/prometheus/device-families.js";
import { propertyRuns } from "../../support/property-runs.js";
import { frame, gpu, state } from "../../support/records.js";
import { familiesOf, fullFrame, fullGpu, oddFleet } from "../prometheus/fleet-of.js";
import { otlpText, pointsOf, readLine, type Point } from "./otlp-lines.js";

/** The values of a metric's points that have these attributes, sorted. */
function valuesOf(
  points: readonly Point[],
  metric: string,
  attributes: Readonly<Record<string, string>> = {},
): readonly number[] {
  return points
    .filter((point) => point.metric === metric)
    .filter((point) => Object.entries(attributes).every(([key, value]) => point.attributes[key] === value))
    .map(({ value }) => value)
    .sort((a, b) => a - b);
}

/** What stands at a path of a record, as `gpus[].nvlink.links`; only numbers, and booleans as 1 and 0. */
function readingsAt(record: StreamRecord, path: string): readonly number[] {
  const found = path.split(".").reduce<readonly unknown[]>(
    (values, key) =>
      values.flatMap((value): readonly unknown[] => {
        const isList = key.endsWith("[]");
        const inner = (value as Record<string, unknown> | null)?.[isList ? key.slice(0, -2) : key];
        return isList ? ((inner ?? []) as readonly unknown[]) : [inner];
      }),
    [record],
  );
  return found.filter((value) => typeof value === "number" || typeof value === "boolean").map(Number);
}

/** How many base units one of the contract's units is. */
const FACTORS: Readonly<Record<string, (value: number) => number>> = {
  MiB: (value) => value * 1_048_576,
  "%": (value) => value / 100,
  MHz: (value) => value * 1_000_000,
  ms: (value) => value / 1000,
  µs: (value) => value / 1_000_000,
};

/** The unit in the table of fields, by the path. */
function unitAt(path: string): string {
  const keys = path.replaceAll("[]", "").split(".");
  const section = { gpus: "gpu", cpus: "cpu" }[keys[0] ?? ""] ?? keys[0] ?? "";
  let fields = SECTION_FIELDS[section as keyof typeof SECTION_FIELDS] as Readonly<Record<string, unknown>>;
  for (const key of keys.slice(1, -1)) {
    const field = fields[key] as { fields?: typeof fields; items?: { fields?: typeof fields } } | undefined;
    fields = field?.fields ?? field?.items?.fields ?? {};
  }
  return (fields[keys.at(-1) ?? ""] as { readonly unit?: string } | undefined)?.unit ?? "";
}

describe("numbers", () => {
  const records = [fullFrame(), ...oddFleet(12)];
  const points = pointsOf(records);

  test("of every field of a device are those of the records, in base units", () => {
    let compared = 0;
    for (const family of DEVICE_FAMILIES) {
      const { name, attributes } = metricOf(family);
      // A link's speed is in megabits, which has no unit in the table.
      const convert =
        family.name === "allsmi_network_speed_bytes_per_second"
          ? (value: number): number => value * 125_000
          : (FACTORS[unitAt(family.source)] ?? ((value: number): number => value));
      const expected = records.flatMap((record) => readingsAt(record, family.source)).map(convert);
      assert.deepEqual(
        valuesOf(points, name, attributes),
        expected.sort((a, b) => a - b),
        family.name,
      );
      compared += expected.length;
    }
    assert.ok(compared > 3000, `${compared} numbers`);
  });

  test("are as many as the samples for Prometheus, which differ in names only", () => {
    const families = familiesOf(records);
    const samples = [...families].filter(([name]) => name !== "allsmi_host_info");
    const values = samples.flatMap(([, family]) => [...family.samples.values()]);
    assert.equal(points.length, values.length);
    const sorted = (numbers: readonly number[]): readonly number[] => [...numbers].sort((a, b) => a - b);
    assert.deepEqual(sorted(points.map(({ value }) => value)), sorted(values));
  });

  test("that are missing have no point", () => {
    const nulls = Object.fromEntries(Object.keys(fullGpu()).map((key) => [key, null]));
    const empty = pointsOf([frame({ gpus: [{ ...gpu(), ...nulls, index: 0 }] })]);
    const ofGpu = empty.filter(({ attributes }) => attributes["allsmi.gpu.index"] !== undefined);
    assert.deepEqual(
      ofGpu.map(({ metric }) => metric),
      ["hw.status"],
    );
  });

  test("that are counted are integers in texts, and those that are measured are doubles", () => {
    const text = otlpText([fullFrame()]);
    assert.match(text, /"name":"hw\.errors"[^[]*"sum":\{"dataPoints":\[.{1,400}"asInt":"7"/);
    assert.match(text, /"name":"hw\.power"[^[]*"gauge":\{"dataPoints":\[.{1,400}"asDouble":612\.4/);
    assert.match(text, /"name":"allsmi\.gpu\.throttle_time_sw_thermal"[^[]*"sum":.{1,400}"asDouble":2\.5/);
    const fractional = frame({ gpus: [gpu({ ecc_corrected_total: 1.5 })] });
    assert.deepEqual(valuesOf(pointsOf([fractional]), "hw.errors"), [1.5]);
  });
});

describe("a host", () => {
  test("is one resource, with the labels of the hostfile", () => {
    const [line = ""] = otlpText([frame({ labels: { rack: "r1", "expect.gpus": "8" } })]).split("\n");
    assert.deepEqual(readLine(line)[0]?.resource, {
      ...{ "host.name": "dgx-01", "host.id": "admin@dgx-01:22", "service.name": "allsmi-ssh" },
      ...{ "service.instance.id": "admin@dgx-01:22", "allsmi.target": "ssh://admin@dgx-01" },
      ...{ "allsmi.label.rack": "r1", "allsmi.label.expect.gpus": "8" },
    });
  });

  test("in an outage has no readings, the reason, and the same series afterwards", () => {
    const formatter = createOtlpFormatter({});
    const next = (record: StreamRecord): readonly Point[] => readLine(formatter.format([record]).trimEnd());
    const seriesOf = (points: readonly Point[]): readonly string[] =>
      points.map(({ metric, attributes }) => JSON.stringify([metric, attributes]));
    const host = { hostname: "dgx-01" };
    const before = next(fullFrame());
    const during = next(state({ ...host, tick: 1, timestamp: "2026-01-02T03:04:15.678Z" }));
    const after = next({ ...fullFrame(), tick: 2, timestamp: "2026-01-02T03:04:25.678Z" });
    assert.deepEqual(valuesOf(during, "allsmi.host.up"), [0]);
    assert.deepEqual(valuesOf(during, "allsmi.host.state", { "allsmi.state": "timeout" }), [1]);
    assert.deepEqual(valuesOf(during, "allsmi.host.error", { "allsmi.code": "connect-timeout" }), [1]);
    assert.ok(during.every(({ metric }) => metric.startsWith("allsmi.host.")));
    const later = new Set(seriesOf(after));
    assert.deepEqual(
      seriesOf(before).filter((series) => !later.has(series)),
      [],
    );
    assert.deepEqual(valuesOf(after, "allsmi.host.ticks", { "allsmi.result": "none" }), [1]);
  });

  test("has times of its records; only what the run itself counts has a start", () => {
    const formatter = createOtlpFormatter({});
    const lines = formatter.format([
      fullFrame(),
      { ...fullFrame(), tick: 1, timestamp: "2026-01-02T03:04:15.678Z" },
    ]);
    const [, second = ""] = lines.split("\n");
    const points = readLine(second);
    assert.deepEqual(new Set(points.map(({ time }) => time)), new Set(["1767323055678000000"]));
    const started = points.filter(({ start }) => start !== null);
    assert.ok(started.length > 0);
    assert.ok(started.every(({ start, kind }) => start === "1767323045678000000" && kind === "counter"));
    assert.ok(started.every(({ metric }) => metric.startsWith("allsmi.host.")));
    const impossible = pointsOf([
      frame({ timestamp: "1960-01-01T00:00:00Z" }),
      frame({ timestamp: "9999-01-01T00:00:00Z" }),
    ]);
    assert.deepEqual(new Set(impossible.map(({ time }) => time)), new Set(["0"]));
  });
});

test("each record is a line by itself, as soon as it comes", async () => {
  const options = { csvSections: [], query: [], color: false, terminal: null, hostCount: 3, isOnce: false };
  const formatter = await createFormatter("otlp-json", options);
  assert.equal(formatter.format([frame(), state()]).split("\n").length, 3);
  assert.equal(formatter.format([]), "");
  assert.equal(formatter.end?.() ?? "", "");
});

test("a record that cannot be written is replaced by its host's state, and no other host is disturbed", () => {
  const broken = frame({ gpus: [new Proxy(gpu(), { get: () => assert.ok(false, "a bug") })] });
  const instead = state({ hostname: "dgx-01" });
  const formatter = createOtlpFormatter({ unwritable: () => instead });
  const lines = formatter
    .format([broken, frame({ hostname: "dgx-02" })])
    .trimEnd()
    .split("\n");
  const [first, second] = lines.map(readLine);
  assert.deepEqual(valuesOf(first ?? [], "allsmi.host.up"), [0]);
  assert.deepEqual(valuesOf(second ?? [], "allsmi.host.up"), [1]);
  assert.throws(() => createOtlpFormatter({}).format([broken]));
});

test("whatever a native or replayed device holds, each line is a message of the protocol", () => {
  const device = fc.dictionary(
    fc.constantFrom(
      ...Object.keys(fullGpu()),
      "error",
      "per_socket_info",
      "fan_speeds",
      "disks",
      "state",
      "load_average",
    ),
    fc.anything({ withNullPrototype: true }),
  );
  const devices = fc.array(device, { maxLength: 4 });
  const labels = fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), { maxKeys: 4 });
  let lines = 0;
  fc.assert(
    fc.property(devices, devices, labels, fc.string({ unit: "binary" }), (gpus, cpus, named, hostname) => {
      const sections = { gpus, cpus, chassis: gpus, memory: cpus, storage: gpus, host: gpus, network: cpus };
      const record = frame({ hostname, labels: named, ...sections } as never);
      const text = otlpText([record, state({ hostname }), frame({ ...record, tick: 1 }), state()]);
      for (const line of text.trimEnd().split("\n")) {
        assert.ok(readLine(line).length > 0);
        lines += 1;
      }
    }),
    { numRuns: propertyRuns(250) },
  );
  assert.ok(lines >= propertyRuns(1000), `${lines} lines`);
});
