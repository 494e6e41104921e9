import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { ChannelEnd, Connection } from "../../../src/contract/connection.js";
import { HostError } from "../../../src/contract/errors.js";
import { realClock } from "../../../src/lib/clock.js";
import { HandshakeGate } from "../../../src/ssh/dial/handshake-gate.js";
import { connectOpenssh, type OpensshConnect } from "../../../src/ssh/openssh/client.js";
import { waitFor } from "../../support/processes.js";
import { makeTools } from "../../support/fake-tools.js";
import { missing, startSshd, type Sshd, type SshdOptions } from "../../support/sshd.js";
import { startTcpServer } from "../../support/tcp-server.js";
import { makeTempDir } from "../../support/temp-dir.js";

const skip = missing ?? false;
const never = new AbortController().signal;

function requestFor(server: Sshd, more: Partial<OpensshConnect["ssh"]> = {}): OpensshConnect {
  return {
    target: { user: server.user, host: "127.0.0.1", port: server.port, labels: {}, origin: "--ssh" },
    ssh: {
      keyFiles: [server.userKey.file],
      configFile: "none",
      knownHostsFile: server.knownHostsFile,
      ...more,
    },
    hostKeyPolicy: "yes",
    timeoutMs: 10_000,
    keepAlive: { intervalSecs: 5, countMax: 3 },
    via: null,
    why: "a test",
    clock: realClock,
    random: Math.random,
    gate: new HandshakeGate(realClock),
  };
}

interface Received {
  stdout: string;
  stderr: string;
  end: ChannelEnd | null;
}

async function run(connection: Connection, command: string, input: string | null = null): Promise<Received> {
  const received: Received = { stdout: "", stderr: "", end: null };
  const channel = await connection.open(command, {
    stdout: (chunk) => (received.stdout += chunk.toString()),
    stderr: (chunk) => (received.stderr += chunk.toString()),
    closed: (end) => (received.end = end),
  });
  if (input !== null) channel.write(input);
  channel.end();
  await waitFor(`the end of ${command}`, () => received.end !== null);
  return received;
}

async function withServer(
  options: SshdOptions,
  use: (server: Sshd, connect: () => Promise<Connection>) => Promise<void>,
): Promise<void> {
  const server = await startSshd(options);
  const open: Connection[] = [];
  try {
    await use(server, async () => {
      const connection = await connectOpenssh(requestFor(server), never);
      open.push(connection);
      return connection;
    });
  } finally {
    await Promise.all(open.map((connection) => connection.close()));
    await server.stop();
  }
}

async function failureOf(attempt: Promise<Connection>): Promise<HostError> {
  try {
    await (await attempt).close();
  } catch (error) {
    assert.ok(error instanceof HostError, String(error));
    return error;
  }
  return assert.fail("connected");
}

test("one process is one session: shell, standard input, status and later commands", { skip }, () =>
  withServer({}, async (server, connect) => {
    const connection = await connect();
    const first = await run(
      connection,
      "exec /bin/sh -c 'read a; echo got $a; cat; echo err >&2; exit 7'",
      "one\ntwo\n",
    );
    assert.deepEqual(first, { stdout: "got one\ntwo\n", stderr: "err\n", end: { kind: "exit", code: 7 } });
    assert.equal(
      server.log().split("Accepted publickey").length - 1,
      1,
      "the first command took no new handshake",
    );
    const second = await run(connection, "echo again; kill -9 $$");
    assert.deepEqual(second, { stdout: "again\n", stderr: "", end: { kind: "signal", signal: "unknown" } });
    assert.equal((await run(connection, "echo a\nexit 255")).stdout, "a\n");
  }),
);

for (const shell of ["/bin/bash", "/bin/dash", "/bin/csh", "/usr/bin/fish"]) {
  const absent = existsSync(shell) ? skip : `${shell} is not installed`;
  test(`what ${shell} prints at start is not the command's output`, { skip: absent }, async () => {
    await withServer({ shell }, async (server, connect) => {
      if (server.isolated) {
        for (const rc of [".bashrc", ".cshrc"]) writeFileSync(join(server.home, rc), "echo noise\n");
      }
      const connection = await connect();
      assert.equal((await run(connection, "exec /bin/sh -c 'echo ready'")).stdout, "ready\n");
    });
  });
}

test("a forced command's output is passed on as it is", { skip }, () =>
  withServer({ config: ["ForceCommand echo forced; exit 3"] }, async (_server, connect) => {
    const connection = await connect();
    for (const command of ["exec /bin/sh -c 'echo x'", "nvidia-smi"]) {
      const received = await run(connection, command);
      assert.deepEqual(received, { stdout: "forced\n", stderr: "", end: { kind: "exit", code: 3 } });
    }
  }),
);

test("a server that goes away ends its channels as lost and is reported", { skip }, () =>
  withServer({}, async (server, connect) => {
    const connection = await connect();
    let end: ChannelEnd | null = null;
    await connection.open("cat", {
      stdout: () => undefined,
      stderr: () => undefined,
      closed: (how) => (end = how),
    });
    await server.stop();
    const lost = await connection.lost;
    assert.equal(lost.failure.code, "connection-lost");
    assert.equal(lost.failure.phase, "sample");
    await waitFor("the channel's end", () => end !== null);
    assert.deepEqual(end, { kind: "lost" });
    const unheard = (): never => assert.fail("an event of a command that was never run");
    await assert.rejects(
      connection.open("true", { stdout: unheard, stderr: unheard, closed: unheard }),
      lost,
    );
  }),
);

test("close ends the process, and abort ends an attempt", { skip }, () =>
  withServer({}, async (server, connect) => {
    const connection = await connect();
    await connection.close();
    await connection.close();
    await waitFor(
      "no session",
      () => !server.processes().some((entry) => entry.command.includes("watcher@")),
    );
    await assert.rejects(connectOpenssh(requestFor(server), AbortSignal.abort(new Error("stop"))), /stop/);
  }),
);

test("refusals keep ssh's reason", { skip }, () =>
  withServer({}, async (server) => {
    const request = requestFor(server);
    const wrongKey = await failureOf(
      connectOpenssh(
        { ...request, ssh: { ...request.ssh, keyFiles: [server.hostKeys[0]?.file ?? ""] } },
        never,
      ),
    );
    assert.equal(wrongKey.failure.code, "auth-failed");
    assert.equal(wrongKey.failure.tried?.length, 1);
    assert.match(wrongKey.failure.tried[0] ?? "", / SHA256:\S+ refused$/);

    const known = join(server.dir, "changed");
    writeFileSync(known, `# a comment\n[127.0.0.1]:${server.port} ${server.userKey.publicLine}\n`);
    const changed = await failureOf(
      connectOpenssh({ ...request, ssh: { ...request.ssh, knownHostsFile: known } }, never),
    );
    assert.equal(changed.failure.code, "host-key-changed");
    assert.equal(changed.failure.where, `${known}:2`);
    assert.match(changed.failure.fix ?? "", /^ssh-keygen .*-R/);

    const unknown = await failureOf(
      connectOpenssh({ ...request, ssh: { ...request.ssh, knownHostsFile: "/dev/null" } }, never),
    );
    assert.equal(unknown.failure.code, "host-key-unknown");
    assert.match(unknown.message, /server key ssh-ed25519 SHA256:/);
  }),
);

test("a silent server costs no more than its own deadline", { skip }, async (t) => {
  const server = await startTcpServer(() => undefined);
  t.after(() => server.stop());
  const silent: OpensshConnect = {
    target: { user: "x", host: "127.0.0.1", port: server.port, labels: {}, origin: "--ssh" },
    ssh: {
      keyFiles: [],
      configFile: "none",
      knownHostsFile: null,
    },
    hostKeyPolicy: "yes",
    timeoutMs: 300,
    keepAlive: null,
    via: null,
    why: "a test",
    clock: realClock,
    random: Math.random,
    gate: new HandshakeGate(realClock),
  };
  const error = await failureOf(connectOpenssh(silent, never));
  assert.equal(error.failure.code, "handshake-timeout");
});

/** What `ssh` of the folder `path` is started for. */
function requestOf(path: string): OpensshConnect {
  return {
    target: { host: "127.0.0.1", labels: {}, origin: "--ssh" },
    ssh: {
      keyFiles: [],
      configFile: "none",
      knownHostsFile: null,
    },
    hostKeyPolicy: "yes",
    timeoutMs: 10_000,
    keepAlive: null,
    via: null,
    why: "a test",
    clock: realClock,
    random: Math.random,
    gate: new HandshakeGate(realClock),
    env: { PATH: path },
  };
}

test("without an ssh program the failure has the fix", async () => {
  const error = await failureOf(connectOpenssh(requestOf("/nonexistent"), never));
  assert.match(error.failure.fix ?? "", /openssh-client/);
  assert.match(error.message, /\(a test\)/);
});

for (const [stream, script] of [
  ["standard output", "exec yes"],
  ["standard error", "exec yes >&2"],
] as const) {
  test(`an ssh that floods its ${stream} is ended`, async (t) => {
    const temp = makeTempDir("flood");
    t.after(() => temp.remove());
    const bin = makeTools(temp.path, { ssh: script });
    const error = await failureOf(connectOpenssh(requestOf(`${bin}:/usr/bin:/bin`), never));
    assert.equal(error.failure.code, "protocol-error");
    assert.match(error.message, new RegExp(`^ssh wrote more than \\d+ bytes to ${stream}`));
  });
}
