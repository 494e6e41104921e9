/** A file that is replaced: whole at any moment, and somebody else's file is never touched. */
import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { UsageError } from "../../src/contract/errors.js";
import { OutputError } from "../../src/format/output.js";
import { replacedFile } from "../../src/format/replaced-file.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("replaced");
after(() => temp.remove());
let count = 0;
function folder(): string {
  const path = join(temp.path, String(count++));
  mkdirSync(path);
  return path;
}
const OLD = "# HELP old o\n# TYPE old gauge\nold 1\n";
const NEW = "# HELP new n\n# TYPE new gauge\nnew 1\n";

test("is not there before the first text, and replaced by the next", async () => {
  const dir = folder();
  const file = join(dir, "gpus.prom");
  const output = await replacedFile(file);
  assert.deepEqual(readdirSync(dir), []);
  await output.write(OLD);
  const { ino } = statSync(file);
  await output.write(NEW);
  assert.equal(readFileSync(file, "utf8"), NEW);
  assert.notEqual(statSync(file).ino, ino, "a reader of the old one reads it to its end");
  await output.write("");
  await output.close();
  assert.deepEqual(readdirSync(dir), ["gpus.prom"]);
  assert.equal(readFileSync(file, "utf8"), NEW);
});

test("an old one stays until there is a text, and a link to it stays a link", async () => {
  const dir = folder();
  const file = join(dir, "gpus.prom");
  writeFileSync(file, OLD);
  const link = join(folder(), "link.prom");
  symlinkSync(file, link);
  const output = await replacedFile(link);
  assert.equal(readFileSync(file, "utf8"), OLD);
  await output.write(NEW);
  assert.equal(readFileSync(file, "utf8"), NEW);
  assert.ok(lstatSync(link).isSymbolicLink());
});

test("what is under the temporary name is not written through", async () => {
  const dir = folder();
  const other = join(dir, "other");
  writeFileSync(other, "keep");
  symlinkSync(other, join(dir, `gpus.prom.${process.pid}.tmp`));
  const output = await replacedFile(join(dir, "gpus.prom"));
  await output.write(NEW);
  assert.equal(readFileSync(other, "utf8"), "keep");
});

test("a text that cannot be written leaves the old one, and nothing beside it", async () => {
  const dir = folder();
  const file = join(dir, "gpus.prom");
  const output = await replacedFile(file);
  mkdirSync(file);
  await assert.rejects(output.write(NEW), OutputError);
  assert.deepEqual(readdirSync(dir), ["gpus.prom"]);
});

describe("wrong usage", () => {
  const refused = (path: string, why: RegExp): Promise<void> =>
    assert.rejects(replacedFile(path), (error) => error instanceof UsageError && why.test(error.message));
  test("a file of something else", async () => {
    const file = join(folder(), "fleet.ndjson");
    writeFileSync(file, '{"schema":1}\n');
    await refused(file, /holds something other than metrics/);
    assert.equal(readFileSync(file, "utf8"), '{"schema":1}\n');
  });
  test("a device, or a folder", async () => {
    await refused("/dev/null", /is no regular file/);
    await refused(folder(), /is no regular file/);
  });
  test("a folder that is not there", () => refused(join(folder(), "no", "gpus.prom"), /cannot write beside/));
  test(
    "a folder that is not writable",
    { skip: process.getuid?.() === 0 && "root may write anywhere" },
    async () => {
      const dir = folder();
      chmodSync(dir, 0o555);
      await refused(join(dir, "gpus.prom"), /cannot write beside/);
    },
  );
});
