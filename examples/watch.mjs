// Prints GPUs above 80 degrees on the hosts that are given, until it is interrupted: node watch.mjs dgx-01 dgx-02
import { watch, UsageError } from "allsmi-ssh";

const ended = new AbortController();
process.once("SIGINT", () => ended.abort());

try {
  const records = watch(process.argv.slice(2), { include: ["gpu"], intervalMs: 5000, signal: ended.signal });
  for await (const record of records) {
    if (record.record === "state") {
      if (record.last_error !== null) console.error(`${record.hostname}: ${record.last_error.message}`);
      continue;
    }
    for (const { index, temperature } of record.gpus ?? []) {
      if (temperature !== null && temperature > 80) {
        console.log(`${record.hostname} GPU ${index}: ${temperature} C`);
      }
    }
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.problems.join("\n"));
  process.exitCode = 2;
}
