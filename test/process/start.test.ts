/** `--help` and `--version`: one file answers them, in full, whatever standard output is. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { helpText } from "../../src/cli/help.js";
import { PROGRAM, runCli } from "../support/cli.js";
import { makeTempDir } from "../support/temp-dir.js";

const manifest = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../package.json", import.meta.url)), "utf8"),
) as { readonly version: string; readonly bin: Readonly<Record<string, string>> };
const VERSION = `allsmi-ssh ${manifest.version}\n`;
const HELP = `'${process.execPath}' '${PROGRAM}' --help`;

const temp = makeTempDir("start");
after(() => temp.remove());

/** As a script of bash; its standard output, and the exit code of what wrote it into `$STATUS`. */
function script(text: string): { stdout: string; status: string; stderr: string } {
  const [status, err] = [join(temp.path, "status"), join(temp.path, "err")];
  const stdout = execFileSync("/bin/bash", ["-c", `exec 2>'${err}'; ${text}`], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", STATUS: status, READY: join(temp.path, "ready") },
    // With a socket for standard input bash reads a .bashrc.
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 30_000,
  });
  return { stdout, status: readFileSync(status, "utf8").trim(), stderr: readFileSync(err, "utf8") };
}

test("bin names what these tests run, and it may be run", () => {
  assert.equal(fileURLToPath(new URL(`../../${manifest.bin["allsmi-ssh"] ?? ""}`, import.meta.url)), PROGRAM);
  accessSync(PROGRAM, constants.X_OK);
});

test("the texts are the code's and the manifest's, by the short path and by the long one", async () => {
  for (const [args, text] of [
    [["--help"], helpText()],
    [["-h"], helpText()],
    [["--version"], VERSION],
    [["-V"], VERSION],
    [["--once", "--help"], helpText()],
    [["--once", "--version"], VERSION],
    [["--version", "--help"], helpText()],
  ] as const) {
    const { code, stdout, stderr } = await runCli(args);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: text, stderr: "" }, args.join(" "));
  }
});

test("nothing beside the one file is read for them", () => {
  const copy = join(temp.path, "copy.cjs");
  copyFileSync(PROGRAM, copy);
  const run = (flag: string): string => execFileSync(process.execPath, [copy, flag], { encoding: "utf8" });
  assert.equal(run("--help"), helpText());
  assert.equal(run("--version"), VERSION);
});

test("through a link without an extension, as npm makes it", () => {
  const link = join(temp.path, "allsmi-ssh");
  symlinkSync(PROGRAM, link);
  assert.equal(execFileSync(link, ["--version"], { encoding: "utf8" }), VERSION);
  const wrong = spawnSync(link, ["--bogus"], { encoding: "utf8" });
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /^allsmi-ssh: .*--bogus/);
});

test("| head -1", () => {
  const { stdout, status, stderr } = script(`${HELP} | head -1; echo "\${PIPESTATUS[0]}" >"$STATUS"`);
  assert.deepEqual(
    { stdout, status, stderr },
    { stdout: `${helpText().split("\n")[0]}\n`, status: "0", stderr: "" },
  );
});

test("into a pipe whose reader has gone: exit 0, nothing on stderr", () => {
  const { status, stderr } = script(`{ sleep 0.5; ${HELP}; echo "$?" >"$STATUS"; } | true`);
  assert.deepEqual({ status, stderr }, { status: "0", stderr: "" });
});

for (const args of ["--help", "--version", "--once --help", "--dry-run --ssh 127.0.0.1 --ssh-config none"]) {
  const program = `'${process.execPath}' '${PROGRAM}' ${args}`;
  test(`${args} into a full disk: a line on stderr, exit 1`, { skip: !existsSync("/dev/full") }, () => {
    const { status, stderr } = script(`${program} >/dev/full; echo "$?" >"$STATUS"`);
    assert.equal(status, "1");
    assert.match(stderr, /^allsmi-ssh: cannot write to standard output: ENOSPC.*\n$/);
  });
  test(`${args} into a pipe whose reader has gone: exit 0, nothing on stderr`, () => {
    const { status, stderr } = script(`{ sleep 0.3; ${program}; echo "$?" >"$STATUS"; } | true`);
    assert.deepEqual({ status, stderr }, { status: "0", stderr: "" });
  });
}

test("--dry-run of more hosts than a pipe holds | head -1", () => {
  const file = join(temp.path, "hosts");
  writeFileSync(file, Array.from({ length: 2000 }, (_, i) => `10.0.${i >> 8}.${i & 255}\n`).join(""));
  const program = `'${process.execPath}' '${PROGRAM}' --dry-run --ssh-config none --ssh-hostfile '${file}'`;
  const { stdout, status, stderr } = script(`${program} | head -1; echo "\${PIPESTATUS[0]}" >"$STATUS"`);
  assert.deepEqual({ status, stderr }, { status: "0", stderr: "" });
  assert.match(stdout, /^10\.0\.0\.0 \(.*\n$/);
});

test("into a file, after what is there", () => {
  const file = join(temp.path, "help.txt");
  const { status } = script(`echo first >'${file}'; ${HELP} >>'${file}'; echo "$?" >"$STATUS"`);
  assert.equal(status, "0");
  assert.equal(readFileSync(file, "utf8"), `first\n${helpText()}`);
});

test("into a full pipe that does not block: the whole text once there is room", () => {
  // Making process.stdout makes the pipe, which both write to, not block for as long as the first one lives.
  const fill =
    "const { writeFileSync, existsSync } = require('node:fs');" +
    "process.stdout.write('x'.repeat(65536), () => writeFileSync(process.env.READY, ''));" +
    "const wait = setInterval(() => existsSync(process.env.STATUS + '.full') && clearInterval(wait), 50);";
  const { stdout, status, stderr } = script(
    `{ '${process.execPath}' -e "${fill}" & while [ ! -e "$READY" ]; do sleep 0.1; done; ${HELP}; ` +
      `echo "$?" >"$STATUS"; : >"$STATUS.full"; wait; } | { while [ ! -e "$READY" ]; do sleep 0.1; done; sleep 1; cat; }`,
  );
  assert.deepEqual({ status, stderr }, { status: "0", stderr: "" });
  assert.equal(stdout.replace(/^x+/, ""), helpText());
});
