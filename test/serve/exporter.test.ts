/** The exporter passes records on as they are, and serves the latest ones. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamRecord } from "../../src/contract/record.js";
import { startExporter, type Exporter } from "../../src/serve/exporter.js";
import { readExposition, valueOf } from "../support/exposition.js";
import { FakeClock } from "../support/fake-clock.js";
import { frame, gpu, state } from "../support/records.js";

const LISTEN = { host: "127.0.0.1", port: 0 };
const HOST = { host: "admin@dgx-01:22" };

async function scraped({ url }: Exporter): Promise<ReturnType<typeof readExposition>> {
  return readExposition(await (await fetch(url)).text());
}
const ready = async ({ url }: Exporter): Promise<number> =>
  (await fetch(url.replace("/metrics", "/-/ready"))).status;

async function* batchesOf(
  ...batches: readonly StreamRecord[][]
): AsyncGenerator<readonly StreamRecord[], void> {
  for (const batch of batches) yield await Promise.resolve(batch);
}

test("serves each record from when it passed, and is ready when every host has had a tick", async () => {
  const clock = new FakeClock();
  const exporter = await startExporter({
    listen: LISTEN,
    intervalMs: 2000,
    clock,
    fault: () => assert.fail(),
  });
  try {
    assert.equal(await ready(exporter), 503);
    assert.equal((await scraped(exporter)).size, 0);
    const first = [frame({ gpus: [gpu()] }), state({ tick: null, state: "connecting" })];
    const batches = exporter.watch(batchesOf(first, [state()]), 2);
    assert.deepEqual((await batches.next()).value, first);
    assert.equal(await ready(exporter), 503);
    assert.equal(valueOf(await scraped(exporter), "allsmi_host_up", HOST), 1);
    await batches.next();
    assert.equal(await ready(exporter), 200);

    // A reader of standard output that takes nothing holds the records back.
    await clock.advance(10_001);
    const stalled = await scraped(exporter);
    assert.equal(valueOf(stalled, "allsmi_host_up", HOST), 0);
    assert.ok(!stalled.has("allsmi_gpu_temperature_celsius"));
    assert.equal((await batches.next()).done, true);
  } finally {
    const closing = exporter.close();
    await clock.advance(1000);
    await closing;
  }
});
