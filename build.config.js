/**
 * Makes `dist/`: `start.cjs`, which is the program, `main.js`, `thread.js`, `resolver.cjs`, the library `index.js`
 * with its types, and a file for each part that a run may need later.
 * Reading two hundred modules one by one would take a third of a short run's start.
 */
import { Buffer } from "node:buffer";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import ts from "typescript";

/** @type {{ name: string, version: string }} */
const { name, version } = JSON.parse(readFileSync("package.json", "utf8"));
const VERSION_TEXT = JSON.stringify(`${name} ${version}\n`);
/** @type {import("esbuild").BuildOptions} */
const shared = {
  bundle: true,
  packages: "external",
  platform: "node",
  target: "node20.19",
  logLevel: "warning",
};

rmSync("dist", { recursive: true, force: true });
await build({
  ...shared,
  entryPoints: { main: "src/main.ts", thread: "src/sources/threads/thread.ts", index: "src/index.ts" },
  outdir: "dist",
  chunkNames: "parts/[name]-[hash]",
  splitting: true,
  format: "esm",
  define: { VERSION_TEXT },
});
await build({
  ...shared,
  entryPoints: { resolver: "src/ssh/names/resolver.ts" },
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  format: "cjs",
});
await build({
  ...shared,
  entryPoints: ["src/start.ts"],
  outfile: "dist/start.cjs",
  external: ["./main.js"],
  format: "cjs",
  // An old Node.js can run this file, so it prints which version is needed, and no syntax error.
  target: "es2017",
  supported: { "dynamic-import": true },
  define: { VERSION_TEXT, HELP_TEXT: JSON.stringify(await helpText()) },
});
chmodSync("dist/start.cjs", 0o755);
await writeCompletions();
await writeRecordsPage();
writeTypes("src/index.ts", "dist/types");

/** The help text, made by the code itself so that the flags are defined in one place. */
async function helpText() {
  /** @type {typeof import("./src/cli/help.js")} */
  const help = await import(await urlOf("src/cli/help.ts"));
  return help.helpText();
}

/** A file for each shell, made of the flags as well. */
async function writeCompletions() {
  /** @type {typeof import("./build/completions.js")} */
  const { completionFiles } = await import(await urlOf("build/completions.ts"));
  mkdirSync("dist/completions");
  for (const [file, text] of completionFiles()) writeFileSync(join("dist/completions", file), text);
}

/** The manual page of the records, made of the field tables. */
async function writeRecordsPage() {
  /** @type {typeof import("./build/records-page.js")} */
  const { recordsPage } = await import(await urlOf("build/records-page.ts"));
  mkdirSync("dist/man");
  writeFileSync("dist/man/allsmi-ssh-records.5", recordsPage());
}

/**
 * A module of TypeScript with what it imports, as something to import.
 * @param {string} entry
 */
async function urlOf(entry) {
  const built = await build({ ...shared, entryPoints: [entry], format: "esm", write: false });
  const [file] = built.outputFiles;
  return `data:text/javascript;base64,${Buffer.from(file.contents).toString("base64")}`;
}

/**
 * Writes the declarations that `entry` leads to, which a library user's compiler reads, and no others.
 * @param {string} entry
 * @param {string} outDir
 */
function writeTypes(entry, outDir) {
  /** @type {{ config?: { compilerOptions: unknown } }} */
  const { config } = ts.readConfigFile("tsconfig.json", (path) => readFileSync(path, "utf8"));
  const { options } = ts.convertCompilerOptionsFromJson(config?.compilerOptions, ".");
  const program = ts.createProgram([entry], {
    ...options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    outDir,
    rootDir: "src",
  });
  /** @type {Map<string, string>} */
  const declarations = new Map();
  program.emit(undefined, (path, text) => declarations.set(resolve(path), text));
  const open = [resolve(outDir, relative("src", entry).replace(/\.ts$/, ".d.ts"))];
  const written = new Set();
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const text = declarations.get(path);
    if (text === undefined) throw new Error(`no declarations: ${path}`);
    if (written.has(path)) continue;
    written.add(path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    for (const [, to = ""] of text.matchAll(/from "(\.[^"]+)\.js"/g))
      open.push(join(dirname(path), `${to}.d.ts`));
  }
}
