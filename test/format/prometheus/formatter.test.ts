/** When `--format prometheus` gives its text: at the end, after each tick, or never. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createFormatter } from "../../../src/format/create-formatter.js";
import type { Formatter, FormatterOptions } from "../../../src/format/formatter.js";
import { readExposition } from "../../support/exposition.js";
import { frame, gpu, state } from "../../support/records.js";

function formatterFor(changes: Partial<FormatterOptions>): Promise<Formatter> {
  const options = { csvSections: [], query: [], color: false, terminal: null, hostCount: 2, isOnce: false };
  return createFormatter("prometheus", { ...options, ...changes });
}

test("once, at the end", async () => {
  const formatter = await formatterFor({ isOnce: true });
  assert.equal(formatter.header?.() ?? "", "");
  assert.equal(formatter.format([frame({ gpus: [gpu()] })]), "");
  assert.equal(formatter.format([state()]), "");
  const families = readExposition(formatter.end?.() ?? "");
  assert.equal(families.get("allsmi_host_up")?.samples.size, 2);
});

test("after each tick that has a record of every host, the newest of them", async () => {
  const formatter = await formatterFor({ wholeText: { eachTick: true, atEnd: false } });
  assert.equal(formatter.format([state({ tick: null, state: "connecting" })]), "");
  assert.equal(formatter.format([frame({ gpus: [gpu({ temperature: 50 })] })]), "");
  const first = readExposition(formatter.format([state()]));
  assert.deepEqual([...(first.get("allsmi_gpu_temperature_celsius")?.samples.values() ?? [])], [50]);
  const next = [frame({ tick: 1, gpus: [gpu({ temperature: 51 })] }), state({ tick: 1 })];
  const second = readExposition(formatter.format(next));
  assert.deepEqual([...(second.get("allsmi_gpu_temperature_celsius")?.samples.values() ?? [])], [51]);
  assert.equal(formatter.end?.(), "", "a run that was ended in the middle of a tick");
});

test("never, where they are only served", async () => {
  const formatter = await formatterFor({ wholeText: { eachTick: false, atEnd: false } });
  assert.equal(formatter.format([frame(), state()]) + (formatter.end?.() ?? ""), "");
});
