import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { fileOutput, OutputClosed, OutputError, streamOutput } from "../../src/format/output.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("output");
after(() => temp.remove());

describe("a file that is opened anew", () => {
  test("takes whole texts in their order, whenever it is renamed and reopened", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.constant(null)), { maxLength: 40 }),
        async (steps) => {
          const folder = mkdtempSync(join(temp.path, "rotated-"));
          const path = join(folder, "current");
          const output = await fileOutput(path);
          const all: Promise<void>[] = [output.write("header\n")];
          const wanted: string[] = [];
          const files = [path];
          for (const step of steps) {
            if (step === null) {
              // What is written by then may go to either file, whole.
              const moved = join(folder, String(files.length));
              renameSync(path, moved);
              files.splice(-1, 1, moved);
              files.push(path);
              const reopened = output.reopen?.("header\n");
              assert.ok(reopened);
              all.push(reopened);
              await reopened;
            } else {
              wanted.push(`${JSON.stringify(step)}\n`);
              all.push(output.write(wanted.at(-1) ?? ""));
            }
          }
          await Promise.all(all);
          await output.close();
          const texts = files.map((file) => readFileSync(file, "utf8"));
          for (const text of texts) assert.match(text, /^header\n([^]*\n)?$/);
          assert.equal(texts.map((text) => text.slice("header\n".length)).join(""), wanted.join(""));
        },
      ),
      { numRuns: 50 },
    );
  });
  test("keeps the header that the new file has, and gives one to a file with another", async () => {
    const path = join(temp.path, "headers.csv");
    const output = await fileOutput(path);
    await output.write("x,y\n");
    for (const [there, then] of [
      ["x,y\n0,0\n", "x,y\n0,0\n1,1\n"],
      ["a,b\n0,0\n", "a,b\n0,0\nx,y\n1,1\n"],
      ["torn", "torn\nx,y\n1,1\n"],
    ] as const) {
      renameSync(path, `${path}.1`);
      writeFileSync(path, there);
      await output.reopen?.("x,y\n");
      await output.write("1,1\n");
      assert.equal(readFileSync(path, "utf8"), then);
    }
    await output.close();
  });
  for (const [what, put] of [
    ["a pipe", (path: string) => void spawnSync("mkfifo", [path])],
    [
      "a folder",
      (path: string): void => {
        mkdirSync(path);
      },
    ],
    ["a device", (path: string) => symlinkSync("/dev/null", path)],
    ["a link to nowhere that can be", (path: string) => symlinkSync(join(temp.path, "none", "x"), path)],
  ] as const) {
    test(`stays the old one where the path is ${what} now`, async () => {
      const path = join(temp.path, what);
      const output = await fileOutput(path);
      renameSync(path, `${path}.1`);
      put(path);
      await assert.rejects(async () => output.reopen?.(""), Error);
      await output.write("more\n");
      await output.close();
      assert.equal(readFileSync(`${path}.1`, "utf8"), "more\n");
    });
  }
});

describe("a file", () => {
  test("is made with mode 0644 and appended to", async () => {
    const path = join(temp.path, "new.csv");
    const before = process.umask(0o022);
    const output = await fileOutput(path);
    process.umask(before);
    assert.equal(output.firstLine, null);
    await output.write("a\n");
    await output.write("b\n");
    await output.close();
    assert.equal(readFileSync(path, "utf8"), "a\nb\n");
    assert.equal(statSync(path).mode & 0o777, 0o644);
  });
  test("that exists keeps its lines, and its first line is returned", async () => {
    const path = join(temp.path, "old.csv");
    writeFileSync(path, "x,y\n1,2\n");
    const output = await fileOutput(path);
    assert.equal(output.firstLine, "x,y");
    await output.write("3,4\n");
    await output.close();
    assert.equal(readFileSync(path, "utf8"), "x,y\n1,2\n3,4\n");
  });
  test("with a torn last line gets what is appended on a line of its own", async () => {
    const path = join(temp.path, "torn.ndjson");
    writeFileSync(path, '{"a":1}\n{"b"');
    const output = await fileOutput(path);
    await output.write('{"c":3}\n');
    await output.close();
    assert.equal(readFileSync(path, "utf8"), '{"a":1}\n{"b"\n{"c":3}\n');
  });
  test("may be a long text of many bytes a character", async () => {
    const path = join(temp.path, "long");
    const text = `${"日本".repeat(500_000)}\n`;
    const output = await fileOutput(path);
    await output.write(text);
    await output.close();
    assert.equal(readFileSync(path, "utf8"), text);
  });
  test("two writers append whole lines", async () => {
    const path = join(temp.path, "shared");
    const [one, two] = await Promise.all([fileOutput(path), fileOutput(path)]);
    for (let i = 0; i < 50; i++)
      await Promise.all([one.write(`${"1".repeat(3000)}\n`), two.write(`${"2".repeat(3000)}\n`)]);
    await Promise.all([one.close(), two.close()]);
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    assert.equal(lines.length, 100);
    for (const line of lines) assert.match(line, /^(1{3000}|2{3000})$/);
  });
  test("in no folder is the file system's error", async () => {
    await assert.rejects(fileOutput(join(temp.path, "none", "x")), { code: "ENOENT" });
  });
  test(
    "on a full disk is an OutputError that names it",
    { skip: !existsSync("/dev/full") && "no /dev/full" },
    async () => {
      const output = await fileOutput("/dev/full");
      await assert.rejects(output.write("x\n"), (error) => {
        assert.ok(error instanceof OutputError);
        assert.match(error.message, /^cannot write to --output \/dev\/full: ENOSPC: no space left on device/);
        return true;
      });
      await output.close();
    },
  );
});

describe("a stream", () => {
  const failing = (code: string): Writable =>
    new Writable({
      write(_chunk, _encoding, callback) {
        callback(Object.assign(new Error(`write ${code}`), { code }));
      },
    });
  test("takes a text before its promise settles", async () => {
    const chunks: string[] = [];
    let finish: () => void = () => undefined;
    const output = streamOutput(
      new Writable({
        write(chunk, _encoding, callback) {
          chunks.push(String(chunk));
          finish = callback;
        },
      }),
    );
    let done = false;
    const written = output.write("a\n").then(() => (done = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([chunks, done], [["a\n"], false]);
    finish();
    assert.equal(await written, true);
  });
  for (const code of ["EPIPE", "ECONNRESET", "EIO"]) {
    test(`that fails with ${code} has lost its reader, once and for all`, async () => {
      const output = streamOutput(failing(code));
      await assert.rejects(output.write("a\n"), OutputClosed);
      await assert.rejects(output.write("b\n"), OutputClosed);
    });
  }
  test("that fails otherwise is an OutputError", async () => {
    await assert.rejects(
      streamOutput(failing("ENOSPC")).write("a\n"),
      /cannot write to standard output: write ENOSPC/,
    );
  });
});

describe("a process", () => {
  const fixture = fileURLToPath(new URL("../support/endless-output.ts", import.meta.url));
  const command = `"${process.execPath}" --import tsx "${fixture}"`;
  test("whose reader takes one line ends with 0 and logs nothing", () => {
    const shell = `{ ${command}; echo "exit $?" >&2; } | head -1`;
    const { stdout, stderr } = spawnSync("sh", ["-c", shell], { encoding: "utf8", timeout: 60_000 });
    assert.equal(stdout.split("\n").length, 2);
    assert.match(stdout, /"hostname":"dgx-01"/);
    assert.equal(stderr.trim(), "exit 0");
  });
  test("whose reader stalls holds one batch and stays awake", async (t) => {
    const child = spawn(process.execPath, ["--import", "tsx", fixture], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    t.after(() => child.kill("SIGKILL"));
    let logged = "";
    child.stderr.on("data", (chunk: Buffer) => (logged += chunk.toString()));
    // Standard output is not read: the pipe fills.
    const stalled = await new Promise<boolean>((resolve) => {
      const look = setInterval(() => {
        if (!logged.includes("stalled")) return;
        clearInterval(look);
        resolve(true);
      }, 20);
      child.on("close", () => {
        clearInterval(look);
        resolve(false);
      });
    });
    assert.ok(stalled, logged);
    child.kill("SIGTERM");
    const code = await new Promise((resolve) => child.on("close", resolve));
    assert.equal(code, 143);
    child.stdout.destroy();
  });
});
