/** Data flows one way: which place may import from which, where packages live, and that nothing goes round. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../src", import.meta.url));

/** Every place under src, and the places, or single files, that it may import from beside itself. A file without a row fails. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "record.ts": [],
  "errors.ts": ["record.ts", "lib/"],
  "faults.ts": ["errors.ts", "lib/"],
  "lib/": [],
  "targets/": ["errors.ts", "lib/"],
  "options.ts": ["record.ts", "fail-on.ts", "ssh/ssh-options.ts", "targets/"],
  "fail-on.ts": ["record.ts", "lib/"],
  "record-check.ts": ["record.ts", "lib/"],
  "shims/": ["record.ts", "errors.ts", "lib/"],
  "system/": ["record.ts", "errors.ts", "lib/", "shims/"],
  "ssh/": ["record.ts", "errors.ts", "lib/", "targets/"],
  "remote/": ["record.ts", "errors.ts", "options.ts", "lib/", "shims/", "system/", "ssh/connection.ts"],
  "host/": ["record.ts", "errors.ts", "options.ts", "lib/", "shims/", "remote/"],
  "pipeline.ts": ["record.ts", "errors.ts", "options.ts", "lib/", "host/"],
  "format/": ["record.ts", "errors.ts", "options.ts", "lib/"],
  "replay.ts": ["record.ts", "record-check.ts", "errors.ts", "lib/"],
  "tally.ts": ["record.ts", "fail-on.ts"],
  "cli/": ["errors.ts", "lib/", "shims/", "targets/"],
  "cli.ts": [
    "cli/",
    "errors.ts",
    "fail-on.ts",
    "options.ts",
    "record.ts",
    "shims/registry.ts",
    "ssh/ssh-options.ts",
    "targets/",
  ],
  "fleet.ts": [
    ...["errors.ts", "record.ts"],
    "pipeline.ts",
    "options.ts",
    "lib/",
    "host/",
    "remote/",
    "shims/",
    "ssh/",
    "system/",
    "targets/",
  ],
  "live.ts": [
    "errors.ts",
    "fleet.ts",
    "pipeline.ts",
    "options.ts",
    "record.ts",
    "lib/",
    "shims/registry.ts",
    "ssh/",
    "targets/",
  ],
  "dry-run.ts": ["errors.ts", "fleet.ts", "options.ts", "lib/", "ssh/"],
  "observed.ts": ["format/unwritable.ts", "fail-on.ts", "record.ts", "tally.ts", "lib/"],
  "threads/": [
    ...["errors.ts", "fleet.ts", "live.ts", "observed.ts", "options.ts", "record.ts", "tally.ts"],
    ...["lib/", "ssh/plan.ts", "ssh/names/resolver-pool.ts", "format/", "stream.ts"],
  ],
  "stream.ts": [
    ...["errors.ts", "options.ts", "record.ts", "tally.ts", "lib/", "targets/", "format/pacing.ts"],
    ...["replay.ts", "live.ts", "ssh/names/resolver-pool.ts", "threads/", "demo/"],
  ],
  "demo/": ["remote/script.ts", "shims/", "ssh/embedded-server.ts", "ssh/ssh-options.ts", "targets/"],
  "notices.ts": [],
  "appearance.ts": ["options.ts", "format/"],
  "run.ts": [
    ...["appearance.ts", "faults.ts", "notices.ts", "observed.ts", "stream.ts"],
    ...["errors.ts", "options.ts", "tally.ts", "lib/", "format/"],
    ...["live.ts", "dry-run.ts", "ssh/names/resolver-pool.ts"],
  ],
  "index.ts": [
    ...["errors.ts", "faults.ts", "lib/", "live.ts", "options.ts", "record.ts", "shims/registry.ts"],
    ...["ssh/names/resolver-pool.ts", "ssh/ssh-options.ts", "stream.ts", "targets/"],
  ],
  "main.ts": ["cli.ts", "errors.ts", "lib/", "options.ts", "run.ts"],
  "start.ts": ["lib/", "main.ts"],
};

/** One home for each package. */
const HOME_OF_PACKAGE: Readonly<Record<string, RegExp>> = {
  ssh2: /^ssh\//,
  cac: /^cli\//,
  ndjson: /^replay\.ts$/,
  "cli-table3": /^format\//,
  picocolors: /^format\//,
  "string-width": /^format\//,
};

/** Stages without side effects of their own: no files, sockets or processes. */
const PURE = ["shims/", "host/", "record.ts", "errors.ts", "tally.ts", "pipeline.ts", "fail-on.ts"];
const EDGES = /^(fs|net|child_process|http|https|dns|tls|os)(\/|$)/;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isTypeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const imports = files.flatMap(importsOf);

function importsOf(from: string): Import[] {
  const text = readFileSync(join(SRC, from), "utf8");
  const found = [...text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)";/gms)];
  const bare = [...text.matchAll(/^import\s+()"([^"]+)";/gm)];
  const dynamic = [...text.matchAll(/\bimport\(()"([^"]+)"\)/g)];
  return [...found, ...bare, ...dynamic].map(([, type, to = ""]) => ({
    from,
    to: to.startsWith(".") ? relative(SRC, resolve(SRC, dirname(from), to)).replace(/\.js$/, ".ts") : to,
    isTypeOnly: type !== undefined && type !== "",
  }));
}

function placeOf(file: string): string {
  const folder = file.split("/")[0] ?? file;
  return file.includes("/") ? `${folder}/` : file;
}

const isLocal = (to: string): boolean => to.endsWith(".ts");

test("every file has a row, and every row a file", () => {
  const places = new Set(files.map(placeOf));
  assert.deepEqual([...places].sort(), Object.keys(MAY_IMPORT).sort());
});

test("imports go one way", () => {
  const wrong = imports
    .filter(({ to }) => isLocal(to))
    .filter(({ from, to }) => {
      const [own, other] = [placeOf(from), placeOf(to)];
      const allowed = MAY_IMPORT[own] ?? [];
      return own !== other && !allowed.includes(other) && !allowed.includes(to);
    })
    .map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(wrong, []);
});

test("no import cycles between files, types aside", () => {
  const next = new Map<string, string[]>();
  for (const { from, to, isTypeOnly } of imports) {
    if (isLocal(to) && !isTypeOnly) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `cycle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
    if (done.has(file)) return;
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  assert.equal(done.size, files.length);
});

test("each package has one home", () => {
  const packages = imports.filter(
    ({ to }) => !isLocal(to) && !to.startsWith("node:") && !builtinModules.includes(to),
  );
  const wrong = packages.filter(({ from, to }) => HOME_OF_PACKAGE[to]?.test(from) !== true);
  assert.deepEqual(wrong, []);
  assert.deepEqual([...new Set(packages.map(({ to }) => to))].sort(), Object.keys(HOME_OF_PACKAGE).sort());
});

test("pure stages touch no files, sockets or processes, and only the clock touches timers", () => {
  const impure = imports
    .filter(({ from, to }) => PURE.includes(placeOf(from)) && EDGES.test(to.replace(/^node:/, "")))
    .map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(impure, []);
  const timed = files
    .filter((file) => file !== "lib/clock.ts" && placeOf(file) !== "demo/")
    .filter((file) => /\b(setTimeout|setInterval)\(/.test(readFileSync(join(SRC, file), "utf8")));
  assert.deepEqual(timed, []);
});
