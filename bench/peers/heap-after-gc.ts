/** Preloaded by `--import` with `--expose-gc`: on SIGUSR2 collects garbage and says on standard error what is left. */
import { getHeapSpaceStatistics } from "node:v8";

const collect: unknown = Reflect.get(globalThis, "gc");
let round = 0;

process.on("SIGUSR2", () => {
  round += 1;
  const young = getHeapSpaceStatistics().find(
    (space) => space.space_name === "new_space",
  )?.physical_space_size;
  if (typeof collect === "function")
    for (let pass = 0; pass < 3; pass++) Reflect.apply(collect, globalThis, []);
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  process.stderr.write(
    `@memory ${JSON.stringify({ round, rss, heapUsed, external, arrayBuffers, young })}\n`,
  );
});
