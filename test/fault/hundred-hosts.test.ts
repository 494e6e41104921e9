/** A hundred hosts on one tick schedule, five of them dead in five ways: the dead ones disturb no other. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { recordsOf, runCli } from "../support/cli.js";
import { makeBus, pciDevice, shellOnBus } from "../support/fake-bus.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { makeKey } from "../support/ssh-key.js";
import { missing, startSshd, type Sshd, type SshdOptions } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const TICKS = 10;
/** On a busy machine the last of the hosts is reached after several ticks. */
const MIN_FRAMES = 4;
const INTERVAL_SECS = 2;

/** OpenSSH's MAX_LISTEN_SOCKS. */
const MAX_ADDRESSES = 16;

const address = (n: number): string => `127.0.0.${n}`;

test(
  "95 of 100 hosts keep their ticks whatever the 5 dead ones do",
  { skip: missing ?? false },
  async (t) => {
    const temp = makeTempDir("hundred-hosts");
    t.after(() => temp.remove());
    const serve = async (options: SshdOptions): Promise<Sshd> => {
      const server = await startSshd(options);
      t.after(() => server.stop());
      return server;
    };
    const live = Array.from({ length: 95 }, (_, i) => address(i + 1));
    const [silent, refused, wrongKey, changed, bare] = [96, 97, 98, 99, 100].map(address) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const bin = makeTools(join(temp.path, "bin"), { "nvidia-smi": fakeNvidiaSmi() });
    const sshd = await serve({ bin, shell: "/bin/sh", addresses: live.slice(0, MAX_ADDRESSES) });
    const { port } = sshd;
    const authorizedKeys = [sshd.userKey.publicLine];
    const locked = await serve({
      port,
      addresses: [wrongKey],
      shell: "/bin/sh",
      authorizedKeys: ["# nobody"],
    });
    const bus = join(temp.path, "bus");
    makeBus(bus, [pciDevice("0302 10de:2330")]);
    const config = [`ForceCommand ${shellOnBus(bus)}`];
    const toolless = await serve({ port, addresses: [bare], config, authorizedKeys });
    for (let from = MAX_ADDRESSES; from < live.length + 1; from += MAX_ADDRESSES) {
      const addresses = [...live, changed].slice(from, from + MAX_ADDRESSES);
      await serve({ port, bin, shell: "/bin/sh", addresses, authorizedKeys, hostKeys: sshd.hostKeys });
    }
    const mute = createServer(() => undefined).listen(port, silent);
    t.after(() => mute.close());
    const other = makeKey(join(temp.path, "other"));
    const known = [
      ...live.map((host) => sshd.knownHostsLine(host)),
      `[${changed}]:${port} ${other.publicLine}`,
      locked.knownHostsLine(wrongKey),
      toolless.knownHostsLine(bare),
    ];
    writeFileSync(join(temp.path, "known_hosts"), `${known.join("\n")}\n`);
    const hosts = [...live, silent, refused, wrongKey, changed, bare];
    const hostfile = hosts.map((host) => `${sshd.user}@${host}:${port} # ${host}`);
    writeFileSync(join(temp.path, "hosts.txt"), `${hostfile.join("\n")}\n`);

    writeFileSync(
      join(temp.path, "config"),
      `Host ${silent}\n  ConnectTimeout 3\nHost *\n  IdentityAgent none\n`,
    );

    const run = await runCli(
      [
        ...["--ssh-hostfile", join(temp.path, "hosts.txt"), "--ssh-config", join(temp.path, "config")],
        ...["--ssh-known-hosts", join(temp.path, "known_hosts"), "--ssh-key", sshd.userKey.file],
        ...["--format", "ndjson", "--interval", String(INTERVAL_SECS), "--count", String(TICKS)],
        ...["--ssh-fallback", "nvidia-smi"],
      ],
      { limitMs: 90_000 },
    );
    assert.equal(run.signal, null, run.stderr);
    assert.equal(run.code, 3, run.stderr);
    const records = recordsOf(run.stdout);

    for (let tick = 0; tick < TICKS; tick++) {
      const inTick = records.filter((record) => record.tick === tick).map((record) => record.hostname);
      assert.equal(inTick.length, hosts.length, `tick ${tick}: one record a host`);
      assert.equal(new Set(inTick).size, hosts.length, `tick ${tick}: no host twice`);
    }
    const lastOf = new Map(records.map((record) => [record.hostname, record]));
    const codeOf = (host: string): string | undefined => {
      const record = lastOf.get(host);
      return record?.record === "state" ? record.last_error?.code : record?.record;
    };
    assert.deepEqual([silent, refused, wrongKey, changed, bare].map(codeOf), [
      "handshake-timeout",
      "connection-refused",
      "auth-failed",
      "host-key-changed",
      "no-tool",
    ]);

    const deviations: number[] = [];
    for (const host of live) {
      const times = records
        .filter((record) => record.hostname === host && record.record === "frame" && record.tick > 0)
        .map((record) => Date.parse(record.timestamp));
      assert.ok(times.length >= MIN_FRAMES, `${host} has ${times.length} frames`);
      times
        .slice(1)
        .forEach((time, i) => deviations.push(Math.abs(time - (times[i] ?? 0) - INTERVAL_SECS * 1000)));
    }
    deviations.sort((a, b) => a - b);
    const at = (share: number): number =>
      deviations[Math.min(deviations.length - 1, Math.floor(deviations.length * share))] ?? NaN;
    t.diagnostic(
      `deviation from the 2 s schedule over ${deviations.length} ticks of 95 live hosts: median ${at(0.5)} ms, ` +
        `p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms`,
    );
  },
);
