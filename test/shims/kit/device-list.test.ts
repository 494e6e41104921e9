/** Every device of a tool's list is in the reading, whatever numbers and addresses they share. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { accelerator } from "../../../src/shims/kit/accelerator.js";
import { distinctDevices } from "../../../src/shims/kit/device-list.js";
import { allShims } from "../../../src/shims/registry.js";
import { partOutputs, probeContext } from "../../support/shim-outputs.js";

type Printed = (count: number) => Readonly<Record<string, string>>;
const each = <T>(count: number, of: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => of(index));
const json = JSON.stringify;
const hex = (index: number): string => index.toString(16).padStart(2, "0");
const bdf = (index: number): string => `0000:${hex(index)}:00.0`;
const uuid = (index: number): string => `GPU-5d3f1c52-8f1e-4f6a-9a34-0000000000${hex(index)}`;

/** The output of each tool for a number of devices. */
const PRINTED: Readonly<Record<string, Printed>> = {
  native: (count) => ({
    "native.snapshot": `all-smi 0.27.0\n${json({ schema: 1, gpus: each(count, () => ({ uuid: "same", name: "same", detail: {} })) })}`,
  }),
  "nvidia-smi": (count) => ({
    "nvidia-smi.query": `index, uuid, name, utilization.gpu [%], pci.bus_id\n${each(count, (i) => `${String(i)}, ${uuid(i)}, B200, 5, 0000${bdf(i)}`).join("\n")}\n`,
  }),
  "amd-smi": (count) => ({
    "amd-smi.metric": json(each(count, (gpu) => ({ gpu, usage: { gfx_activity: 4 } }))),
  }),
  "rocm-smi": (count) => ({
    "rocm-smi.metrics": json(
      Object.fromEntries(each(count, (i) => [`card${String(i)}`, { "GPU use (%)": "4" }])),
    ),
  }),
  "xpu-smi": (count) => ({
    "xpu-smi.discovery": json({
      device_list: each(count, (device_id) => ({ device_id, device_name: "Max", uuid: "same" })),
    }),
  }),
  "hl-smi": (count) => ({
    "hl-smi.query": each(
      count,
      (i) => `${String(i)}, same, HL-325L, 1.19.0, 98304 MiB, 9 MiB, 9 MiB, 200 W, 850 W, 40 C, 3 %`,
    ).join("\n"),
  }),
  // Two chips on each card.
  "npu-smi": (count) => ({
    "npu-smi.info": each(
      count,
      (i) =>
        `| ${String(i >> 1)} Ascend910 | OK | 100.1 40 0 / 0 |\n| ${String(i & 1)} | ${bdf(i)} | 3 0 / 0 3000 / 65536 |`,
    ).join("\n"),
  }),
  // All on one board, with one address.
  "tt-smi": (count) => ({
    "tt-smi.snapshot": json({
      device_info: each(count, (i) => ({
        board_info: { bus_id: bdf(0), board_id: "1", coords: `(${String(i)}, 0, 0, 0)` },
        telemetry: {},
      })),
    }),
  }),
  "tpu-info": (count) => ({
    "tpu-info.tables": [
      "+---+---+---+---+\n| Device | Type | Cores | PID |\n+---+---+---+---+",
      ...each(count, (i) => `| /dev/accel${String(i)} | TPU v4 chip | 1 | None |`),
      // A workload runs on one of them.
      "+---+---+\n+---+---+---+\n| Core ID | Memory usage | Duty cycle |\n+---+---+---+",
      "| 0 | 1.00 GiB / 31.25 GiB | 5.00% |",
    ].join("\n"),
  }),
  // Eight dies on each card.
  "rbln-smi": (count) => ({
    "rbln-smi.status": json({
      devices: each(count, (i) => ({ npu: i >> 3, name: "RBLN-CR03", sid: "1", device: `rbln${String(i)}` })),
    }),
  }),
  "neuron-ls": (count) => ({
    "neuron-ls.devices": json(each(count, (i) => ({ neuron_device: i, bdf: bdf(i), nc_count: 2 }))),
  }),
  sysfs: (count) => ({
    "sysfs.gpus": each(count, (i) => `@${bdf(i)} amdgpu active\ngpu_busy_percent 4\n`).join(""),
    "sysfs.facts": each(count, (i) => `@${bdf(i)} amdgpu active\ncard ${String(i)}\n`).join(""),
  }),
  "furiosa-smi": (count) => ({
    "furiosa-smi.info": json(each(count, (i) => ({ dev_name: `npu${String(i)}`, arch: "rngd" }))),
  }),
};
/** It only ever reports one device. */
const SINGLE = new Set(["tegrastats"]);

const shims = await allShims();

describe("no device of a list is lost", () => {
  for (const shim of shims.filter(({ id }) => !SINGLE.has(id)))
    for (const count of [1, 2, 32, 64])
      test(`${shim.id}: ${String(count)}`, () => {
        const printed = PRINTED[shim.id];
        assert.ok(printed, `what ${shim.id} prints`);
        const outputs = partOutputs(printed(count));
        const verdict = shim.judge(outputs, probeContext(["gpu"]));
        assert.ok("sampler" in verdict, "message" in verdict ? verdict.message : "");
        const numbers = (verdict.sampler.parse(outputs).sections.gpus ?? []).map(({ index }) => index);
        assert.deepEqual(
          numbers,
          each(count, (i) => i),
        );
      });

  test("a device that is printed twice is listed once, and another device with its index beside it", () => {
    const pool = each(4, (i) =>
      accelerator("NPU", { index: i >> 1, uuid: `u${String(i)}`, temperature: 40 }),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 12 }), (order) => {
        const found = distinctDevices(order.flatMap((at) => pool[at] ?? []));
        const wanted = new Set(order.map((at) => `u${String(at)}`));
        assert.deepEqual(new Set(found.map((gpu) => gpu.uuid)), wanted);
        assert.equal(found.length, wanted.size);
        assert.equal(new Set(found.map(({ index }) => index)).size, found.length);
      }),
    );
  });

  test("a device without an index stays without one where the others have theirs", () => {
    const lost = accelerator("GPU", { index: null, pci_bus_id: bdf(3) });
    assert.deepEqual(
      distinctDevices([lost, accelerator("GPU", { index: 4 }), accelerator("GPU", { index: 1 })]).map(
        ({ index }) => index,
      ),
      [1, 4, null],
    );
  });
});

describe("readings under other names and units", () => {
  const first = (id: string, outputs: Readonly<Record<string, string>>) => {
    const verdict = shims.find((shim) => shim.id === id)?.judge(partOutputs(outputs), probeContext(["gpu"]));
    assert.ok(verdict !== undefined && "sampler" in verdict);
    return verdict.sampler.parse(partOutputs(outputs)).sections.gpus?.[0];
  };

  test("rocm-smi's memory sensor under each of its names", () => {
    for (const sensor of ["mem", "memory", "HBM 2"]) {
      const card = { "Device Name": "AMD Instinct", [`Temperature (Sensor ${sensor}) (C)`]: "61.0" };
      assert.equal(
        first("rocm-smi", { "rocm-smi.metrics": json({ card0: card }) })?.temperature_memory,
        61,
        sensor,
      );
    }
  });

  const total = 16 * 2 ** 30;
  const used: readonly (readonly [why: string, value: number, percent: number | null, bytes: number])[] = [
    ["MiB", 24, 0, 24 * 2 ** 20],
    ["MiB that are half of it", 8192, 50, 2 ** 33],
    ["bytes that as MiB would exceed the total", 9_437_184, null, 9_437_184],
    ["many bytes", 2 ** 33, 50, 2 ** 33],
    ["few bytes, by the percentage", 4096, 0, 4096],
  ];
  for (const [why, value, percent, bytes] of used)
    test(`xpu-smi's used memory: ${why}`, () => {
      const level = [
        { metrics_type: "XPUM_STATS_MEMORY_USED", value },
        ...(percent === null ? [] : [{ metrics_type: "XPUM_STATS_MEMORY_UTILIZATION", value: percent }]),
      ];
      const gpu = first("xpu-smi", {
        "xpu-smi.discovery": json({
          device_list: [{ device_id: 0, memory_physical_size_byte: String(total) }],
        }),
        "xpu-smi.stats": json({ device_id: 0, device_level: level }),
      });
      assert.deepEqual([gpu?.used_memory, gpu?.memory_free], [bytes, total - bytes]);
    });
});
