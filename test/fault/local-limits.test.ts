/** What the watching machine runs out of is no host's fault: `local-limit`, tried again soon, and the others read. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { StreamRecord } from "../../src/contract/record.js";
import { recordsOf, runCli } from "../support/cli.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("local-limits");
let sshd: Sshd;

before(async () => {
  if (skip !== false) return;
  const bin = makeTools(join(temp.path, "bin"), {
    "nvidia-smi": FAKE_A100,
  });
  sshd = await startSshd({ bin, shell: "/bin/sh", addresses: ["0.0.0.0"], config: ["MaxStartups 1000"] });
  const known = join(temp.path, "known_hosts");
  writeFileSync(known, `${sshd.knownHostsLine().replace(/^\S+/, "gpu")}\n`);
  const lines = [
    `Port ${sshd.port}\nUser ${sshd.user}\nHostKeyAlias gpu\nConnectTimeout 30`,
    `IdentityFile ${sshd.userKey.file}\nUserKnownHostsFile ${known}\nIdentityAgent none`,
  ];
  const carrier = `bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3; kill $!'`;
  const address = (_: unknown, index: number): string =>
    `Host p${index} d${index}\nHostName 127.0.1.${index + 1}\n`;
  const addresses = Array.from({ length: 60 }, address).join("");
  const config = `${addresses}Host p*\nProxyCommand ${carrier}\nHost *\n${lines.join("\n")}\n`;
  writeFileSync(join(temp.path, "config"), config);
});

after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

const names = (prefix: string, count: number): string =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`).join(",");

interface Case {
  readonly what: string;
  readonly hosts: string;
  readonly flags?: readonly string[];
}
const CASES: readonly Case[] = [
  { what: "40 hosts with a ProxyCommand", hosts: names("p", 40) },
  { what: "30 hosts by the system's ssh", hosts: names("d", 30), flags: ["--ssh-client", "openssh"] },
  { what: "60 hosts straight", hosts: names("d", 60) },
  { what: "60 hosts straight, on a thread", hosts: names("d", 60), flags: ["--workers", "1"] },
];

for (const { what, hosts, flags = [] } of CASES) {
  test(
    `with 64 descriptors, ${what}: each has its record, and the failed ones have local-limit`,
    { skip },
    async () => {
      const { code, stdout, stderr } = await runCli(
        [
          ...["--ssh", hosts, "--ssh-config", join(temp.path, "config"), "--format", "ndjson"],
          ...["--count", "2", "--interval", "15", "--include", "gpu", ...flags],
        ],
        { ulimit: "-n 64", limitMs: 120_000 },
      );
      const records = recordsOf(stdout);
      assert.doesNotMatch(stderr, /internal error|please report/);
      for (const tick of [0, 1]) {
        const ticked = records.filter((record) => record.tick === tick).map((record) => record.hostname);
        assert.deepEqual(ticked.sort(), hosts.split(",").sort(), `one record a host in tick ${tick}`);
      }
      const limited = records.filter((record) => codeOf(record) !== undefined);
      assert.deepEqual([...new Set(limited.map(codeOf))], ["local-limit"], JSON.stringify(limited[0]));
      for (const record of limited) assert.match(messageOf(record), /ulimit -n/);
      const failed = limited.filter((record) => record.state !== "connecting");
      assert.deepEqual([...new Set(failed.map(({ state }) => state))], ["disconnected"]);
      assert.ok(
        records.some((record) => record.record === "frame"),
        "some are read",
      );
      assert.equal(code, 3);
    },
  );
}

function codeOf(record: StreamRecord): string | undefined {
  return record.record === "state" ? record.last_error?.code : undefined;
}

function messageOf(record: StreamRecord): string {
  return record.record === "state" ? (record.last_error?.message ?? "") : "";
}
