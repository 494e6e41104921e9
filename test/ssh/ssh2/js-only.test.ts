import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { missing } from "../../support/sshd.js";

test(
  "without ssh2's native addon, sessions and their single writes are the same",
  { skip: missing ?? false },
  () => {
    const noAddon = new URL("../../support/no-addon.ts", import.meta.url).href;
    const file = fileURLToPath(new URL("session.test.ts", import.meta.url));
    const names = "one write of a channel|a rekey|64 MiB";
    // The runner's own variable would make the child report to this run.
    const env = { ...process.env };
    delete env["NODE_TEST_CONTEXT"];
    const options = ["--import", import.meta.resolve("tsx"), "--import", noAddon, "--test-reporter", "tap"];
    const args = [...options, "--test-name-pattern", names, file];
    const child = spawnSync(process.execPath, args, { encoding: "utf8", env, timeout: 120_000 });
    assert.match(child.stdout, /^# pass 3$/m, child.stdout + child.stderr);
    assert.match(child.stdout, /^# fail 0$/m);
  },
);
