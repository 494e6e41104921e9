/** A full disk: whole lines only, what is lost is counted, and writing goes on when there is space. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { patientOutput } from "../../src/format/disk-full.js";
import { OutputError, OutputFull, type Output } from "../../src/format/output.js";

class Disk implements Output {
  readonly firstLine = null;
  isFull = false;
  text = "";
  isClosed = false;
  write(text: string): Promise<void> {
    if (this.isFull)
      return Promise.reject(
        new OutputFull("cannot write to --output x: ENOSPC", text.split("\n").length - 1),
      );
    this.text += text;
    return Promise.resolve();
  }
  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

test("lines are dropped while there is no space, counted once, and written again", async () => {
  const disk = new Disk();
  const logged: string[] = [];
  const output = patientOutput(disk, "header\n", (line) => logged.push(line));
  await output.write("header\n");
  await output.write("a\n");
  disk.isFull = true;
  await output.write("b\nc\n");
  await output.write("d\n");
  disk.isFull = false;
  await output.write("");
  await output.write("e\n");
  disk.isFull = true;
  await output.write("f\n");
  await output.close();
  assert.equal(disk.text, "header\na\ne\n");
  assert.equal(output.droppedLines, 4);
  assert.deepEqual(logged, [
    "warning: cannot write to --output x: ENOSPC; lines are dropped until there is space",
    "there is space for the output again; 3 lines were dropped",
    "warning: cannot write to --output x: ENOSPC; lines are dropped until there is space",
    "there was no space for the output until the end; 1 line was dropped",
  ]);
  assert.ok(disk.isClosed);
});

test("a header that was lost is written before the first row that is not", async () => {
  const disk = new Disk();
  disk.isFull = true;
  const output = patientOutput(disk, "header\n", () => undefined);
  await output.write("header\n");
  await output.write("a\nb\n");
  disk.isFull = false;
  await output.write("c\n");
  assert.equal(disk.text, "header\nc\n");
  assert.equal(output.droppedLines, 2);
});

test("any other failure ends the output", async () => {
  const disk = new Disk();
  disk.write = () => Promise.reject(new OutputError("cannot write to --output x: EROFS"));
  await assert.rejects(patientOutput(disk, "", () => undefined).write("a\n"), /EROFS/);
});
