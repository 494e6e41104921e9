/** A process of its own for the test of two writers: FILE FIRST COUNT. */
import { KnownHostsStore } from "../../../src/ssh/known-hosts/known-hosts.js";
import { namesOf, testKey } from "./test-keys.js";

const [file = "", first = "0", count = "0"] = process.argv.slice(2);
const known = new KnownHostsStore().open({ userFiles: [file], globalFiles: [], revokedFiles: [] });
const numbers = Array.from({ length: Number(count) }, (_, i) => Number(first) + i);
const writes = numbers.map(async (i) => {
  await new Promise((resolve) => setImmediate(resolve));
  return known.remember(namesOf(`gpu-${i}.example`), testKey(i), { hash: false });
});
const warnings = await Promise.all(writes);
process.exitCode = warnings.every((warning) => warning === null) ? 0 : 1;
