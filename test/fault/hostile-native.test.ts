/** A host whose all-smi prints anything at all, beside a good one: the good one has all its ticks. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { recordsOf, runCli } from "../support/cli.js";
import { makeTools } from "../support/fake-tools.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("hostile");
const TICKS = 3;
const GPU = '{"uuid":"GPU-1","name":"A","utilization":5,"temperature":40}';
const servers: Sshd[] = [];
let good: Sshd;
let hostile: Sshd;

/** By name: what the hostile host's all-smi prints. */
const ANSWERS: Readonly<Record<string, string>> = {
  "lists in lists": `{"schema":1,"gpus":[{"uuid":"x","detail":${"[".repeat(20_000)}${"]".repeat(20_000)}}]}`,
  "objects in objects": `{"schema":1,"new":[${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}],"gpus":[${GPU}]}`,
  "a text that is never closed": `{"a":"${'\\"'.repeat(100_000)}`,
  "a longer text that is never closed": `{"a":"${'\\"'.repeat(3_500_000)}`,
  "brackets alone": "[".repeat(7_000_000),
  "keys of every object":
    '{"gpus":[{"uuid":"x","toJSON":{"a":1},"detail":{"mig_mode_current":{"toString":1}}}]}',
  "our own keys": `{"gpus":[${GPU}],"transport":["x"],"last_error":[1],"since":[1],"attempt":[1],"channel":[1]}`,
  "half a character": '{"gpus":[{"uuid":"\\ud800","name":"\\udc00\\ud800"}],"__proto__":[{"\\ud800":1e999}]}',
};

before(async () => {
  if (skip !== false) return;
  const allSmi = (answer: string): string =>
    `case $1 in --version) echo all-smi 0.28.1;; *) ${answer};; esac`;
  good = await startSshd({
    bin: makeTools(join(temp.path, "good"), { "all-smi": allSmi(`echo '{"schema":1,"gpus":[${GPU}]}'`) }),
    shell: "/bin/sh",
  });
  servers.push(good);
  hostile = await startSshd({
    // The file is named by the address that was connected to.
    bin: makeTools(join(temp.path, "hostile"), {
      "all-smi": allSmi(`set -- $SSH_CONNECTION; cat ${temp.path}/$3`),
    }),
    shell: "/bin/sh",
    addresses: Object.keys(ANSWERS).map((_, index) => addressOf(index)),
    authorizedKeys: [good.userKey.publicLine],
  });
  servers.push(hostile);
  const known = [good, hostile].map((server) => readFileSync(server.knownHostsFile, "utf8"));
  writeFileSync(join(temp.path, "known_hosts"), known.join(""));
});

after(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  temp.remove();
});

/** Each answer has an address of its own, so that several are tried at once. */
function addressOf(index: number): string {
  return `127.0.0.${String(index + 1)}`;
}

const at = (server: Sshd, address: string): string => `${server.user}@${address}:${server.port}`;

describe("a host whose all-smi prints", { skip, concurrency: 4 }, () => {
  for (const [index, [what, answer]] of Object.entries(ANSWERS).entries())
    test(what, async () => {
      const address = addressOf(index);
      const [bad, fine] = [at(hostile, address), at(good, "127.0.0.1")];
      writeFileSync(join(temp.path, address), answer);
      const run = await runCli([
        ...["--ssh", `${bad},${fine}`, "--count", String(TICKS), "--interval", "5"],
        ...["--ssh-config", "none", "--ssh-known-hosts", join(temp.path, "known_hosts")],
        ...["--ssh-key", good.userKey.file, "--format", "ndjson", "--include", "gpu"],
      ]);
      assert.doesNotMatch(run.stderr, /internal error|RangeError|TypeError/i);
      assert.notEqual(run.code, 1, run.stderr);
      assert.doesNotMatch(run.stdout, /\\ud[89a-f]/i);
      const records = recordsOf(run.stdout);
      const frames = records.filter(({ record, host_id }) => record === "frame" && host_id === fine);
      // On a busy machine the good host may connect after the first tick. From its first frame on it has every tick.
      const seen = frames.map(({ tick }) => tick);
      assert.deepEqual(
        seen,
        Array.from({ length: seen.length }, (_, back) => TICKS - seen.length + back),
      );
      assert.ok(seen.length >= TICKS - 1, run.stderr);
      const ticks = records.filter(({ tick, host_id }) => tick !== null && host_id === bad);
      assert.equal(ticks.length, TICKS, run.stdout.slice(0, 2000));
      assert.ok(
        ticks.some(({ record }) => record === "frame"),
        "it is reached and read",
      );
      for (const { transport, hostname } of ticks) {
        assert.ok(transport === "native" || transport === null);
        assert.equal(hostname, address);
      }
    });
});
