/**
 * Makes `dist/`: `start.cjs`, which is the program, with `main.cjs`, `thread.js` and `resolver.cjs`, and the library
 * `index.js` with its types.
 * main.cjs is one CommonJS file: as ES modules, a file for each part that a run may need later, a short run's start took a
 * fifth more CPU (bench/README.md). The threads of large fleets and the library are split: a tick in one file took 7 % more.
 */
import { Buffer } from "node:buffer";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import ts from "typescript";

/** @type {{ name: string, version: string, dependencies: Record<string, string> }} */
const { name, version, dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const VERSION_TEXT = JSON.stringify(`${name} ${version}\n`);
/** @type {import("esbuild").BuildOptions} */
const shared = {
  bundle: true,
  packages: "external",
  platform: "node",
  target: "node20.19",
  logLevel: "warning",
};

/**
 * main.ts as it is built, required and not imported: the loader of ES modules is not needed for it.
 * @type {import("esbuild").Plugin}
 */
const MAIN_BESIDE = {
  name: "main-beside",
  setup(files) {
    files.onResolve({ filter: /^\.\/main\.js$/ }, () => ({ path: "./main.cjs", external: true }));
  },
};

/**
 * `import.meta.url` for CommonJS. Modules that a run may not need stay functions that are not called.
 * @type {import("esbuild").BuildOptions}
 */
const commonJs = {
  ...shared,
  format: "cjs",
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  // An ES module that is imported at the top: before 22.12 Node.js has no require() of it.
  packages: "bundle",
  external: Object.keys(dependencies).filter((name) => name !== "string-width"),
  define: { VERSION_TEXT, "import.meta.url": "ownUrl" },
  banner: { js: 'const ownUrl = require("node:url").pathToFileURL(__filename).href;' },
  // import.meta.resolve finds tsx, for `npm run dev` alone.
  logOverride: { "empty-import-meta": "silent" },
};

rmSync("dist", { recursive: true, force: true });
await build({
  ...shared,
  entryPoints: { thread: "src/sources/threads/thread.ts", index: "src/index.ts" },
  outdir: "dist",
  chunkNames: "parts/[name]-[hash]",
  splitting: true,
  format: "esm",
  define: { VERSION_TEXT },
});
await build({
  ...commonJs,
  entryPoints: {
    main: "src/main.ts",
    resolver: "src/ssh/names/resolver.ts",
  },
});
for (const file of ["main", "resolver"]) escapeNonAscii(`dist/${file}.cjs`);
await build({
  ...shared,
  entryPoints: ["src/start.ts"],
  outfile: "dist/start.cjs",
  plugins: [MAIN_BESIDE],
  format: "cjs",
  // An old Node.js can run this file, so it prints which version is needed, and no syntax error.
  target: "es2017",
  supported: { "dynamic-import": false },
  define: { VERSION_TEXT, HELP_TEXT: JSON.stringify(await helpText()) },
});
chmodSync("dist/start.cjs", 0o755);
await writeCompletions();
await writeRecordsPage();
writeTypes("src/index.ts", "dist/types");

/**
 * V8 keeps a text with one character outside Latin-1 at two bytes a character, 1.4 MB more for main.cjs. esbuild escapes
 * them in strings; what is left is in regular expressions, where an escape means the same.
 * @param {string} path
 */
function escapeNonAscii(path) {
  const escaped = (/** @type {string} */ unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  writeFileSync(path, readFileSync(path, "utf8").replace(/[^\x00-\x7f]/g, escaped));
}

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
