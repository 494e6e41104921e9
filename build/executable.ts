/**
 * `npm run executable`: puts the program and a copy of this Node.js into one file, .build/executable/allsmi-ssh, which needs
 * neither Node.js nor node_modules on the machine that it runs on (Node.js, "Single executable applications").
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { THREAD_ASSET } from "../src/run/programs.js";
import { bundle } from "./executable-bundle.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = join(ROOT, ".build/executable");
const PROGRAM = join(FOLDER, "allsmi-ssh");
/** Node.js looks for this text in itself: the digit behind it is what postject changes. */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

if (!readFileSync(process.execPath).includes(`${FUSE}:0`))
  throw new Error(
    `${process.execPath} cannot take a program: it is a build of Node.js that loads itself from a library; use one of nodejs.org`,
  );
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
/** Its path in the folder, which is what stacks show. */
const write = async (name: string, entry: string): Promise<string> => {
  writeFileSync(join(FOLDER, name), (await bundle(ROOT, entry)).text);
  return name;
};
writeFileSync(
  join(FOLDER, "config.json"),
  JSON.stringify({
    main: await write("main.cjs", "src/executable.ts"),
    assets: { [THREAD_ASSET]: await write(THREAD_ASSET, "src/sources/threads/thread.ts") },
    output: "blob",
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
  }),
);
execFileSync(process.execPath, ["--experimental-sea-config", "config.json"], {
  cwd: FOLDER,
  stdio: "pipe",
});
copyFileSync(process.execPath, PROGRAM);
chmodSync(PROGRAM, 0o755);
const isMac = process.platform === "darwin";
// A signature is of the file as it was.
if (isMac) execFileSync("codesign", ["--remove-signature", PROGRAM]);
// What it warns of, names of sections that it does not know, is of no consequence: an error has its output.
execFileSync(
  process.execPath,
  [
    ...[fileURLToPath(import.meta.resolve("postject/dist/cli.js")), PROGRAM, "NODE_SEA_BLOB"],
    ...[join(FOLDER, "blob")],
    ...["--sentinel-fuse", FUSE, ...(isMac ? ["--macho-segment-name", "NODE_SEA"] : [])],
  ],
  { stdio: "pipe" },
);
if (isMac) execFileSync("codesign", ["--sign", "-", PROGRAM]);
process.stdout.write(`${PROGRAM}: ${Math.round(statSync(PROGRAM).size / 2 ** 20)} MiB\n`);
