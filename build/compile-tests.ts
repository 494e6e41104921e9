/**
 * Compiles the tests and what they import, file by file, into `.build/tests/`: tsx would do so anew in each of their
 * processes. `import.meta.url` is that of the source there too, since tests find programs and recordings by it.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transform } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, ".build/tests");
const FOLDERS = ["src", "test", "bench", "build", "docs", "dashboards"];

async function compile(name: string): Promise<void> {
  const source = join(ROOT, name);
  const { code, map } = await transform(readFileSync(source, "utf8"), {
    define: {
      "import.meta.url": JSON.stringify(pathToFileURL(source).href),
      "import.meta.dirname": JSON.stringify(dirname(source)),
    },
    format: "esm",
    loader: "ts",
    platform: "node",
    target: "node20.19",
    sourcefile: source,
    sourcemap: "external",
    sourcesContent: false,
    logLevel: "warning",
  });
  const file = join(OUT, name.replace(/\.ts$/, ".js"));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.map`, map);
  writeFileSync(file, `${code}//# sourceMappingURL=${basename(file)}.map\n`);
}

rmSync(OUT, { recursive: true, force: true });
const names = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name)),
);
await Promise.all(names.map(compile));
