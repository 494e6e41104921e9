/** Writes frames to standard output without end, as main does. Prints `stalled` when a write has taken half a second. */
import type { StreamRecord } from "../../src/contract/record.js";
import { createNdjsonFormatter } from "../../src/format/ndjson.js";
import { streamOutput } from "../../src/format/output.js";
import { drainTo } from "../../src/format/sink.js";
import { realClock } from "../../src/lib/clock.js";
import { frame, gpu } from "./records.js";

const ndjson = createNdjsonFormatter({ isOnce: false });

const ended = new AbortController();
let pulledMs = performance.now();
async function* frames(): AsyncGenerator<readonly StreamRecord[], void> {
  for (let tick = 0; !ended.signal.aborted; tick++) {
    pulledMs = performance.now();
    yield await Promise.resolve([
      frame({ tick, gpus: Array.from({ length: 8 }, (_, index) => gpu({ index })) }),
    ]);
  }
}
const watch = setInterval(() => {
  if (performance.now() - pulledMs > 500) {
    process.stderr.write("stalled\n");
    clearInterval(watch);
  }
}, 50);
process.on("SIGTERM", () => {
  process.exitCode = 143;
  ended.abort();
});

const drained = await drainTo(frames(), ndjson, streamOutput(process.stdout), {
  signal: ended.signal,
  clock: realClock,
  stop: () => ended.abort(),
});
clearInterval(watch);
// What is still queued for a reader that takes nothing is given up, as main does.
if (drained === "abandoned") process.exit();
