/** Data flows one way: which room may import from which, where packages live, and that nothing goes round. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { importsOf, isLocal, sourceFiles, SRC } from "./support/imports.js";

/**
 * Every room under src, from the bottom up, and the rooms, or single files, that it may import from beside itself; of
 * types too. A row names only rooms above it: no room can be on a circle. A file without a row fails.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "lib/": [],
  "contract/": ["lib/"],
  "cache/": ["contract/", "lib/"],
  "conditions/": ["contract/", "lib/"],
  "health/": ["contract/", "lib/"],
  "targets/": ["contract/", "lib/"],

  "shims/kit/": ["contract/", "lib/"],
  "shims/amd-smi/": ["contract/", "lib/", "shims/kit/"],
  "shims/native/": ["contract/", "lib/", "shims/kit/"],
  "shims/nvidia-smi/": ["contract/", "lib/", "shims/kit/"],
  "shims/nvidia-smi/fast/": ["contract/", "lib/", "shims/kit/", "shims/nvidia-smi/"],
  "shims/rocm-smi/": ["contract/", "lib/", "shims/kit/"],
  "shims/sysfs/": ["contract/", "lib/", "shims/kit/"],
  "shims/xpu-smi/": ["contract/", "lib/", "shims/kit/"],
  "shims/": [
    ...["contract/", "lib/", "shims/kit/"],
    ...["shims/amd-smi/", "shims/native/", "shims/nvidia-smi/", "shims/nvidia-smi/fast/"],
    ...["shims/rocm-smi/", "shims/sysfs/", "shims/xpu-smi/"],
  ],
  "system/fast/": [],
  "system/kernel-log/": ["contract/", "lib/"],
  "system/": ["contract/", "lib/", "shims/kit/", "system/fast/"],

  "ssh/keys/": ["contract/", "lib/"],
  "ssh/names/": ["contract/", "lib/"],
  "ssh/config/": ["contract/", "lib/", "ssh/names/"],
  "ssh/known-hosts/": ["contract/", "lib/", "ssh/keys/"],
  "ssh/known-hosts/fast/": ["contract/", "lib/", "ssh/keys/", "ssh/known-hosts/"],
  "ssh/plan/": ["contract/", "lib/", "ssh/config/", "ssh/known-hosts/"],
  "ssh/auth/": ["contract/", "lib/", "ssh/config/", "ssh/keys/", "ssh/plan/"],
  "ssh/auth/fast/": ["lib/", "ssh/auth/"],
  "ssh/dial/fast/": [],
  "ssh/dial/": ["contract/", "lib/", "ssh/names/", "ssh/plan/"],
  "ssh/jump/": ["contract/", "lib/", "ssh/dial/", "ssh/plan/"],
  "ssh/ssh2/fast/": [],
  "ssh/ssh2/": [
    ...["contract/", "lib/", "ssh/auth/", "ssh/config/", "ssh/dial/", "ssh/jump/"],
    ...["ssh/keys/", "ssh/known-hosts/", "ssh/plan/", "ssh/ssh2/fast/"],
  ],
  "ssh/openssh/": ["contract/", "lib/", "ssh/auth/", "ssh/config/", "ssh/dial/", "ssh/plan/"],
  "ssh/": [
    ...["contract/", "lib/", "ssh/auth/", "ssh/auth/fast/", "ssh/config/", "ssh/dial/", "ssh/dial/fast/"],
    ...["ssh/jump/", "ssh/known-hosts/", "ssh/known-hosts/fast/", "ssh/names/", "ssh/openssh/", "ssh/plan/"],
    ...["ssh/ssh2/", "ssh/ssh2/fast/"],
  ],

  "remote/fast/": ["lib/"],
  "remote/": ["contract/", "lib/", "remote/fast/", "shims/kit/", "system/", "system/kernel-log/"],
  "host/": ["contract/", "lib/", "shims/kit/", "remote/"],
  "fleet/": [
    ...["cache/", "contract/", "lib/", "host/", "remote/", "shims/kit/", "shims/registry.ts"],
    "system/registry.ts",
    ...["ssh/", "ssh/config/", "ssh/names/", "ssh/plan/"],
  ],

  "format/fast/": ["lib/"],
  "outcome/": ["conditions/", "contract/", "health/", "lib/"],
  "format/prometheus/": ["contract/", "lib/"],
  "format/otlp/": ["contract/", "lib/", "format/prometheus/"],
  "format/rows/": ["contract/"],
  "format/table/": ["contract/", "health/", "lib/", "format/rows/", "outcome/"],
  "format/": [
    ...["conditions/", "contract/", "lib/", "format/fast/", "format/otlp/", "format/prometheus/"],
    ...["format/rows/", "format/table/", "outcome/"],
  ],
  "serve/": ["contract/", "lib/", "format/prometheus/"],
  "sources/threads/": [
    "contract/",
    "health/",
    "lib/",
    "fleet/",
    "format/",
    "outcome/",
    "ssh/names/",
    "ssh/plan/",
  ],
  "sources/demo/": [
    ...["contract/", "lib/", "remote/script.ts", "shims/kit/", "shims/registry.ts"],
    ...["ssh/ssh2/embedded-server.ts"],
  ],
  "sources/": [
    ...["contract/", "lib/", "fleet/", "format/", "host/", "outcome/", "shims/native/"],
    ...["sources/demo/", "sources/threads/", "ssh/names/"],
  ],

  "keyboard/": ["contract/", "lib/"],
  "cli/": [
    ...["cache/facts-folder.ts", "conditions/", "contract/", "lib/", "shims/registry.ts"],
    ...["ssh/config/", "targets/"],
  ],
  "run/": [
    ...["contract/", "health/", "lib/", "fleet/", "format/", "outcome/", "serve/", "sources/"],
    ...["ssh/", "ssh/auth/", "ssh/config/", "ssh/names/", "ssh/plan/"],
  ],
  "library/": [
    ...["cache/facts-folder.ts", "contract/", "fleet/", "run/faults.ts", "shims/registry.ts", "targets/"],
  ],
  "index.ts": [
    ...["cli/hosts-of-list.ts", "contract/", "format/unwritable.ts", "health/", "lib/", "library/"],
    ...["run/programs.ts", "sources/"],
  ],
  "main.ts": ["contract/", "lib/", "cli/", "keyboard/", "run/"],
  "start.ts": ["lib/", "main.ts"],
  "executable.ts": ["run/programs.ts", "ssh/names/", "start.ts"],
};

/** One home for each package. */
const HOME_OF_PACKAGE: Readonly<Record<string, RegExp>> = {
  ssh2: /^ssh\/ssh2\//,
  cac: /^cli\//,
  ndjson: /^sources\/record-lines\.ts$/,
  "cli-table3": /^format\//,
  picocolors: /^format\//,
  "string-width": /^format\//,
};

/** Rooms without side effects of their own: no files, sockets or processes. */
const PURE =
  /^(contract|conditions|health|shims|system|remote|host|fleet|outcome|sources\/threads|run|ssh\/(keys|jump))\//;
const EDGES = /^(fs|net|child_process|http|https|dns|tls|os)(\/|$)/;

const files = sourceFiles;
const imports = files.flatMap(importsOf);

function roomOf(file: string): string {
  return file.includes("/") ? `${dirname(file)}/` : file;
}

test("every file has a room, and every room a file", () => {
  const rooms = new Set(files.map(roomOf));
  assert.deepEqual([...rooms].sort(), Object.keys(MAY_IMPORT).sort());
});

test("imports go one way, those of types too", () => {
  const wrong = imports
    .filter(({ to }) => isLocal(to))
    .filter(({ from, to }) => {
      const [own, other] = [roomOf(from), roomOf(to)];
      const allowed = MAY_IMPORT[own] ?? [];
      return own !== other && !allowed.includes(other) && !allowed.includes(to);
    })
    .map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(wrong, []);
});

test("a row names only rooms above it, so that no room is on a circle", () => {
  const order = Object.keys(MAY_IMPORT);
  for (const [at, [room, allowed]] of Object.entries(MAY_IMPORT).entries()) {
    const below = order.slice(0, at);
    const up = allowed.filter((other) => !below.includes(other.endsWith("/") ? other : roomOf(other)));
    assert.deepEqual(up, [], `${room} imports upwards`);
  }
});

test("no import cycles between files, types included", () => {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) if (isLocal(to)) next.set(from, [...(next.get(from) ?? []), to]);
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

test("pure rooms touch no files, sockets or processes, and only the clock touches timers", () => {
  const impure = imports
    .filter(({ from, to }) => PURE.test(from) && EDGES.test(to.replace(/^node:/, "")))
    .map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(impure, []);
  const timed = files
    .filter((file) => file !== "lib/clock.ts" && roomOf(file) !== "sources/demo/")
    .filter((file) => /\b(setTimeout|setInterval)\(/.test(readFileSync(join(SRC, file), "utf8")));
  assert.deepEqual(timed, []);
});
