import assert from "node:assert/strict";
import test from "node:test";
import type { TestContext } from "node:test";
import {
  ChannelRefused,
  type Channel,
  type ChannelEnd,
  type Connection,
} from "../../../src/contract/connection.js";
import { HostError } from "../../../src/contract/errors.js";
import type { HostConfig } from "../../../src/ssh/config/host-config.js";
import type { HostPlan } from "../../../src/ssh/plan/plan.js";
import { connect, run } from "../../support/connected.js";
import * as dropbear from "../../support/dropbear.js";
import { testPlan, testShared } from "../../support/host-plan.js";
import { signalPid, waitFor } from "../../support/processes.js";
import { startRelay } from "../../support/relay.js";
import { missing, startSshd, type Sshd, type SshdOptions } from "../../support/sshd.js";

const skip = missing ?? false;

async function serve(t: TestContext, options: SshdOptions = {}): Promise<Sshd> {
  const server = await startSshd(options);
  t.after(() => server.stop());
  return server;
}

function planFor(server: Sshd, config: Partial<HostConfig> = {}): HostPlan {
  return testPlan(
    { port: server.port, user: server.user, hostKeyAlias: null, ...config },
    { keyFiles: [server.userKey.file], knownHostsFile: server.knownHostsFile },
  );
}

/** The same server through a relay, still known by its own name. */
function relayed(server: Sshd, port: number, config: Partial<HostConfig> = {}): HostPlan {
  return planFor(server, { port, hostKeyAlias: `[127.0.0.1]:${server.port}`, ...config });
}

interface Running {
  readonly channel: Channel;
  readonly ended: Promise<ChannelEnd>;
}

async function start(connection: Connection, command: string): Promise<Running> {
  let resolveEnd: (end: ChannelEnd) => void = () => undefined;
  const ended = new Promise<ChannelEnd>((resolve) => (resolveEnd = resolve));
  const events = {
    stdout: () => undefined,
    stderr: () => undefined,
    closed: (end: ChannelEnd) => resolveEnd(end),
  };
  return { channel: await connection.open(command, events), ended };
}

/** The sshd processes of sessions, not the one that listens. */
function sessionPids(server: Sshd): number[] {
  return server
    .processes()
    .filter((entry) => /^sshd: /.test(entry.command) && !entry.command.includes("[listener]"))
    .map((entry) => entry.pid);
}

test("3 MiB of stderr and 64 MiB of stdout come through, and the end after them", { skip }, async (t) => {
  const server = await serve(t);
  const connection = await connect(planFor(server), testShared());
  const noisy = await run(connection, "head -c 3145728 /dev/zero | tr '\\0' e >&2; echo done; exit 4");
  assert.equal(noisy.stderr.length, 3145728);
  assert.deepEqual([noisy.stdout, noisy.end], ["done\n", { kind: "exit", code: 4 }]);
  let bytes = 0;
  const end = await new Promise<ChannelEnd>((resolve, reject) => {
    const events = {
      stdout: (chunk: Buffer) => (bytes += chunk.length),
      stderr: () => undefined,
      closed: resolve,
    };
    connection.open("head -c 67108864 /dev/zero", events).catch(reject);
  });
  assert.deepEqual([bytes, end], [67108864, { kind: "exit", code: 0 }]);
  await connection.close();
});

test("more than MaxSessions is a refusal that passes", { skip }, async (t) => {
  const server = await serve(t, { config: ["MaxSessions 2"] });
  const connection = await connect(planFor(server), testShared());
  const first = await start(connection, "cat");
  const second = await start(connection, "cat");
  await assert.rejects(start(connection, "true"), (error) => {
    assert.ok(error instanceof ChannelRefused);
    assert.match(error.message, /MaxSessions/);
    return true;
  });
  first.channel.end();
  assert.deepEqual(await first.ended, { kind: "exit", code: 0 });
  assert.deepEqual((await run(connection, "exit 5")).end, { kind: "exit", code: 5 });
  second.channel.end();
  assert.deepEqual(await second.ended, { kind: "exit", code: 0 });
  await connection.close();
});

test(
  "a server that dies in the middle of a command: the channel is lost, then the connection",
  { skip },
  async (t) => {
    const server = await serve(t);
    const connection = await connect(planFor(server), testShared());
    const { channel, ended } = await start(connection, "sleep 600");
    for (const pid of sessionPids(server)) signalPid(pid, "SIGKILL");
    assert.deepEqual(await ended, { kind: "lost" });
    const lost = await connection.lost;
    assert.equal(lost.failure.code, "connection-lost");
    channel.write("ignored");
    channel.end();
    channel.abandon();
    await assert.rejects(
      connection.open("true", { stdout: () => 0, stderr: () => 0, closed: () => 0 }),
      HostError,
    );
    await connection.close();
    await connection.close();
  },
);

test("a reset in the middle of a command", { skip }, async (t) => {
  const server = await serve(t);
  const relay = await startRelay(server.port);
  t.after(() => relay.stop());
  const connection = await connect(relayed(server, relay.port), testShared());
  const { ended } = await start(connection, "sleep 600");
  relay.reset();
  assert.deepEqual(await ended, { kind: "lost" });
  assert.equal((await connection.lost).failure.code, "connection-lost");
});

test("a frozen peer: keepalive finds it, and close does not wait for it", { skip }, async (t) => {
  const server = await serve(t);
  const config = { serverAliveIntervalSecs: 1, serverAliveCountMax: 2 };
  const watched = await connect(planFor(server, config), testShared());
  const unwatched = await connect(planFor(server), testShared());
  const { ended } = await start(watched, "sleep 600");
  const pids = sessionPids(server);
  assert.ok(pids.length >= 2);
  for (const pid of pids) signalPid(pid, "SIGSTOP");
  t.after(() => {
    for (const pid of pids) signalPid(pid, "SIGCONT");
  });
  await unwatched.close();
  const lost = await watched.lost;
  assert.equal(lost.failure.code, "keepalive-timeout");
  assert.match(lost.message, /no answer to 2 keepalives \(3 s\)/);
  assert.deepEqual(await ended, { kind: "lost" });
});

test("keepalives are answered by a live peer, and not sent while it talks", { skip }, async (t) => {
  const server = await serve(t);
  const relay = await startRelay(server.port);
  t.after(() => relay.stop());
  const config = { serverAliveIntervalSecs: 1, serverAliveCountMax: 1 };
  const connection = await connect(relayed(server, relay.port, config), testShared());
  await start(connection, "while :; do echo tick; sleep 0.2; done");
  const before = relay.clientBytes();
  await new Promise((resolve) => setTimeout(resolve, 2_300));
  assert.equal(relay.clientBytes(), before);
  const silent = await connect(relayed(server, relay.port, config), testShared());
  let lost = false;
  void silent.lost.then(() => (lost = true));
  const quiet = relay.clientBytes();
  await waitFor("some keepalives", () => relay.clientBytes() > quiet + 100);
  assert.equal(lost, false);
  await Promise.all([silent.close(), connection.close()]);
});

test("one write of a channel is one write of the socket", { skip }, async (t) => {
  const server = await serve(t);
  for (const ciphers of ["aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes128-ctr"]) {
    const relay = await startRelay(server.port);
    t.after(() => relay.stop());
    const connection = await connect(relayed(server, relay.port, { ciphers }), testShared());
    let echoed = 0;
    const events = { stdout: () => (echoed += 1), stderr: () => undefined, closed: () => undefined };
    const channel = await connection.open("cat", events);
    channel.write("warm up\n");
    await waitFor("the first echo", () => echoed === 1);
    const before = relay.clientWrites();
    for (let i = 1; i <= 10; i++) {
      channel.write("a line\n");
      await waitFor("the echo", () => echoed === 1 + i);
    }
    assert.equal(relay.clientWrites() - before, 10, ciphers);
    await connection.close();
  }
});

test("a connection is ready after four flights of ours, the key proven in the last", { skip }, async (t) => {
  const server = await serve(t);
  const relay = await startRelay(server.port);
  t.after(() => relay.stop());
  const shared = testShared();
  // The keys are read once a process; until then the proof of a key waits.
  await (await connect(planFor(server), shared)).close();
  const connection = await connect(relayed(server, relay.port), shared);
  // Greeting; key exchange offer; our half of the key; then the service request and the proof of the key in one.
  assert.ok(relay.clientWrites() <= 4, `${relay.clientWrites()} writes`);
  assert.equal((await run(connection, "echo ok")).stdout, "ok\n");
  assert.doesNotMatch(server.log(), /Postponed publickey|Failed none/);
  await connection.close();
});

test("an abandoned channel reports nothing more and leaves the session usable", { skip }, async (t) => {
  const server = await serve(t);
  const connection = await connect(planFor(server), testShared());
  let events = 0;
  const count = (): void => void (events += 1);
  const channel = await connection.open("sleep 0.3; echo late", {
    stdout: count,
    stderr: count,
    closed: count,
  });
  channel.abandon();
  channel.abandon();
  assert.equal((await run(connection, "sleep 0.6; echo ok")).stdout, "ok\n");
  assert.equal(events, 0);
  await connection.close();
});

test("SetEnv and SendEnv reach the command, where the server accepts them", { skip }, async (t) => {
  const server = await serve(t, { config: ["AcceptEnv ALLSMI_*"] });
  const plan = planFor(server, { setEnv: [["ALLSMI_SET", "from config"]] });
  const connection = await connect(plan, testShared());
  assert.equal((await run(connection, "echo $ALLSMI_SET")).stdout, "from config\n");
  await connection.close();
});

test("an abort ends a connection attempt at once, with its reason", { skip }, async (t) => {
  const server = await serve(t);
  const { createConnector } = await import("../../../src/ssh/connector.js");
  const stop = new AbortController();
  const connecting = createConnector(planFor(server), testShared()).connect(stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(connecting, { message: "enough" });
});

test("a rekey asked for by the server goes unnoticed", { skip }, async (t) => {
  const server = await serve(t, { config: ["RekeyLimit 1M"] });
  const connection = await connect(planFor(server), testShared());
  const { stdout, end } = await run(connection, "head -c 4194304 /dev/zero | tr '\\0' x");
  assert.deepEqual([stdout.length, end], [4194304, { kind: "exit", code: 0 }]);
  await connection.close();
});

test("compression", { skip }, async (t) => {
  const server = await serve(t);
  const connection = await connect(planFor(server, { compression: true }), testShared());
  assert.equal((await run(connection, "echo squeezed")).stdout, "squeezed\n");
  await connection.close();
});

test("forty connections at once to one sshd with the default MaxStartups", { skip }, async (t) => {
  const server = await serve(t, { config: ["MaxStartups 10:30:100"] });
  const shared = testShared();
  const connections = await Promise.all(Array.from({ length: 40 }, () => connect(planFor(server), shared)));
  assert.equal(connections.length, 40);
  assert.doesNotMatch(server.log(), /drop connection|MaxStartups/);
  await Promise.all(connections.map((connection) => connection.close()));
  assert.ok(shared.handshakes.idle);
});

test("a MaxStartups that is lower than our limit only takes longer", { skip }, async (t) => {
  const server = await serve(t, { config: ["MaxStartups 3:100:3"] });
  const shared = testShared();
  const connections = await Promise.all(Array.from({ length: 12 }, () => connect(planFor(server), shared)));
  assert.equal(connections.length, 12);
  await Promise.all(connections.map((connection) => connection.close()));
});

test(
  "dropbear: commands, exit codes, signals and a wrong key",
  { skip: dropbear.missing ?? false },
  async (t) => {
    const server = await dropbear.startDropbear({ hostKeyTypes: ["ed25519", "ecdsa", "rsa"] });
    t.after(() => server.stop());
    const { knownHostsFile } = server;
    const plan = testPlan(
      { port: server.port, user: server.user },
      { keyFiles: [server.userKey.file], knownHostsFile },
    );
    const connection = await connect(plan, testShared());
    assert.deepEqual(await run(connection, "echo out; echo err >&2; exit 3"), {
      stdout: "out\n",
      stderr: "err\n",
      end: { kind: "exit", code: 3 },
    });
    assert.deepEqual((await run(connection, "kill -9 $$")).end, { kind: "signal", signal: "SIGKILL" });
    const { ended } = await start(connection, "sleep 600");
    await server.stop();
    assert.deepEqual(await ended, { kind: "lost" });
    assert.equal((await connection.lost).failure.code, "connection-lost");
  },
);
