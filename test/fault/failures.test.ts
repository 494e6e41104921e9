/** What goes wrong on a host is a record with the right state and code, and an exit code; never a crash or a hang. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { recordsOf, runCli, type CliRun } from "../support/cli.js";
import { makeBus, pciDevice, shellOnBus } from "../support/fake-bus.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { closedPort } from "../support/free-port.js";
import { makeKey } from "../support/ssh-key.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { startTcpServer } from "../support/tcp-server.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("failures");
let sshd: Sshd;
let toolless: Sshd;
let silentPort = 0;
const stops: (() => Promise<void>)[] = [];

before(async () => {
  if (skip !== false) return;
  const bin = makeTools(join(temp.path, "bin"), {
    "nvidia-smi": FAKE_A100,
  });
  sshd = await startSshd({ bin, shell: "/bin/sh" });
  stops.push(() => sshd.stop());
  const bus = join(temp.path, "bus");
  makeBus(bus, [pciDevice("0302 10de:2330 0000:18:00.0")]);
  toolless = await startSshd({
    config: [`ForceCommand ${shellOnBus(bus)}`],
    authorizedKeys: [sshd.userKey.publicLine],
  });
  stops.push(() => toolless.stop());
  const silent = await startTcpServer(() => undefined);
  stops.push(() => silent.stop());
  silentPort = silent.port;
  const lines = [sshd.knownHostsLine(), toolless.knownHostsLine()];
  writeFileSync(join(temp.path, "known_hosts"), `${lines.join("\n")}\n`);
});

after(async () => {
  await Promise.all(stops.map((stop) => stop()));
  temp.remove();
});

interface Given {
  readonly flags?: readonly string[];
  readonly key?: string;
  /** A file in the test's folder. */
  readonly known?: string;
}

function once(
  targets: string,
  { flags = [], key = sshd.userKey.file, known = "known_hosts" }: Given = {},
): Promise<CliRun> {
  const files = ["--ssh-known-hosts", resolve(temp.path, known), "--ssh-key", key, "--ssh-config", "none"];
  return runCli(["--ssh", targets, "--once", "--format", "ndjson", ...files, ...flags], { limitMs: 30_000 });
}

const here = (server: Sshd): string => `${server.user}@127.0.0.1:${server.port}`;

interface Case {
  readonly what: string;
  readonly run: () => Promise<CliRun>;
  readonly state: string;
  readonly code: string;
  readonly expectedMessage: RegExp;
}

const CASES: readonly Case[] = [
  {
    what: "a key that the server does not know",
    run: () => once(here(sshd), { key: makeKey(join(temp.path, "stranger")).file }),
    state: "auth-failed",
    code: "auth-failed",
    expectedMessage: /none of our keys/,
  },
  {
    what: "a host that known_hosts does not know",
    run: () => {
      writeFileSync(join(temp.path, "empty"), "");
      return once(here(sshd), { known: "empty" });
    },
    state: "host-key-rejected",
    code: "host-key-unknown",
    expectedMessage: /known/,
  },
  {
    what: "a host whose key has changed",
    run: () => {
      const other = makeKey(join(temp.path, "other-host"));
      writeFileSync(join(temp.path, "changed"), `# moved\n[127.0.0.1]:${sshd.port} ${other.publicLine}\n`);
      return once(here(sshd), { known: "changed" });
    },
    state: "host-key-rejected",
    code: "host-key-changed",
    expectedMessage: /changed:2/,
  },
  {
    what: "a port where nothing listens",
    run: async () => once(`someone@127.0.0.1:${await closedPort()}`),
    state: "unreachable",
    code: "connection-refused",
    expectedMessage: /refused/,
  },
  {
    what: "a port that sends nothing",
    run: () => once(`someone@127.0.0.1:${silentPort}`, { flags: ["--ssh-timeout-secs", "1"] }),
    state: "timeout",
    code: "handshake-timeout",
    expectedMessage: /1 s/,
  },
  {
    what: "a name that does not exist",
    run: () => once("someone@no-such-host.invalid"),
    state: "unreachable",
    code: "dns-not-found",
    expectedMessage: /no-such-host\.invalid/,
  },
  {
    what: "a host with a GPU and without any tool",
    run: () => once(here(toolless)),
    state: "unsupported",
    code: "no-tool",
    expectedMessage: /10de:2330 at 0000:18:00\.0.* none of: .*nvidia-smi/,
  },
];

for (const { what, run, state, code, expectedMessage } of CASES) {
  test(`${what}: ${state}, ${code}, exit 4`, { skip }, async () => {
    const { stdout, stderr, code: exit } = await run();
    assert.equal(exit, 4, stderr);
    const records = recordsOf(stdout);
    assert.equal(records.length, 1, stdout);
    const [record] = records;
    assert(record?.record === "state");
    assert.equal(record.state, state);
    assert.equal(record.last_error?.code, code);
    assert.match(record.last_error.message, expectedMessage);
    assert.equal(record.tick, 0);
    assert.equal(record.retry_in_ms, null);
    assert.doesNotMatch(stderr, /at .*\.js:\d+/, "no stack trace");
  });
}

test("some hosts failing is exit 3, and each has its line", { skip }, async () => {
  const { stdout, code } = await once(`${here(sshd)},${here(toolless)},someone@no-such-host.invalid`);
  assert.equal(code, 3);
  const byState = recordsOf(stdout).map((record) => record.state);
  assert.deepEqual([...byState].sort(), ["connected", "unreachable", "unsupported"]);
});

test("a tool that hangs leaves nothing behind on the host", { skip }, async () => {
  const bin = makeTools(join(temp.path, "hung"), { "nvidia-smi": "exec sleep 613" });
  const hung = await startSshd({ bin, shell: "/bin/sh", authorizedKeys: [sshd.userKey.publicLine] });
  try {
    const { stdout, code } = await once(here(hung), {
      flags: ["--tool-timeout-secs", "1"],
      known: hung.knownHostsFile,
    });
    const [record] = recordsOf(stdout);
    assert(record?.record === "frame");
    assert.equal(record.errors?.[0]?.kind, "timeout");
    assert.ok((record.memory?.length ?? 0) > 0, "the host's own sections are there");
    assert.equal(code, 4, "the only host has an error");
    const left = hung.processes().filter((entry) => /sleep 613|sh -s/.test(entry.command));
    assert.deepEqual(left, []);
  } finally {
    await hung.stop();
  }
});
