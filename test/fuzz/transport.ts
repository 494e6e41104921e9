/** Random messages to our client over an encrypted session that it has logged in to, with a channel open. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import ssh2 from "ssh2";
import type { protocolOf } from "../../src/ssh/ssh2/internals.js";
import { makeEmbeddedKey } from "../../src/ssh/ssh2/embedded-server.js";
import { connect } from "../support/connected.js";
import { testPlan, testShared } from "../support/host-plan.js";
import { makeTempDir } from "../support/temp-dir.js";
import type { Random } from "./mutate.js";

export interface TransportResult {
  readonly messages: number;
  readonly sessions: number;
  readonly meanMs: number;
  /** How sessions ended, with counts. */
  readonly ends: string;
  readonly problems: readonly string[];
}

const MESSAGES_A_SESSION = 50;
/** A session that neither ends nor answers by then hangs. */
const MAX_WAIT_MS = 5_000;

/** Numbers of RFC 4250, section 4.1.2, that a server may send once the user is in; any other is drawn sometimes. */
const TYPES = [
  1, 2, 3, 4, 5, 7, 20, 21, 30, 31, 51, 52, 53, 60, 80, 81, 82, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100,
];
const NAMES = [
  "exit-status",
  "exit-signal",
  "keepalive@openssh.com",
  "hostkeys-00@openssh.com",
  "session",
  "x11",
  "eow@openssh.com",
  "",
];

/** A number, and fields that are right in part: channels, lengths, names, flags, and bytes of any kind. */
function randomMessage(random: Random): Buffer {
  const type =
    random() < 0.9 ? (TYPES[Math.floor(random() * TYPES.length)] ?? 94) : Math.floor(random() * 256);
  const fields: Buffer[] = [Buffer.of(type)];
  for (let left = Math.floor(random() * 6); left > 0; left--) {
    const kind = random();
    const number = Buffer.alloc(4);
    if (kind < 0.35) {
      number.writeUInt32BE(random() < 0.8 ? Math.floor(random() * 3) : Math.floor(random() * 2 ** 32));
      fields.push(number);
    } else if (kind < 0.7) {
      const text = Buffer.from(NAMES[Math.floor(random() * NAMES.length)] ?? "");
      number.writeUInt32BE(random() < 0.85 ? text.length : Math.floor(random() * 2 ** 32));
      fields.push(number, text);
    } else if (kind < 0.85) fields.push(Buffer.of(Math.floor(random() * 2)));
    else fields.push(randomBytes(Math.floor(random() * 64)));
  }
  return Buffer.concat(fields);
}

export async function fuzzTransport(wanted: number, random: Random): Promise<TransportResult> {
  const temp = makeTempDir("fuzz");
  const [host, user] = [await makeEmbeddedKey(), await makeEmbeddedKey()];
  const keyFile = join(temp.path, "user");
  const knownHostsFile = join(temp.path, "known_hosts");
  writeFileSync(keyFile, user.private, { mode: 0o600 });
  let accepted: ((send: (message: Buffer) => void) => void) | null = null;
  const server = new ssh2.Server({ hostKeys: [host.private] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (context) => context.accept());
    client.on("session", (accept) => {
      accept().on("exec", (acceptExec) => {
        acceptExec().on("error", () => undefined);
        accepted?.((message) => sendAs(client, message));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  writeFileSync(knownHostsFile, `[127.0.0.1]:${port} ${host.public}\n`);
  const plan = testPlan({ port }, { keyFiles: [keyFile], knownHostsFile });
  const shared = testShared();
  const problems: string[] = [];
  const ends = new Map<string, number>();
  const onFault = (error: unknown): void =>
    void problems.push(
      `transport: thrown outside: ${error instanceof Error ? (error.stack ?? "") : String(error)}`,
    );
  process.on("uncaughtException", onFault);
  process.on("unhandledRejection", onFault);
  let messages = 0;
  let sessions = 0;
  let cpuMs = 0;
  try {
    for (; messages < wanted; sessions++) {
      const sender = new Promise<(message: Buffer) => void>((resolve) => (accepted = resolve));
      const connection = await connect(plan, shared);
      let ended = "";
      const closed = new Promise<void>((resolve) => {
        void connection
          .open("x", {
            stdout: () => undefined,
            stderr: () => undefined,
            closed: (end) => {
              ended = end.kind;
              resolve();
            },
          })
          .catch(() => resolve());
      });
      const send = await sender;
      const before = process.cpuUsage();
      for (let left = MESSAGES_A_SESSION; left > 0 && ended === ""; left--) {
        send(randomMessage(random));
        messages += 1;
        // The client has it by then: what comes after a fatal one is not counted.
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 10))]);
      const { user: userUs, system } = process.cpuUsage(before);
      cpuMs += (userUs + system) / 1000;
      ends.set(ended || "stands", (ends.get(ended || "stands") ?? 0) + 1);
      const isClosed = await Promise.race([
        connection.close().then(() => true),
        new Promise<boolean>((resolve) => setTimeout(() => resolve(false), MAX_WAIT_MS).unref()),
      ]);
      if (!isClosed) problems.push(`transport, session ${sessions}: close hangs`);
    }
  } finally {
    process.off("uncaughtException", onFault);
    process.off("unhandledRejection", onFault);
    shared.close();
    server.close();
    temp.remove();
  }
  const text = [...ends].map(([end, count]) => `${end} ${count}`).join(", ");
  return { messages, sessions, meanMs: cpuMs / Math.max(1, messages), ends: text, problems };
}

/** As the server's own code would send it: encrypted, and in its place. A connection that has gone takes nothing. */
function sendAs(client: object, message: Buffer): void {
  const protocol = Reflect.get(client, "_protocol") as ReturnType<typeof protocolOf>;
  if (protocol._kexinit !== undefined) return;
  const { write } = protocol._packetRW;
  const start = write.allocStart;
  const packet = write.alloc(message.length);
  packet.set(message, start);
  protocol._cipher.encrypt(write.finalize(packet));
}
