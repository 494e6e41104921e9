/** A record that cannot be written is its host's state; the others of its batch are written, in every format. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutputFormat } from "../../src/contract/options.js";
import type { FrameRecord, StreamRecord } from "../../src/contract/record.js";
import { EVERYTHING } from "../../src/contract/selection.js";
import { createFormatter } from "../../src/format/create-formatter.js";
import type { FormatterOptions, Terminal } from "../../src/format/formatter.js";
import { insteadOf } from "../../src/format/unwritable.js";

const broken = (): never => {
  throw new RangeError("Maximum call stack size exceeded");
};
const frame = (name: string): FrameRecord => ({
  schema: 1,
  record: "frame",
  timestamp: "2026-01-02T03:04:05.678Z",
  tick: 3,
  host_id: `u@${name}:22`,
  target: `ssh://u@${name}`,
  hostname: name,
  labels: {},
  state: "connected",
  transport: "nvidia-smi",
  latency_ms: 1,
  gpus: [{ index: 0, name: `card of ${name}` }] as unknown as NonNullable<FrameRecord["gpus"]>,
});
function poisoned(key: string): FrameRecord {
  const record = frame("bad");
  Object.defineProperty(record.gpus?.[0], key, { get: broken, enumerable: true });
  return record;
}

const terminal: Terminal = {
  size: () => ({ columns: 200, rows: 40 }),
  onResize: () => () => undefined,
};

interface Case {
  readonly what: string;
  readonly kind: OutputFormat;
  readonly more?: Partial<FormatterOptions>;
  readonly asBytes?: boolean;
}
const CASES: readonly Case[] = [
  { what: "NDJSON of a run", kind: "ndjson" },
  { what: "NDJSON as bytes", kind: "ndjson", asBytes: true },
  { what: "NDJSON of one tick", kind: "ndjson", more: { isOnce: true } },
  ...(["record", "device"] as const).flatMap((rows): readonly Case[] =>
    [true, false].map((isCompact) => ({
      what: `NDJSON, ${rows} rows${isCompact ? ", compact" : ""}`,
      kind: "ndjson",
      more: { selection: { ...EVERYTHING, rows, isCompact } },
    })),
  ),
  { what: "CSV", kind: "csv" },
  {
    what: "CSV by a query",
    kind: "csv",
    more: { query: ["hostname", "state", "uuid", "utilization", "error"] },
  },
  { what: "an appended table", kind: "table" },
  { what: "a table that is redrawn", kind: "table", more: { terminal } },
];

for (const { what, kind, more = {}, asBytes = false } of CASES) {
  test(`${what}: the others are written, and the host's state in the place of its record`, async () => {
    const faults: string[] = [];
    const isOnce = more.isOnce ?? false;
    const formatter = await createFormatter(kind, {
      ...{ csvSections: ["gpu"], query: [], color: false, terminal: null, hostCount: 3, isOnce, ...more },
      unwritable: (record, error) => {
        faults.push(`${record.host_id} ${String(error)}`);
        return insteadOf(record, error, isOnce);
      },
    });
    const write = (records: readonly StreamRecord[]): string =>
      asBytes
        ? Buffer.from(formatter.bytes?.(records) ?? []).toString()
        : formatter.format(records) + (kind === "table" ? "" : (formatter.end?.() ?? ""));
    // The ndjson formatter writes beside what it has learned; the second batch must be whole too.
    for (let batch = 0; batch < 2; batch++) {
      const text = write([frame("a1"), poisoned("utilization"), frame("z9")]);
      for (const name of ["a1", "bad", "z9"]) assert.match(text, new RegExp(name));
      assert.match(text, /disconnected/);
      assert.doesNotMatch(text, /card of bad/);
      if (kind !== "ndjson") continue;
      const kindOfFrame = more.selection?.rows === "device" ? "device" : "frame";
      const records = text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as StreamRecord);
      assert.deepEqual(
        records.map(({ hostname, record, tick }) => `${hostname} ${record} ${tick}`),
        [`a1 ${kindOfFrame} 3`, "bad state 3", `z9 ${kindOfFrame} 3`],
      );
      const [, state] = records;
      assert(state?.record === "state");
      assert.equal(state.last_error?.code, "internal-error");
      assert.equal(state.host_id, "u@bad:22");
    }
    assert.ok(faults.length > 0);
    assert.ok(faults.every((fault) => fault.startsWith("u@bad:22 RangeError")));
  });
}

test("without a way to replace a record the formatter throws, and what comes after is whole", async () => {
  const options = {
    csvSections: [],
    query: [],
    color: false,
    terminal: null,
    hostCount: null,
    isOnce: false,
  };
  const formatter = await createFormatter("ndjson", options);
  assert.throws(() => formatter.format([frame("a1"), poisoned("utilization")]), RangeError);
  assert.deepEqual(JSON.parse(formatter.format([frame("z9")])), frame("z9"));
});
