/** Faults injected into the built program, over a real sshd: only one host fails, its stack is once on stderr, exit code 1. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { StreamRecord } from "../../src/contract/record.js";
import { recordsOf, runCli } from "../support/cli.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("faults");
let sshd: Sshd;

before(async () => {
  if (skip !== false) return;
  const bin = makeTools(join(temp.path, "bin"), {
    "nvidia-smi": FAKE_A100,
  });
  sshd = await startSshd({ bin, shell: "/bin/sh", addresses: ["0.0.0.0"] });
  const known = join(temp.path, "known_hosts");
  writeFileSync(known, `${sshd.knownHostsLine().replace(/^\S+/, "gpu")}\n`);
  const hosts = ["good", "bad", "worse", "fine"].map(
    (name, at) => `Host ${name}\nHostName 127.0.1.${at + 1}`,
  );
  const lines = [
    `Port ${sshd.port}\nUser ${sshd.user}\nHostKeyAlias gpu\nIdentityAgent none`,
    `IdentityFile ${sshd.userKey.file}\nUserKnownHostsFile ${known}`,
  ];
  writeFileSync(join(temp.path, "config"), [...hosts, "Host *", ...lines, ""].join("\n"));
});

after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

/** What is run before the program, in each of its threads. `bad` and `worse` are 127.0.1.2 and 127.0.1.3. */
const STAGES: Readonly<Record<string, string>> = {
  planning: `
    const find = Map.prototype.get;
    Map.prototype.get = function (key) {
      if ((key === "bad" || key === "worse") && new Error().stack.includes("applyConfig")) throw new TypeError("injected");
      return find.call(this, key);
    };`,
  connecting: `
    import net from "node:net";
    import { syncBuiltinESMExports } from "node:module";
    const { connect } = net;
    net.connect = (...args) => {
      if (["127.0.1.2", "127.0.1.3"].includes(args[0]?.host)) throw new TypeError("injected");
      return connect(...args);
    };
    syncBuiltinESMExports();`,
  // Lines of longer runs are not written by JSON.stringify.
  writing: `
    const isPoisoned = (value) => value?.record === "frame" && ["bad", "worse"].includes(value.hostname);
    const { stringify } = JSON;
    JSON.stringify = (value, ...rest) => {
      if (isPoisoned(value)) throw new TypeError("injected");
      return stringify(value, ...rest);
    };
    const { getPrototypeOf } = Object;
    Object.getPrototypeOf = (value) => {
      if (isPoisoned(value)) throw new TypeError("injected");
      return getPrototypeOf(value);
    };`,
};

interface Case {
  readonly stage: keyof typeof STAGES;
  readonly flags: readonly string[];
  readonly ticks: number;
}
const CASES: readonly Case[] = ["planning", "connecting", "writing"].flatMap((stage) => [
  { stage, flags: ["--once"], ticks: 1 },
  { stage, flags: ["--count", "3", "--interval", "2"], ticks: 3 },
  // Threads take longer to start.
  { stage, flags: ["--count", "3", "--interval", "4", "--workers", "2"], ticks: 3 },
]);

for (const { stage, flags, ticks } of CASES) {
  test(`a fault in ${stage} (${flags.join(" ")}) fails only two hosts`, { skip }, async () => {
    const { code, records, stderr } = await run(stage, flags);
    for (let tick = 0; tick < ticks; tick++) {
      const ticked = records.filter((record) => record.tick === tick).map(({ hostname }) => hostname);
      assert.deepEqual(ticked.sort(), ["bad", "fine", "good", "worse"], `tick ${tick}: ${stderr}`);
    }
    const failed = records.filter((record) => record.state === "disconnected");
    assert.deepEqual([...new Set(failed.map(({ hostname }) => hostname))].sort(), ["bad", "worse"]);
    for (const record of failed) {
      assert(record.record === "state");
      assert.equal(record.last_error?.code, "internal-error");
      assert.match(record.last_error.message, /TypeError: injected/);
    }
    const last = records.filter((record) => record.tick === ticks - 1 && record.record === "frame");
    assert.deepEqual(last.map(({ hostname }) => hostname).sort(), ["fine", "good"]);
    // One stack for both hosts and all ticks, from whichever thread.
    assert.equal(stderr.match(/please report/g)?.length, 1, stderr);
    assert.match(stderr, /TypeError: injected\n\s+at /);
    assert.equal(code, 1);
  });
}

test("a fault outside any host ends the run with exit code 1 and its stack", { skip }, async () => {
  const file = join(temp.path, "nobody.mjs");
  writeFileSync(file, `setTimeout(() => { throw new TypeError("injected"); }, 1000);\n`);
  const { code, stderr } = await runCli(
    ["--ssh", "good", "--ssh-config", join(temp.path, "config"), "--interval", "0.2"],
    { env: { NODE_OPTIONS: `--import=${pathToFileURL(file).href}` } },
  );
  assert.equal(code, 1);
  assert.match(stderr, /internal error, please report it: TypeError: injected\n\s+at /);
});

async function run(
  stage: string,
  flags: readonly string[],
): Promise<{ code: number | null; records: StreamRecord[]; stderr: string }> {
  const file = join(temp.path, `${stage}.mjs`);
  writeFileSync(file, STAGES[stage] ?? "");
  const { code, stdout, stderr } = await runCli(
    [
      "--ssh",
      "good,bad,worse,fine",
      "--ssh-config",
      join(temp.path, "config"),
      "--format",
      "ndjson",
      ...flags,
    ],
    { env: { NODE_OPTIONS: `--import=${pathToFileURL(file).href}` } },
  );
  return { code, records: recordsOf(stdout), stderr };
}
