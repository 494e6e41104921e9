/**
 * Tries another version of ssh2, the newest published one by default: installs it in a temporary folder, runs the list of
 * inner parts and the tests of connections against it, and prints what breaks. Exit status 1 where something does.
 *
 *   npm run check-ssh2 -- [VERSION]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Parts first: where one is missing, what follows cannot work. */
const TESTS = [
  "test/ssh/ssh2/inner-parts.test.ts",
  "test/ssh/ssh2/internals.test.ts",
  "test/ssh/ssh2/algorithms.test.ts",
  "test/ssh/ssh2/fast/curve25519.test.ts",
  "test/ssh/ssh2/fast/without.test.ts",
  "test/ssh/ssh2/group-exchange.test.ts",
  "test/ssh/ssh2/session.test.ts",
  "test/security/strict-key-exchange.test.ts",
];

const [wanted = "latest"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "allsmi-check-ssh2-"));
try {
  process.exitCode = check(wanted);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function check(version: string): number {
  const args = [
    "install",
    "--prefix",
    folder,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    `ssh2@${version}`,
  ];
  const install = spawnSync("npm", args, { encoding: "utf8" });
  if (install.status !== 0) {
    print(`npm cannot install ssh2@${version}:\n${install.stderr}`);
    return 1;
  }
  print(`ssh2 ${versionIn(folder)}; the one that is pinned is ${versionIn(ROOT)}`);
  const hook = writeHook(join(folder, "node_modules/ssh2/lib/index.js"));
  const failed = TESTS.filter((file) => !passes(file, hook));
  print(failed.length === 0 ? "nothing breaks" : `breaks: ${failed.join(", ")}; docs/ssh2.md has what to do`);
  return failed.length === 0 ? 0 : 1;
}

function versionIn(root: string): string {
  const text = readFileSync(join(root, "node_modules/ssh2/package.json"), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** A module that makes every `import "ssh2"` of a process lead to `entry`. */
function writeHook(entry: string): string {
  const url = JSON.stringify(pathToFileURL(entry).href);
  const resolve = `export const resolve = (name, context, next) => name === "ssh2" ? { url: ${url}, format: "commonjs", shortCircuit: true } : next(name, context);`;
  const hook = join(folder, "hook.mjs");
  writeFileSync(join(folder, "resolve.mjs"), resolve);
  writeFileSync(
    hook,
    `import { register } from "node:module";\nregister("./resolve.mjs", import.meta.url);\n`,
  );
  return pathToFileURL(hook).href;
}

function passes(file: string, hook: string): boolean {
  const args = ["--import", "tsx", "--import", hook, "--test", "--test-reporter", "tap", join(ROOT, file)];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  print(`${status === 0 ? "works " : "BREAKS"} ${file}`);
  if (status !== 0)
    for (const [, name = ""] of stdout.matchAll(/^\s*not ok \d+ - (.*)$/gm))
      if (!name.endsWith(".test.ts")) print(`         ${name}`);
  return status === 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
