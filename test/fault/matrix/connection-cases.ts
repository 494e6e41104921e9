/** Connections that end, freeze or carry something other than what was sent. */
import { makeKey } from "../../support/ssh-key.js";
import type { Sshd } from "../../support/sshd.js";
import { closedPort } from "../../support/free-port.js";
import { startCuttingRelay, type Change, type CuttingRelay } from "./cutting-relay.js";
import { failed, FRAMES, type FaultyHost, type HostCase } from "./fault-case.js";
import { config, hostAt, known, ownFile, serve, signalAll } from "./servers.js";

const LOST = failed("disconnected", "connection-lost");
const BROKEN = failed("disconnected", "connection-lost", "protocol-error");
const FROZEN = failed("timeout", "keepalive-timeout");

/** Processes of sessions, below the sshd that listens. */
const SESSIONS = /^sshd(-session)?: (?!.*\[listener\])/;
const SSHD = /^sshd|\/sshd /;

type Act = (server: Sshd) => void;

/** Of an sshd of its own. */
function server(name: string, expected: HostCase["expected"], begin: Act, end?: Act): HostCase {
  return {
    name,
    expected,
    arrange: async () => {
      const own = await serve();
      return hostAt(own, [], {
        begin: () => begin(own),
        end: () => end?.(own),
      });
    },
  };
}

/** The sshd is stopped, and comes back on its port. */
function restarted(name: string, key?: ReturnType<typeof makeKey>): HostCase {
  return {
    name,
    expected: LOST,
    arrange: async () => {
      const own = await serve();
      return hostAt(own, [], {
        begin: () => own.stop(),
        end: async () => {
          await serve({ port: own.port, ...(key === undefined ? {} : { hostKeys: [key] }) });
        },
      });
    },
  };
}

function relayed(
  name: string,
  expected: HostCase["expected"],
  begin: (relay: CuttingRelay) => void,
  end: (relay: CuttingRelay) => void = () => undefined,
): HostCase {
  return {
    name,
    expected,
    arrange: async () => {
      const own = await serve();
      const relay = await startCuttingRelay(own.port);
      const host: FaultyHost = {
        begin: () => begin(relay),
        end: () => end(relay),
        stop: () => relay.stop(),
        ...hostAt(own, [], {}, relay.port),
      };
      return host;
    },
  };
}

/** Changes one piece to the client and no other. */
function once(change: (piece: Buffer) => readonly Buffer[]): Change {
  let isDone = false;
  return (piece, way) => {
    if (way !== "to client" || isDone) return [piece];
    isDone = true;
    return change(piece);
  };
}

/** Two pieces in the other order. */
function swapped(): Change {
  let first: Buffer | null = null;
  return (piece, way) => {
    if (way !== "to client") return [piece];
    if (first !== null) return [piece];
    first = piece;
    const half = Math.floor(piece.length / 2);
    return [piece.subarray(half), piece.subarray(0, half)];
  };
}

function spoiled(piece: Buffer): readonly Buffer[] {
  const copy = Buffer.from(piece);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 0xff;
  return [copy];
}

const inBytes: Change = (piece) =>
  Array.from({ length: piece.length }, (_, at) => piece.subarray(at, at + 1));

export const CONNECTION_CASES: readonly HostCase[] = [
  restarted("sshd is killed between ticks, and comes back"),
  {
    name: "the host key changes between two connections",
    expected: failed("host-key-rejected", "host-key-changed"),
    arrange: async (): Promise<FaultyHost> => {
      const own = await serve();
      return hostAt(own, [], {
        begin: async () => {
          await own.stop();
          await serve({ port: own.port, hostKeys: [makeKey(ownFile("other"))] });
        },
      });
    },
  },
  server(
    "the session's sshd is killed",
    LOST,
    (own) => signalAll(own, SESSIONS, "SIGKILL"),
    () => undefined,
  ),
  server(
    "the session's sshd is stopped (SIGSTOP)",
    FROZEN,
    (own) => signalAll(own, SESSIONS, "SIGSTOP"),
    (own) => signalAll(own, SESSIONS, "SIGCONT"),
  ),
  server(
    "all of sshd is stopped (SIGSTOP), as a host that swaps",
    FROZEN,
    (own) => signalAll(own, SSHD, "SIGSTOP"),
    (own) => signalAll(own, SSHD, "SIGCONT"),
  ),
  server("the remote shell is killed", FRAMES, (own) => signalAll(own, /sh -s$/, "SIGKILL")),
  {
    name: "a port that nobody listens on, then somebody does",
    expected: failed("unreachable", "connection-refused"),
    arrange: async (): Promise<FaultyHost> => {
      const port = await closedPort();
      let own: Sshd | null = null;
      return {
        config: config(port, "watcher"),
        known,
        end: async () => {
          own = await serve({ port });
        },
        after: () => {
          if (own === null) throw new Error("no server was started");
        },
      };
    },
  },
  relayed(
    "a black hole both ways",
    FROZEN,
    (r) => r.hold("to server", "to client"),
    (r) => r.release(),
  ),
  relayed(
    "a black hole towards the host",
    FROZEN,
    (r) => r.hold("to server"),
    (r) => r.release(),
  ),
  relayed(
    "a black hole towards us",
    FROZEN,
    (r) => r.hold("to client"),
    (r) => r.release(),
  ),
  relayed("the connection is reset", LOST, (r) => r.reset()),
  relayed("the connection is half closed by the host's side", LOST, (r) => r.finish()),
  relayed(
    "250 ms of delay each way",
    FRAMES,
    (r) => r.delay(() => 250),
    (r) => r.delay(() => 0),
  ),
  relayed(
    "a delay that jumps between 0 and 400 ms",
    FRAMES,
    (r) => r.delay(() => 1 + Math.floor(Math.random() * 400)),
    (r) => r.delay(() => 0),
  ),
  relayed(
    "every byte in a piece of its own",
    FRAMES,
    (r) => r.change(inBytes),
    (r) => r.change(null),
  ),
  relayed("one piece is lost", FROZEN, (r) => r.change(once((piece) => [piece.subarray(0, 7)]))),
  relayed("one piece is doubled", BROKEN, (r) => r.change(once((piece) => [piece, piece]))),
  relayed(
    "two halves of a piece are swapped",
    BROKEN,
    (r) => r.change(swapped()),
    (r) => r.change(null),
  ),
  relayed("one byte is wrong", BROKEN, (r) => r.change(once(spoiled))),
  relayed("bytes are put between two packets", BROKEN, (r) =>
    r.change(once((piece) => [Buffer.alloc(32, 0xaa), piece])),
  ),
  {
    name: "the jump host is stopped (SIGSTOP)",
    expected: FROZEN,
    arrange: (): Promise<FaultyHost> =>
      behindJump(
        (jump) => signalAll(jump, SESSIONS, "SIGSTOP"),
        (jump) => signalAll(jump, SESSIONS, "SIGCONT"),
      ),
  },
  {
    name: "the jump host's session is killed",
    expected: LOST,
    arrange: (): Promise<FaultyHost> => behindJump((jump) => signalAll(jump, SESSIONS, "SIGKILL")),
  },
  {
    name: "the target behind a jump host is killed",
    expected: LOST,
    arrange: (): Promise<FaultyHost> => behindJump((_, target) => signalAll(target, SESSIONS, "SIGKILL")),
  },
];

async function behindJump(
  begin: (jump: Sshd, target: Sshd) => void,
  end: (jump: Sshd, target: Sshd) => void = () => undefined,
): Promise<FaultyHost> {
  const [jump, target] = [await serve(), await serve()];
  const name = `jump-${jump.port}`;
  return {
    config: [
      ...config(target.port, target.user, `ProxyJump ${name}`),
      `Host ${name}`,
      `HostKeyAlias ${name}`,
      ...config(jump.port, jump.user),
    ],
    known: (alias) => `${known(alias)}\n${known(name)}`,
    begin: () => begin(jump, target),
    end: () => end(jump, target),
  };
}
