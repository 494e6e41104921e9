/** Standard output that is a file: whole lines only, the shared offset kept, also where another program writes beside it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { OutputFull, type Output } from "../../src/format/output.js";
import { standardFile } from "../../src/format/standard-file.js";
import { canIsolate } from "../support/remote-machine.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("standard-file");
let disks = 0;
const mounted: string[] = [];
after(() => {
  for (const disk of mounted) execFileSync("umount", [disk]);
  temp.remove();
});

/** A tmpfs of two pages, of which a first file has one. */
function smallDisk(): string {
  const disk = join(temp.path, `disk-${disks++}`);
  execFileSync("mkdir", [disk]);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=8k", "tmpfs", disk]);
  mounted.push(disk);
  return disk;
}

const grow = (disk: string): void => {
  execFileSync("mount", ["-o", "remount,size=1m", disk]);
};

async function outputOf(fd: number): Promise<Output> {
  const output = await standardFile(fd);
  assert.ok(output !== null);
  return output;
}

const line = (letter: string, length: number): string => `${letter.repeat(length - 1)}\n`;

const skip = canIsolate() ? false : "SKIPPED LOUDLY: no right to mount";

describe("standard output on a disk that is full", { skip }, () => {
  for (const flag of ["w", "a"] as const) {
    test(`holds whole lines only, and what follows has no hole before it (opened with "${flag}")`, async () => {
      const disk = smallDisk();
      const file = join(disk, "out");
      const fd = openSync(file, flag);
      const output = await outputOf(fd);
      await output.write(line("a", 3000));
      const text = line("b", 3000) + line("c", 3000) + line("d", 3000);
      await assert.rejects(output.write(text), (error) => {
        assert.ok(error instanceof OutputFull);
        assert.match(error.message, /^cannot write to standard output: ENOSPC/);
        assert.equal(error.droppedLines, 2);
        return true;
      });
      const whole = line("a", 3000) + line("b", 3000);
      assert.equal(readFileSync(file, "utf8"), whole);
      await assert.rejects(output.write(line("e", 9000)), OutputFull);
      assert.equal(readFileSync(file, "utf8"), whole);
      grow(disk);
      // Less than what was cut off, then more than it.
      await output.write(line("f", 10));
      await output.write(line("g", 5000));
      await output.write(line("h", 10));
      // A program that has the same descriptor goes on behind it.
      writeSync(fd, "end\n");
      closeSync(fd);
      const after = line("f", 10) + line("g", 5000) + line("h", 10);
      assert.equal(readFileSync(file, "utf8"), `${whole}${after}end\n`);
    });
  }

  test("what another program has written at the shared offset stays, after empty lines", async () => {
    const disk = smallDisk();
    const file = join(disk, "out");
    const fd = openSync(file, "w");
    const output = await outputOf(fd);
    await assert.rejects(output.write(line("a", 8000) + line("b", 3000)), OutputFull);
    assert.equal(fstatSync(fd).size, 8000);
    grow(disk);
    writeSync(fd, "message\n");
    await output.write(line("c", 3000));
    closeSync(fd);
    const text = readFileSync(file, "utf8");
    assert.equal(text, `${line("a", 8000)}${"\n".repeat(192)}message\n${line("c", 3000)}`);
  });
});

test("a pipe, a device and a closed descriptor are no file", async () => {
  const fd = openSync("/dev/null", "w");
  assert.equal(await standardFile(fd), null);
  closeSync(fd);
  assert.equal(await standardFile(100_000), null);
});
