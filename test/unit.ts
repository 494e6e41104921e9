/**
 * The working loop (`npm run test:unit`): every test that starts no program, needs no build and measures no growth, in one
 * process, with a fifth of the properties' runs. What a file needs is seen from its imports and those of the support
 * files that it uses.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

process.env["PROPERTY_RUNS"] ??= "0.2";

const HERE = dirname(fileURLToPath(import.meta.url));
const slowFiles = new Map<string, boolean>();

/** Whether a test file, or a file of test/ that it imports, starts programs or measures growth. */
function isSlow(file: string): boolean {
  const known = slowFiles.get(file);
  if (known !== undefined) return known;
  slowFiles.set(file, false);
  const text = readFileSync(file, "utf8");
  const imported = [...text.matchAll(/(?:from|import) "(\.[^"]+)\.js"/g)].map(([, to = ""]) =>
    resolve(dirname(file), `${to}.ts`),
  );
  const slow =
    /from "node:(child_process|worker_threads)"|\bPROGRAM\b|support\/growth\.js/.test(text) ||
    imported.filter((to) => to.startsWith(`${HERE}/`)).some(isSlow);
  slowFiles.set(file, slow);
  return slow;
}

for (const name of readdirSync(HERE, { recursive: true, encoding: "utf8" }).sort()) {
  const file = join(HERE, name);
  if (name.endsWith(".test.ts") && !isSlow(file)) await import(pathToFileURL(file).href);
}
