import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import test from "node:test";
import type { FailureCode, Phase } from "../../../src/contract/record.js";
import { failureOf } from "../../support/connected.js";
import { testPlan, testShared } from "../../support/host-plan.js";
import { waitFor } from "../../support/processes.js";
import { startTcpServer } from "../../support/tcp-server.js";

interface Case {
  readonly name: string;
  readonly behave: (socket: Socket) => void;
  readonly code: FailureCode;
  readonly phase: Phase;
  readonly message: RegExp;
}

const BANNER = "SSH-2.0-OpenSSH_9.2\r\n";

function flood(socket: Socket): void {
  const write = (): void => {
    if (!socket.destroyed) socket.write(randomBytes(4096), () => setImmediate(write));
  };
  write();
}

const CASES: readonly Case[] = [
  {
    name: "a port that sends nothing",
    behave: () => undefined,
    code: "handshake-timeout",
    phase: "handshake",
    message: /received nothing within 0\.4 s/,
  },
  {
    name: "silence after half a banner",
    behave: (socket) => socket.write("SSH-2.0-Half"),
    code: "handshake-timeout",
    phase: "handshake",
    message: /received only "SSH-2\.0-Half"/,
  },
  {
    name: "silence after the banner",
    behave: (socket) => socket.write(BANNER),
    code: "handshake-timeout",
    phase: "handshake",
    message: /no end of the key exchange within 0\.4 s/,
  },
  {
    name: "FIN before the banner",
    behave: (socket) => socket.end(),
    code: "connection-lost",
    phase: "handshake",
    message: /closed the connection at once/,
  },
  {
    name: "RST before the banner",
    behave: (socket) => setTimeout(() => socket.resetAndDestroy(), 30),
    code: "connection-lost",
    phase: "handshake",
    message: /the connection was (reset|closed)|closed the connection/,
  },
  {
    name: "FIN after the banner",
    behave: (socket) => socket.end(BANNER),
    code: "connection-lost",
    phase: "handshake",
    message: /closed the connection during the key exchange/,
  },
  {
    name: "an HTTP server",
    behave: (socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    code: "not-ssh",
    phase: "handshake",
    message: /not an SSH server: it answered "HTTP\/1\.1 400/,
  },
  {
    name: "an SSH 1 server",
    behave: (socket) => socket.write("SSH-1.5-old\n"),
    code: "not-ssh",
    phase: "handshake",
    message: /old protocol/,
  },
  {
    name: "a server of another protocol that hangs up",
    behave: (socket) => socket.end("220 mail.example\u001b[2J ESMTP\r\n"),
    code: "not-ssh",
    phase: "handshake",
    message: /it sent "220 mail\.example\ufffd\[2J ESMTP" and closed/,
  },
  {
    name: "garbage for ever",
    behave: flood,
    code: "not-ssh",
    phase: "handshake",
    message: /not an SSH server/,
  },
  {
    name: "garbage for ever after the banner",
    behave: (socket) => {
      socket.write(BANNER);
      flood(socket);
    },
    code: "protocol-error",
    phase: "handshake",
    message: /packet/i,
  },
  {
    name: "a penalty of sshd",
    behave: (socket) => socket.end("Not allowed at this time\r\n"),
    code: "connection-lost",
    phase: "handshake",
    message: /Not allowed at this time/,
  },
];

for (const { name, behave, code, phase, message } of CASES) {
  test(`${name}: ${code}, and no socket is left`, async (t) => {
    const server = await startTcpServer(behave);
    t.after(() => server.stop());
    const shared = testShared();
    const failure = await failureOf(testPlan({ port: server.port }, { timeoutMs: 400 }), shared);
    assert.equal(failure.code, code);
    assert.equal(failure.phase, phase);
    assert.match(failure.message, message);
    assert.ok(shared.handshakes.idle);
    await waitFor("the socket is gone", () => server.open() === 0);
  });
}

test("a drop before the banner is tried again, and then reported", async (t) => {
  const server = await startTcpServer((socket) => socket.end("Exceeded MaxStartups\r\n"));
  t.after(() => server.stop());
  const failure = await failureOf(testPlan({ port: server.port }, { timeoutMs: 2_000 }), testShared());
  assert.equal(failure.code, "connection-lost");
  assert.match(failure.message, /Exceeded MaxStartups/);
  assert.ok(server.accepted() > 2, `dialled ${server.accepted()} times`);
});

test("silent servers take no handshake permit from others", async (t) => {
  const silent = await startTcpServer(() => undefined);
  t.after(() => silent.stop());
  const web = await startTcpServer((socket) => socket.end("HTTP/1.1 400\r\n"));
  t.after(() => web.stop());
  const shared = testShared(1);
  const waiting = [0, 1, 2].map(() =>
    failureOf(testPlan({ port: silent.port }, { timeoutMs: 1_500 }), shared),
  );
  await waitFor("the silent ones are dialled", () => silent.accepted() === 3);
  assert.ok(shared.handshakes.idle);
  assert.equal((await failureOf(testPlan({ port: web.port }), shared)).code, "not-ssh");
  assert.equal(silent.open(), 3);
  assert.deepEqual(
    (await Promise.all(waiting)).map((failure) => failure.code),
    ["handshake-timeout", "handshake-timeout", "handshake-timeout"],
  );
});

test("servers that freeze after their greeting give their permits back", async (t) => {
  const frozen = await startTcpServer((socket) => socket.write(BANNER));
  t.after(() => frozen.stop());
  const other = await startTcpServer((socket) => socket.write(BANNER, () => socket.end()));
  t.after(() => other.stop());
  const shared = testShared(1);
  let waiting = true;
  const slow = failureOf(testPlan({ port: frozen.port }, { timeoutMs: 3_000 }), shared).then((failure) => {
    waiting = false;
    return failure;
  });
  await waitFor("the permit is taken", () => !shared.handshakes.idle);
  assert.equal((await failureOf(testPlan({ port: other.port }), shared)).code, "connection-lost");
  assert.equal(waiting, true);
  assert.equal((await slow).code, "handshake-timeout");
});
