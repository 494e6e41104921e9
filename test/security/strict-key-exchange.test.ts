/**
 * Strict key exchange against Terrapin (CVE-2023-48795; OpenSSH's PROTOCOL, 1.10), shown by packets: we ask for it in our
 * KEXINIT, and one packet put into the open part of a key exchange ends the connection.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  makeEmbeddedKey,
  startEmbeddedServer,
  type EmbeddedServer,
} from "../../src/ssh/ssh2/embedded-server.js";
import type { HostPlan } from "../../src/ssh/plan/plan.js";
import { connect, failureOf } from "../support/connected.js";
import { testPlan, testShared } from "../support/host-plan.js";
import { startTcpServer, type TcpServer } from "../support/tcp-server.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("strict");
const keyFile = join(temp.path, "user");
let server: EmbeddedServer;
let hostKey = "";

before(async () => {
  const [host, user] = [await makeEmbeddedKey(), await makeEmbeddedKey()];
  writeFileSync(keyFile, user.private, { mode: 0o600 });
  hostKey = host.public;
  server = await startEmbeddedServer({ hostKey: host.private, authorizedKey: user.public, env: {} });
});
after(async () => {
  await server.close();
  temp.remove();
});

/** A whole packet without encryption (RFC 4253, section 6): length, padding's length, payload, padding to 8 bytes. */
function openPacket(payload: Uint8Array): Buffer {
  const padding = 8 - ((5 + payload.length) % 8) + (8 - ((5 + payload.length) % 8) < 4 ? 8 : 0);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + payload.length + padding);
  head[4] = padding;
  return Buffer.concat([head, payload, Buffer.alloc(padding)]);
}

/** SSH_MSG_IGNORE with an empty string, SSH_MSG_DEBUG, SSH_MSG_UNIMPLEMENTED: what an attacker may put in and nobody acts on. */
const INJECTED: Readonly<Record<string, Uint8Array>> = {
  IGNORE: Uint8Array.of(2, 0, 0, 0, 0),
  DEBUG: Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  UNIMPLEMENTED: Uint8Array.of(3, 0, 0, 0, 0),
};

/** Someone on the network: hands bytes on, and puts `packet` behind the server's KEXINIT. */
async function startAttacker(packet: Uint8Array | null): Promise<TcpServer & { sent(): Buffer }> {
  let fromClient = Buffer.alloc(0);
  const relay = await startTcpServer((client) => {
    const upstream = connectTcp(server.port, "127.0.0.1");
    upstream.on("error", () => undefined);
    client.on("data", (chunk: Buffer) => {
      fromClient = Buffer.concat([fromClient, chunk]);
      upstream.write(chunk);
    });
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    handOn(upstream, client, packet);
  });
  return { ...relay, sent: () => fromClient };
}

function handOn(upstream: Socket, client: Socket, packet: Uint8Array | null): void {
  let held = Buffer.alloc(0);
  let isDone = packet === null;
  upstream.on("data", (chunk: Buffer) => {
    if (isDone) {
      client.write(chunk);
      return;
    }
    held = Buffer.concat([held, chunk]);
    const kexinit = held.indexOf("\n") + 1;
    if (kexinit === 0 || held.length < kexinit + 4) return;
    const end = kexinit + 4 + held.readUInt32BE(kexinit);
    if (held.length < end) return;
    isDone = true;
    client.write(
      Buffer.concat([held.subarray(0, end), openPacket(packet ?? Buffer.alloc(0)), held.subarray(end)]),
    );
  });
}

function planVia({ port }: TcpServer): HostPlan {
  const knownHostsFile = join(temp.path, `known-${port}`);
  writeFileSync(knownHostsFile, `[127.0.0.1]:${port} ${hostKey}\n`);
  return testPlan({ port }, { keyFiles: [keyFile], knownHostsFile });
}

describe("strict key exchange", () => {
  test("is asked for in the first packet that we send, and the honest way works", async (t) => {
    const relay = await startAttacker(null);
    t.after(() => relay.stop());
    const connection = await connect(planVia(relay), testShared());
    await connection.close();
    const sent = relay.sent();
    const kexinit = sent.indexOf("\n") + 1;
    const end = kexinit + 4 + sent.readUInt32BE(kexinit);
    assert.equal(sent[kexinit + 5], 20, "KEXINIT");
    assert.ok(sent.subarray(kexinit, end).includes("kex-strict-c-v00@openssh.com"));
  });

  for (const [name, payload] of Object.entries(INJECTED))
    test(`ends the connection for ${name} in between`, async (t) => {
      const relay = await startAttacker(payload);
      t.after(() => relay.stop());
      const failure = await failureOf(planVia(relay), testShared());
      assert.equal(failure.code, "protocol-error", failure.message);
      assert.equal(failure.phase, "handshake");
      // Nothing of the login was sent: a key exchange that was tampered with gives no user name away.
      assert.ok(!relay.sent().includes("watcher"));
    });
});
