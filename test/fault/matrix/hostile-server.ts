/** A server that attacks after the key exchange: ssh2's own server, driven below its public API. */
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";
import { readFileSync } from "node:fs";
import type { HostCase } from "./fault-case.js";
import { failed } from "./fault-case.js";
import { config, hostKey, known } from "./servers.js";

/** Writes a packet with this payload. */
type Send = (payload: Buffer) => void;

interface Attack {
  readonly name: string;
  readonly expected: HostCase["expected"];
  /** At the first authentication request. */
  readonly onAuth?: (send: Send, context: AuthContext) => void;
  /** Once the user is in. */
  readonly onReady?: (send: Send, client: Connection) => void;
  /** With the channel of each command. */
  readonly onExec?: (channel: ServerChannel) => void;
}

const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const globalRequest = (name: string, rest = Buffer.alloc(0)): Buffer =>
  Buffer.concat([Buffer.from([80]), text(name), Buffer.from([1]), rest]);

/** 300 keys of Ed25519, as `hostkeys-00` announces them (OpenSSH's PROTOCOL, 2.5). */
const announced = Buffer.concat(
  Array.from({ length: 300 }, (_, index) =>
    text(Buffer.concat([text("ssh-ed25519"), text(Buffer.alloc(32, index % 251))])),
  ),
);

/** Sends `payload` `times` in all, some each turn of the event loop, while the client is there. */
function repeat(client: { readonly isGone: () => boolean }, times: number, send: () => void): void {
  let left = times;
  const some = (): void => {
    for (let i = 0; i < 100 && left > 0; i++, left--) send();
    if (left > 0 && !client.isGone()) setImmediate(some);
  };
  some();
}

const PAST_LIMIT = failed("disconnected", "protocol-error");

const ATTACKS: readonly Attack[] = [
  {
    name: "requests that want a reply, without an end",
    expected: PAST_LIMIT,
    onReady: (send) => repeat(FOREVER, 200_000, () => send(globalRequest("ping@attacker"))),
  },
  {
    name: "300 host keys in each of 5,000 announcements",
    expected: PAST_LIMIT,
    onReady: (send) => repeat(FOREVER, 5000, () => send(globalRequest("hostkeys-00@openssh.com", announced))),
  },
  {
    name: "20,000 times that the key is welcome",
    expected: PAST_LIMIT,
    onAuth: (send) =>
      repeat(FOREVER, 20_000, () =>
        send(Buffer.concat([Buffer.from([60]), text("ssh-ed25519"), text(Buffer.alloc(51))])),
      ),
  },
  {
    name: "20,000 banners before the login",
    expected: PAST_LIMIT,
    onAuth: (send) =>
      repeat(FOREVER, 20_000, () => send(Buffer.concat([Buffer.from([53]), text("Welcome\n"), text("")]))),
  },
  {
    name: "channels that are opened to us",
    expected: PAST_LIMIT,
    onReady: (send) =>
      repeat(FOREVER, 20_000, () =>
        send(
          Buffer.concat([
            Buffer.from([90]),
            text("session"),
            Buffer.alloc(4),
            Buffer.from([0, 32, 0, 0]),
            Buffer.from([0, 0, 128, 0]),
          ]),
        ),
      ),
  },
  {
    name: "a login that is never answered",
    expected: failed("timeout", "handshake-timeout"),
    onAuth: () => undefined,
  },
  {
    name: "a command that is never answered",
    expected: failed("timeout", "probe-timeout"),
    onExec: () => undefined,
  },
  {
    name: "a GiB in answer to the first command",
    expected: failed("disconnected", "connection-lost"),
    onExec: (channel) => floodChannel(channel),
  },
  {
    name: "commands that end at once",
    expected: failed("auth-failed", "access-denied"),
    onExec: (channel) => {
      channel.exit(0);
      channel.close();
    },
  },
  {
    name: "the end of the connection at the first command",
    expected: failed("disconnected", "connection-lost"),
    onExec: (channel) => void (channel as unknown as { _client: Connection })._client.end(),
  },
];

const FOREVER = { isGone: () => false };

function floodChannel(channel: ServerChannel): void {
  const piece = Buffer.alloc(32_768, 0x41);
  const more = (): void => {
    while (!channel.destroyed && channel.writable && channel.write(piece));
  };
  channel.on("drain", more);
  channel.on("error", () => undefined);
  more();
}

async function start({
  onAuth,
  onReady,
  onExec,
}: Attack): Promise<{ port: number; stop: () => Promise<void> }> {
  const clients = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [readFileSync(hostKey.file)] }, (client) => {
    clients.add(client);
    client.on("error", () => undefined);
    client.on("close", () => clients.delete(client));
    const protocol = (client as unknown as { _protocol: RawProtocol })._protocol;
    const send: Send = (payload) => {
      if (clients.has(client)) sendRaw(protocol, payload);
    };
    let isFirst = true;
    client.on("authentication", (context) => {
      if (context.method !== "publickey") {
        context.reject(["publickey"]);
        return;
      }
      if (onAuth === undefined) context.accept();
      else if (isFirst) onAuth(send, context);
      isFirst = false;
    });
    client.on("ready", () => {
      onReady?.(send, client);
      client.on("session", (accept) => {
        accept().on("exec", (acceptExec) => {
          const channel = acceptExec();
          channel.on("error", () => undefined);
          onExec?.(channel);
        });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    stop: () =>
      new Promise((resolve) => {
        clients.forEach((client) => client.end());
        server.close(() => resolve());
      }),
  };
}

interface RawProtocol {
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      alloc(length: number): Uint8Array;
      finalize(packet: Uint8Array): Uint8Array;
    };
  };
  readonly _cipher: { encrypt(packet: Uint8Array): void };
}

function sendRaw(protocol: RawProtocol, payload: Buffer): void {
  const { write } = protocol._packetRW;
  const { allocStart } = write;
  const packet = write.alloc(payload.length);
  packet.set(payload, allocStart);
  try {
    protocol._cipher.encrypt(write.finalize(packet));
  } catch {
    // The connection has ended.
  }
}

export const HOSTILE_CASES: readonly HostCase[] = ATTACKS.map((attack) => ({
  name: attack.name,
  expected: attack.expected,
  arrange: async () => {
    const server = await start(attack);
    return { config: config(server.port, "watcher"), known, stop: () => server.stop() };
  },
}));
