/** Peers that are no SSH servers, or break off before anybody could log in. */
import type { Socket } from "node:net";
import { startTcpServer } from "../../support/tcp-server.js";
import { failed, type HostCase } from "./fault-case.js";
import { config, known } from "./servers.js";

const IDENT = "SSH-2.0-peer\r\n";

/** Writes again and again, as fast as it is read, until the socket closes. */
function flood(socket: Socket, piece: Buffer | string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on("drain", more);
  more();
}

function drip(socket: Socket, piece: string, ms: number): void {
  const timer = setInterval(() => socket.write(piece), ms);
  socket.on("close", () => clearInterval(timer));
}

interface Peer {
  readonly name: string;
  readonly expected: HostCase["expected"];
  readonly behave: (socket: Socket) => void;
}

const TIMEOUT = failed("timeout", "handshake-timeout");
const NOT_SSH = failed("unreachable", "not-ssh");
const LOST = failed("disconnected", "connection-lost");
const BROKEN = failed("disconnected", "protocol-error");

const PEERS: readonly Peer[] = [
  { name: "a port that sends nothing", expected: TIMEOUT, behave: () => undefined },
  { name: "a port that closes at once", expected: LOST, behave: (socket) => socket.end() },
  { name: "a port that resets at once", expected: LOST, behave: (socket) => socket.resetAndDestroy() },
  {
    name: "an HTTP server",
    expected: NOT_SSH,
    behave: (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
  },
  {
    name: "a TLS server",
    expected: NOT_SSH,
    behave: (socket) => socket.write(Buffer.from([0x15, 3, 1, 0, 2, 2, 40])),
  },
  {
    name: "random bytes without an end",
    expected: NOT_SSH,
    behave: (socket) => flood(socket, Buffer.alloc(65_536, 0xa5)),
  },
  {
    name: "banner lines without an end",
    expected: NOT_SSH,
    behave: (socket) => flood(socket, "welcome\r\n".repeat(1000)),
  },
  {
    name: "one banner line without an end",
    expected: NOT_SSH,
    behave: (socket) => flood(socket, "x".repeat(65_536)),
  },
  { name: "a banner line every 5 ms", expected: TIMEOUT, behave: (socket) => drip(socket, "welcome\r\n", 5) },
  { name: "a banner byte every 5 ms", expected: TIMEOUT, behave: (socket) => drip(socket, "w", 5) },
  { name: "SSH 1.5", expected: NOT_SSH, behave: (socket) => socket.write("SSH-1.5-old\r\n") },
  { name: "half an identification line", expected: TIMEOUT, behave: (socket) => socket.write("SSH-2.0-pe") },
  {
    name: "an identification line, then nothing",
    expected: TIMEOUT,
    behave: (socket) => socket.write(IDENT),
  },
  { name: "an identification line, then the end", expected: LOST, behave: (socket) => socket.end(IDENT) },
  {
    name: "an identification line, then garbage",
    expected: BROKEN,
    behave: (socket) => socket.write(Buffer.concat([Buffer.from(IDENT), Buffer.alloc(4096, 0xa5)])),
  },
  {
    name: "a packet of 4 GiB",
    expected: BROKEN,
    behave: (socket) => socket.write(Buffer.concat([Buffer.from(IDENT), Buffer.alloc(16, 0xff)])),
  },
  {
    name: "ignored packets without an end",
    expected: failed("disconnected", "protocol-error", "connection-lost"),
    behave: (socket) => {
      socket.write(IDENT);
      // SSH_MSG_IGNORE with an empty string (RFC 4253, section 11.2).
      flood(socket, Buffer.from([0, 0, 0, 12, 6, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    },
  },
  {
    name: "a disconnect message",
    expected: failed("disconnected", "protocol-error", "connection-lost"),
    behave: (socket) => {
      const reason = Buffer.from([0, 0, 0, 20, 6, 1, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      socket.write(Buffer.concat([Buffer.from(IDENT), reason]));
    },
  },
  {
    name: "MaxStartups is exceeded, every time",
    expected: LOST,
    behave: (socket) => socket.end("Exceeded MaxStartups\r\n"),
  },
  {
    name: "a penalty of OpenSSH 9.8",
    expected: LOST,
    behave: (socket) => socket.end("Not allowed at this time\r\n"),
  },
];

export const PEER_CASES: readonly HostCase[] = [
  ...PEERS.map(({ name, expected, behave }): HostCase => ({
    name,
    expected,
    arrange: async () => {
      const peer = await startTcpServer(behave);
      return { config: config(peer.port, "watcher"), known, stop: () => peer.stop() };
    },
  })),
  {
    name: "a name that does not exist",
    expected: failed("unreachable", "dns-not-found"),
    arrange: () => Promise.resolve({ config: ["HostName no-such-host.invalid"], known }),
  },
];
