/** What `all-smi record` writes, and `--format all-smi-record`, read by `--replay`. golden/all-smi-recording has the cases. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { UsageError } from "../../src/contract/errors.js";
import type { FrameRecord, Gpu, StreamRecord } from "../../src/contract/record.js";
import { createAllSmiRecordFormatter } from "../../src/format/all-smi-record.js";
import { createNdjsonFormatter } from "../../src/format/ndjson.js";
import { replay } from "../../src/sources/replay.js";
import { FakeClock } from "../support/fake-clock.js";
import { GOLDEN_ROOT } from "../support/golden.js";
import { propertyRuns } from "../support/property-runs.js";
import { frame, gpu, state } from "../support/records.js";

const FOLDER = join(GOLDEN_ROOT, "all-smi-recording");
const canReadZstd = "createZstdDecompress" in zlib;
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

async function replayed(
  ...pieces: readonly (string | Buffer)[]
): Promise<{ readonly records: StreamRecord[]; readonly warnings: string[] }> {
  const records: StreamRecord[] = [];
  const warnings: string[] = [];
  const source = Readable.from(pieces.map((piece) => Buffer.from(piece)));
  const { signal } = new AbortController();
  const options = { name: "f", speed: "max", clock: new FakeClock(), signal } as const;
  for await (const batch of replay({ ...options, source, warn: (message) => warnings.push(message) }))
    records.push(...batch);
  return { records, warnings };
}

describe("golden/all-smi-recording", () => {
  for (const name of readdirSync(FOLDER).sort()) {
    const recording = readFileSync(join(FOLDER, name, "recording"));
    const isZstd = recording.subarray(0, 4).equals(ZSTD);
    if (isZstd && !canReadZstd) {
      test(`${name}: zstd, which this Node.js cannot read, is refused with what to do`, async () => {
        await assert.rejects(replayed(recording), (error: unknown) => {
          assert.ok(error instanceof UsageError);
          assert.match(
            error.message,
            /^--replay: f is compressed with zstd, .* 22\.15 can; or use: zstd -dc f \|/,
          );
          return true;
        });
      });
      continue;
    }
    test(name, async () => {
      const { records, warnings } = await replayed(recording);
      const shown = createNdjsonFormatter({ isOnce: true }).format(records) + warnings.join("\n");
      const file = join(FOLDER, name, "expected.ndjson");
      if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(file, shown);
      assert.equal(shown, readFileSync(file, "utf8"));
    });
  }
});

const written = (records: readonly StreamRecord[]): string => {
  const formatter = createAllSmiRecordFormatter({ hostCount: null });
  return formatter.format(records) + (formatter.end?.() ?? "");
};

/** The readings that both forms have. */
const READINGS = [
  ...["utilization", "temperature", "used_memory", "total_memory", "frequency", "power_consumption"],
  ...["name", "uuid", "index"],
] as const;

describe("a recording that --format all-smi-record has written", () => {
  test("has each reading as it was, and null where there was none", async () => {
    const value = (max: number) => fc.option(fc.integer({ min: 1, max }));
    const gpus = fc.array(
      fc.record({
        utilization: value(100),
        temperature: value(120),
        used_memory: value(2 ** 40),
        total_memory: value(2 ** 40),
        frequency: value(3000),
        power_consumption: value(1000),
        name: fc.option(fc.constantFrom("NVIDIA H100", "AMD Instinct MI300X OAM", "測試")),
        uuid: fc.option(fc.constantFrom("GPU-1", "0xabc")),
      }),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(gpus, async (list) => {
        const record = frame({ gpus: list.map((one, index) => gpu({ ...one, index })) });
        const { records, warnings } = await replayed(written([record]));
        assert.deepEqual(warnings, []);
        const [read] = records;
        assert.ok(read?.record === "frame" && records.length === 1);
        for (const [place, one] of (record.gpus ?? []).entries()) {
          // Without a reading of what is used, all-smi's form has no size of the memory.
          const expected = { ...one, ...(one.used_memory === null ? { total_memory: null } : {}) };
          for (const field of READINGS) assert.equal(read.gpus?.[place]?.[field], expected[field], field);
        }
      }),
      { numRuns: propertyRuns(100) },
    );
  });

  test("has a host's failure, and a host without devices", async () => {
    const [sound, empty] = [frame({ gpus: [gpu()] }), frame({ hostname: "login", gpus: [] })];
    const { records } = await replayed(written([sound, empty, state()]));
    const read = records.map(({ record, host_id, state: is, tick }) => [record, host_id, is, tick]);
    assert.deepEqual(read, [
      ["frame", "admin@dgx-01:22", "connected", 0],
      ["frame", "admin@login:22", "connected", 0],
      ["state", "admin@dgx-02:22", "timeout", 0],
    ]);
    const [, login, failed] = records;
    assert.deepEqual((login as FrameRecord).gpus, []);
    assert.deepEqual(failed?.record === "state" && failed.last_error, state().last_error);
  });

  test("gives a line that is too long without per-core readings, and its errors name them", () => {
    const cores = Array.from({ length: 4096 }, (_, at) => ({
      core_id: at,
      core_type: "Standard",
      utilization: 12.345678901,
    }));
    const cpu = { index: 0, cpu_model: "x", utilization: 5, per_core_utilization: cores };
    const hosts = Array.from({ length: 80 }, (_, at) =>
      frame({ hostname: `h${at}`, cpus: [cpu] as unknown as NonNullable<FrameRecord["cpus"]> }),
    );
    const [, line = ""] = written(hosts).split("\n");
    assert.ok(Buffer.byteLength(line) < 16 * 2 ** 20);
    const read = JSON.parse(line) as {
      cpus: { per_core_utilization: unknown[] }[];
      errors: { message: string }[];
    };
    assert.equal(read.cpus.length, 80);
    assert.deepEqual(read.cpus[0]?.per_core_utilization, []);
    assert.match(read.errors[0]?.message ?? "", /^per-core utilization is left out/);
  });
});

describe("recordings of others", () => {
  const line = (fields: object): string =>
    `${JSON.stringify({ schema: 1, timestamp: "2026-11-28T10:00:00Z", hostname: "h", ...fields })}\n`;
  const device = (fields: Partial<Gpu> & { readonly host_id?: string }): object => ({ uuid: "", ...fields });

  test("lines of all-smi and of ours may be in one file, and wrong ones are named", async () => {
    const ours = createNdjsonFormatter({ isOnce: true }).format([frame()]);
    const all = ours + line({ gpus: [] }) + line({ timestamp: "yesterday" }) + line({ schema: 2 });
    const { records, warnings } = await replayed(all);
    assert.deepEqual(
      records.map(({ host_id }) => host_id),
      ["admin@dgx-01:22", "h"],
    );
    assert.deepEqual(warnings, [
      "f:3: is an all-smi frame without a time; it is left out",
      "f:4: is not an allsmi-ssh record: schema is not 1; it is left out",
    ]);
  });

  test("control characters and nested values go no further", async () => {
    const deep = JSON.parse(`${"[".repeat(500)}${"]".repeat(500)}`) as unknown;
    const { records } = await replayed(
      line({ gpus: [{ ...device({ name: "a\u001b[2Jb", host_id: "x\u0007y" }), more: deep }] }),
    );
    const [read] = records;
    assert.ok(read?.record === "frame");
    assert.doesNotMatch(read.host_id + String(read.gpus?.[0]?.name), /[\u0000-\u001f]/);
    assert.equal(Reflect.get(read.gpus?.[0] ?? {}, "more"), null);
  });

  test("a host that is gone from a frame has one state until it is back", async () => {
    const a = device({ host_id: "a" });
    const both = line({ gpus: [a, device({ host_id: "b" })] });
    const { records } = await replayed(both, line({ gpus: [a] }), line({ gpus: [a] }), both);
    const ofB = records.filter(({ host_id }) => host_id === "b");
    assert.deepEqual(
      ofB.map(({ record, tick }) => [record, tick]),
      [
        ["frame", 0],
        ["state", 1],
        ["frame", 3],
      ],
    );
  });

  test("gzip that ends in the middle gives what it holds, and a small bomb stays small", async () => {
    const text = line({ gpus: [] }).repeat(2000);
    const noise = Array.from({ length: 4000 }, (_, at) => line({ hostname: `h${at * 7919}` })).join("");
    const packed = zlib.gzipSync(text + noise);
    const whole = await replayed(packed);
    assert.ok(whole.records.length >= 2000);
    const { records } = await replayed(packed.subarray(0, packed.length / 2), Buffer.alloc(0));
    assert.ok(records.length >= 2000 && records.length < whole.records.length, String(records.length));

    const bomb = zlib.gzipSync(Buffer.alloc(64 * 2 ** 20, 0x7b));
    const before = process.memoryUsage().arrayBuffers;
    const { records: none, warnings } = await replayed(bomb);
    assert.deepEqual(none, []);
    assert.match(warnings.join(), /^f:1: is longer than \d+ bytes; it is left out$/);
    assert.ok(process.memoryUsage().arrayBuffers - before < 48 * 2 ** 20);
  });
});
