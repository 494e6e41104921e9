/** Runs parts as the remote script does, under the shells of this machine and, where asked, in a fake /proc and /sys. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { OUTPUT_FUNCTIONS } from "../../src/remote/script.js";
import type { Part, PartOutput, PartOutputs } from "../../src/shims/kit/shim.js";

export interface Shell {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  /** The only folder on PATH. */
  readonly path?: string;
}

const KNOWN: readonly Shell[] = [
  { name: "dash", argv: ["dash"] },
  { name: "bash", argv: ["bash"] },
  { name: "busybox sh", argv: ["busybox", "sh"] },
  { name: "ksh", argv: ["ksh"] },
  { name: "zsh as sh", argv: ["zsh", "--emulate", "sh"] },
];

const APPLETS = [
  "grep",
  "sort",
  "uniq",
  "sed",
  "cat",
  "df",
  "ps",
  "date",
  "uname",
  "timeout",
  "sh",
  "cut",
  "tail",
];

/** The POSIX shells that are installed here. */
export const SHELLS: readonly Shell[] = KNOWN.filter(({ argv }) => has(argv[0]));

/** busybox's shell with only busybox's programs; null where there is no busybox. Its folder is removed at exit. */
export function onlyBusybox(): Shell | null {
  if (!has("busybox")) return null;
  const path = temporaryFolder("busybox");
  const busybox = execFileSync("sh", ["-c", "command -v busybox"], { encoding: "utf8" }).trim();
  for (const applet of APPLETS) symlinkSync(busybox, join(path, applet));
  return { name: "only busybox", argv: [busybox, "sh"], path };
}

const folders: string[] = [];
process.on("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function temporaryFolder(purpose: string): string {
  const folder = mkdtempSync(join(tmpdir(), `allsmi-ssh-${purpose}-`));
  folders.push(folder);
  return folder;
}

function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** Files below a new folder, given by absolute path; `null` makes a folder. Removed at exit. */
export function fakeRoot(files: Readonly<Record<string, string | null>>): string {
  const root = temporaryFolder("root");
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(content === null ? join(root, path) : dirname(join(root, path)), { recursive: true });
    if (content !== null) writeFileSync(join(root, path), content);
  }
  return root;
}

/** `root`: replaces / in the part's /proc and /sys paths, and is removed from the output. */
export function runPart(part: Part, shell: Shell, root = "", deadlineSecs = 10): PartOutput {
  const command = root === "" ? part.command : part.command.replaceAll(/(\/(?:proc|sys)\/)/g, `${root}$1`);
  const script = `LC_ALL=C; export LC_ALL; ${OUTPUT_FUNCTIONS}; b() { timeout -k 1 ${deadlineSecs} "$@"; }; x() { exec timeout -k 1 ${deadlineSecs} "$@"; }; { ${command}; } </dev/null; c=$?; f; exit $c`;
  const [program, ...args] = shell.argv;
  const run = spawnSync(program, [...args, "-c", script], {
    encoding: "utf8",
    env: { ...process.env, ...(shell.path === undefined ? {} : { PATH: shell.path }) },
    timeout: 30_000,
    // The limit of a frame: a machine with several thousand processes lists them all.
    maxBuffer: 32 * 1024 * 1024,
  });
  const cut = (text: string): string => (root === "" ? text : text.replaceAll(root, ""));
  return { stdout: cut(run.stdout), stderr: cut(run.stderr), end: { kind: "exit", code: run.status ?? 255 } };
}

export function runParts(parts: readonly Part[], shell: Shell, root = ""): PartOutputs {
  return new Map(parts.map((part) => [part.id, runPart(part, shell, root)]));
}
