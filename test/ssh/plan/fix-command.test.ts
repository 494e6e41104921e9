import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fixContext, rememberedContext } from "../../../src/ssh/plan/fix-command.js";
import { makeTempDir } from "../../support/temp-dir.js";

const temp = makeTempDir("fix-command");
after(() => temp.remove());

test("a remembered context looks at each file once, the real one each time", () => {
  const file = join(temp.path, "known_hosts");
  writeFileSync(file, "no newline");
  const [real, remembered] = [fixContext(), rememberedContext()];
  const looks = (here: typeof real): readonly boolean[] => [
    here.exists(file),
    here.isWritable(file),
    here.endsInLine(file),
  ];
  assert.deepEqual(looks(remembered), looks(real));
  assert.deepEqual(looks(real), [true, true, false]);
  writeFileSync(file, "a line\n");
  assert.deepEqual(looks(remembered), [true, true, false]);
  rmSync(file);
  assert.equal(remembered.exists(file), true);
  assert.equal(real.exists(file), false);
  assert.equal(remembered.exists(join(temp.path, "other")), false);
});
