/** What hostile servers do, and the record that each must lead to. */
import { readFileSync } from "node:fs";
import type { ServerChannel } from "ssh2";
import { failed, FRAMES, type Expected, type HostCase } from "./fault-case.js";
import { startHostileServer, type Attack } from "./hostile-server.js";
import { bin, config, hostKey, known } from "./servers.js";
import {
  ANNOUNCED_KEYS,
  channelRequest,
  data,
  extendedData,
  globalRequest,
  message,
  text,
  windowAdjust,
} from "./ssh-messages.js";

type Named = readonly [name: string, expected: Expected, attack: Attack];

const PAST_LIMIT = failed("disconnected", "protocol-error");
const LOST = failed("disconnected", "connection-lost");
/** What a terminal would act on; it must not get through. */
const ESCAPES = "\u001b]0;owned\u0007\u001b[31mred\r\n\u009b2J";
const KIB_32 = Buffer.alloc(32_700, 0x41);

/** Instead of a login, or of all that follows it. */
const AT_LOGIN: readonly Named[] = [
  [
    "20,000 times that the key is welcome",
    PAST_LIMIT,
    { onAuth: (at) => at.flood(message(60, "ssh-ed25519", text(Buffer.alloc(51))), 20_000) },
  ],
  [
    "20,000 banners before the login",
    PAST_LIMIT,
    { onAuth: (at) => at.flood(message(53, "Welcome\n", ""), 20_000) },
  ],
  ["empty packets before the login", PAST_LIMIT, { onAuth: (at) => at.flood(Buffer.alloc(0)) }],
  ["a login that is never answered", failed("timeout", "handshake-timeout"), { onAuth: () => undefined }],
  [
    "requests that want a reply, and nothing is read",
    PAST_LIMIT,
    {
      onReady: (at) => {
        at.socket.pause();
        at.flood(globalRequest("ping@attacker"), 200_000);
      },
    },
  ],
  [
    "300 host keys in each announcement",
    PAST_LIMIT,
    { onReady: (at) => at.flood(globalRequest("hostkeys-00@openssh.com", ANNOUNCED_KEYS)) },
  ],
  [
    "channels that are opened to us",
    PAST_LIMIT,
    { onReady: (at) => at.flood(message(90, "session", 0, 0x200000, 0x8000)) },
  ],
  ["a command that is never answered", failed("timeout", "probe-timeout"), { onExec: () => undefined }],
  [
    "commands that end at once",
    failed("auth-failed", "access-denied"),
    {
      onExec: (channel) => {
        channel.exit(0);
        channel.close();
      },
    },
  ],
  ["the end of the connection at the first command", LOST, { onExec: (_, at) => void at.client.end() }],
  [
    "a GiB in answer to the first command",
    failed("disconnected", "connection-lost", "protocol-error"),
    { onExec: floodChannel },
  ],
  [
    "channels for packets of 0 bytes",
    PAST_LIMIT,
    {
      onReady: ({ protocol }) => {
        const confirm = protocol.channelOpenConfirm.bind(protocol);
        protocol.channelOpenConfirm = (remote, local, window) => confirm(remote, local, window, 0);
      },
    },
  ],
];

/** While the host is read, which goes on when the attack is over. */
const IN_SESSION: readonly Named[] = [
  ["data of one byte", PAST_LIMIT, { onSession: (at) => at.flood(data(at.channelNumber, "x")) }],
  ["data of no byte", PAST_LIMIT, { onSession: (at) => at.flood(data(at.channelNumber, "")) }],
  ["packets without a message", PAST_LIMIT, { onSession: (at) => at.flood(Buffer.alloc(0)) }],
  ["data beyond the window", PAST_LIMIT, { onSession: (at) => at.flood(data(at.channelNumber, KIB_32)) }],
  [
    "standard error without an end",
    PAST_LIMIT,
    { onSession: (at) => at.flood(extendedData(at.channelNumber, 1, KIB_32)) },
  ],
  [
    "a third kind of output without an end",
    PAST_LIMIT,
    { onSession: (at) => at.flood(extendedData(at.channelNumber, 7, KIB_32)) },
  ],
  ["data for a channel that is not there", PAST_LIMIT, { onSession: (at) => at.flood(data(4711, KIB_32)) }],
  [
    "data after the end of the channel",
    PAST_LIMIT,
    {
      onSession: (at) => {
        at.send(message(97, at.channelNumber));
        at.flood(data(at.channelNumber, KIB_32));
      },
    },
  ],
  [
    "windows that grow by a byte",
    PAST_LIMIT,
    { onSession: (at) => at.flood(windowAdjust(at.channelNumber, 1)) },
  ],
  [
    "a window of more than 2^32-1 bytes",
    PAST_LIMIT,
    { onSession: (at) => at.flood(windowAdjust(at.channelNumber, 2 ** 32 - 1), 2) },
  ],
  [
    "channels that were never asked for, confirmed",
    PAST_LIMIT,
    { onSession: (at) => at.flood(message(91, 999, 0, 0x200000, 0x8000)) },
  ],
  [
    "channels that were never asked for, refused",
    PAST_LIMIT,
    { onSession: (at) => at.flood(message(92, 999, 1, ESCAPES, "")) },
  ],
  [
    "the end of a channel, again and again",
    PAST_LIMIT,
    {
      onSession: (at) =>
        at.repeat(() => {
          at.send(message(96, at.channelNumber));
          at.send(message(97, at.channelNumber));
        }),
    },
  ],
  ["a channel with the greatest number", PAST_LIMIT, { onSession: (at) => at.send(data(2 ** 32 - 1, "x")) }],
  [
    "exit statuses without an end",
    PAST_LIMIT,
    { onSession: (at) => at.flood(channelRequest(at.channelNumber, "exit-status", false, 0)) },
  ],
  [
    "a signal with escapes as its name",
    FRAMES,
    {
      onSession: (at) => {
        at.send(channelRequest(at.channelNumber, "exit-signal", false, ESCAPES, false, ESCAPES, ESCAPES));
        at.send(message(97, at.channelNumber));
      },
    },
  ],
  [
    "requests of the channel that want a reply",
    PAST_LIMIT,
    { onSession: (at) => at.flood(channelRequest(at.channelNumber, "keepalive@openssh.com", true)) },
  ],
  ["replies to nothing", PAST_LIMIT, { onSession: (at) => at.flood(message(81)) }],
  ["logins that succeed, after the login", PAST_LIMIT, { onSession: (at) => at.flood(message(52)) }],
  [
    "requests to log in to us",
    PAST_LIMIT,
    { onSession: (at) => at.flood(message(50, "root", "ssh-connection", "keyboard-interactive", "", "")) },
  ],
  [
    "messages of a number that is unknown",
    PAST_LIMIT,
    { onSession: (at) => at.flood(message(200, 1, 2, 3)) },
  ],
  ["answers to messages that we never sent", PAST_LIMIT, { onSession: (at) => at.flood(message(3, 5)) }],
  ["ignored messages of 32 KiB", PAST_LIMIT, { onSession: (at) => at.flood(message(2, text(KIB_32))) }],
  ["debug messages", PAST_LIMIT, { onSession: (at) => at.flood(message(4, true, ESCAPES, "")) }],
  ["extensions without an end", PAST_LIMIT, { onSession: (at) => at.flood(message(7, 1, "a@b", "c")) }],
  ["2^32-1 extensions", PAST_LIMIT, { onSession: (at) => at.send(message(7, 2 ** 32 - 1, "a@b", "c")) }],
  [
    "a text that decompresses to 16 MiB",
    PAST_LIMIT,
    {
      algorithms: { compress: ["zlib@openssh.com"] },
      onSession: (at) => at.send(message(2, text(Buffer.alloc(16 * 1024 * 1024)))),
    },
  ],
  [
    "key exchanges, one after another",
    PAST_LIMIT,
    {
      onSession: ({ client, protocol }) => {
        // Not within ssh2's own handling of the last one, which frees ciphers.
        client.on("rekey", () => setImmediate(() => protocol.rekey()));
        protocol.rekey();
      },
    },
  ],
  [
    "half a key exchange, then nothing",
    failed("timeout", "keepalive-timeout"),
    {
      onSession: ({ protocol, socket }) => {
        protocol.rekey();
        socket.pause();
      },
    },
  ],
  [
    "half a key exchange, and ignored messages",
    PAST_LIMIT,
    {
      onSession: (at) => {
        at.protocol.rekey();
        at.socket.pause();
        at.drip(message(2, ""), 20);
      },
    },
  ],
  ["a message that is cut", PAST_LIMIT, { onSession: (at) => at.send(message(94, at.channelNumber)) }],
  [
    "a packet whose seal is wrong",
    PAST_LIMIT,
    { onSession: ({ socket }) => void socket.write(Buffer.alloc(4096, 0xa5)) },
  ],
  [
    "a farewell with escapes",
    failed("disconnected", "protocol-error", "connection-lost"),
    { onSession: (at) => at.send(message(1, 11, ESCAPES, "")) },
  ],
];

function floodChannel(channel: ServerChannel): void {
  const more = (): void => {
    while (!channel.destroyed && channel.writable && channel.write(KIB_32));
  };
  channel.on("drain", more);
  more();
}

function caseOf([name, expected, attack]: Named): HostCase {
  return {
    name,
    expected,
    arrange: async () => {
      const server = await startHostileServer(attack, {
        hostKey: readFileSync(hostKey.file),
        path: `${bin}:${process.env["PATH"] ?? "/usr/bin:/bin"}`,
      });
      const host = { config: config(server.port, "watcher"), known, stop: () => server.stop() };
      if (attack.onSession === undefined) return host;
      return { ...host, begin: () => server.attack(), end: () => undefined };
    },
  };
}

export const LOGIN_ATTACKS: readonly HostCase[] = AT_LOGIN.map(caseOf);
export const SESSION_ATTACKS: readonly HostCase[] = IN_SESSION.map(caseOf);
