/** The memory of an accelerator that its listed processes do not account for. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Gpu, Process, SectionError } from "../../src/contract/record.js";
import { withUnaccountedMemory } from "../../src/remote/unaccounted-memory.js";
import { acceleratorProcess } from "../../src/shims/kit/accelerator.js";
import { gpu } from "../support/records.js";

const GIB = 2 ** 30;

const user = (of: Partial<Process>): Process => ({
  ...acceleratorProcess({
    pid: 100,
    process_name: "python",
    device_id: 0,
    device_uuid: null,
    used_memory: GIB,
  }),
  ...of,
});

/** `memory_unaccounted` of each device; undefined: the field is absent. */
function of(
  gpus: readonly Partial<Gpu>[],
  processes: readonly Partial<Process>[] | undefined,
  errors: readonly SectionError[] = [],
): readonly (number | null | undefined)[] {
  const made = gpus.map((each, index) => gpu({ index, used_memory: 10 * GIB, ...each }));
  const sections = { gpus: made, ...(processes === undefined ? {} : { processes: processes.map(user) }) };
  const read = withUnaccountedMemory({ sections, errors });
  return read.sections.gpus?.map((each) => each.memory_unaccounted) ?? assert.fail();
}

const CASES: readonly (readonly [
  what: string,
  gpus: readonly Partial<Gpu>[],
  processes: readonly Partial<Process>[] | undefined,
  expected: readonly (number | null | undefined)[],
])[] = [
  ["no process: all of it", [{}], [], [10 * GIB]],
  ["processes not listed: no field", [{}], undefined, [undefined]],
  ["two processes of one device", [{}, {}], [{}, { pid: 101, used_memory: 8 * GIB }], [GIB, 10 * GIB]],
  [
    "by uuid where there is no index",
    [{ uuid: "GPU-1" }],
    [{ device_id: null, device_uuid: "GPU-1" }],
    [9 * GIB],
  ],
  ["another uuid", [{ uuid: "GPU-1" }], [{ device_id: null, device_uuid: "GPU-2" }], [10 * GIB]],
  ["more than is used: nothing is left", [{ used_memory: GIB / 2 }], [{}], [0]],
  ["a process without a figure", [{}, {}], [{ used_memory: null }], [null, 10 * GIB]],
  ["a process of an unknown device", [{}, {}], [{ device_id: null }], [null, null]],
  [
    "a process of several devices",
    [{}, {}, {}],
    [{ device_id: null, device_ids: [0, 2] }],
    [null, 10 * GIB, null],
  ],
  ["a process that uses no accelerator", [{}], [{ uses_gpu: false, used_memory: 5 * GIB }], [10 * GIB]],
  ["a device whose memory is not known", [{ used_memory: null }], [{}], [null]],
  ["memory of the host: no field", [{ memory_source: "host" }], [{}], [undefined]],
];

describe("memory that no process accounts for", () => {
  for (const [what, gpus, processes, expected] of CASES)
    test(what, () => assert.deepEqual(of(gpus, processes), expected));

  test("is not known where the tool failed to list some processes", () => {
    const error: SectionError = { section: "process", kind: "parse", message: "half a row" };
    assert.deepEqual(of([{}], [{}], [error]), [null]);
    assert.deepEqual(of([{}], [{}], [{ ...error, section: "gpu" }]), [9 * GIB]);
  });
});
