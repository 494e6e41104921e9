/** Reaches a host over TCP: tries every address of its name, and destroys every socket but the one that connects. */
import { connect, isIP, type OnReadOpts, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import type { Duplex } from "node:stream";
import { HostError, hostErrorOf } from "../../contract/errors.js";
import { systemErrorCode } from "../../contract/local-limit.js";
import type { StepLog } from "../../contract/step-log.js";
import { abortable } from "../../lib/abort.js";
import type { Clock } from "../../lib/clock.js";
import { deadlineAfter } from "../../lib/deadline.js";
import type { Names } from "../names/names.js";
import type { HostPlan } from "../plan/plan.js";
import { systemFailure } from "./system-failure.js";
import { wayFix } from "./way-fix.js";

/** A stream to the host's SSH port. */
export interface Dialled {
  readonly stream: Duplex;
  /** The numeric address of the socket's peer; null behind a jump host or a ProxyCommand. */
  readonly address: string | null;
}

type DialPlan = Pick<HostPlan, "host" | "port" | "dialTimeoutMs"> & {
  readonly config: Pick<
    HostPlan["config"],
    "addressFamily" | "bindAddress" | "bindInterface" | "tcpKeepAlive"
  >;
};

/** How the bytes of a socket are read, as an option of `net.connect`; `socket` returns the one that it makes. */
export type SocketReads = (socket: () => Socket) => OnReadOpts;

export interface DialDeps {
  readonly clock: Clock;
  readonly names: Names;
  /** A faster way to read sockets (fast/socket-reads.ts); absent: Node's own. */
  readonly reads?: SocketReads | undefined;
  readonly step?: StepLog | undefined;
}

/** How long an address is tried alone before the next one is tried beside it (RFC 8305 suggests 250 ms). */
const HEAD_START_MS = 250;
const FAMILIES = { any: 0, inet: 4, inet6: 6 } as const;

/** Dials straight to the host. The look-up and all addresses together have `dialTimeoutMs`. */
export function dialDirect(plan: DialPlan, deps: DialDeps, signal: AbortSignal): Promise<Dialled> {
  const { clock, step } = deps;
  const ended = new AbortController();
  return abortable(signal, ({ resolve, reject }) => {
    const sockets = new Set<Socket>();
    const beginMs = clock.nowMs();
    let hasAddresses = false;
    const deadline = deadlineAfter(clock, plan.dialTimeoutMs, () => {
      const target = `${plan.host} port ${plan.port}`;
      const what = hasAddresses ? `connection to ${target}` : `answer of the name service for ${plan.host}`;
      const message = `no ${what} within ${plan.dialTimeoutMs / 1000} s`;
      const fix = wayFix(hasAddresses ? "connect-timeout" : "dns-not-found", plan.host, plan.port);
      const more = fix === null ? {} : { fix };
      reject(new HostError("connect-timeout", hasAddresses ? "dial" : "resolve", message, more));
    });

    const dialAll = (addresses: readonly string[]): void => {
      hasAddresses = true;
      const failures: unknown[] = [];
      let next = 0;
      const dialNext = (): void => {
        const address = addresses[next];
        if (ended.signal.aborted || address === undefined) return;
        next += 1;
        let socket: Socket;
        try {
          socket = dialOne(plan, address, deps.reads);
        } catch (error) {
          // Node refuses some addresses and ports at once; thrown out of a timer that would end the process.
          reject(
            systemErrorCode(error) === null ? hostErrorOf(error, "dial") : systemFailure(error, plan, "dial"),
          );
          return;
        }
        sockets.add(socket);
        step?.("ssh", `connecting to ${address} port ${plan.port}`);
        const headStart = clock.after(HEAD_START_MS, dialNext);
        socket.once("connect", () => {
          headStart.cancel();
          socket.removeAllListeners("error");
          sockets.delete(socket);
          step?.("ssh", `connected to ${address} in ${Math.round(clock.nowMs() - beginMs)} ms`);
          resolve({ stream: socket, address });
        });
        socket.once("error", (error) => {
          headStart.cancel();
          // A late error of a socket that lost the race does not matter any more.
          socket.on("error", () => undefined);
          sockets.delete(socket);
          socket.destroy();
          step?.("ssh", `no connection to ${address}: ${error.message}`);
          failures.push(error);
          if (failures.length === addresses.length) reject(systemFailure(failures[0], plan, "dial"));
          else dialNext();
        });
      };
      dialNext();
    };
    resolveHost(plan, deps, ended.signal).then(dialAll, (error: unknown) =>
      reject(error instanceof HostError ? error : systemFailure(error, plan, "resolve")),
    );
    return () => {
      ended.abort();
      deadline.cancel();
      for (const socket of sockets) socket.destroy();
    };
  });
}

function dialOne(plan: DialPlan, address: string, reads: SocketReads | undefined): Socket {
  const { bindAddress, bindInterface, tcpKeepAlive } = plan.config;
  const family = isIP(address) === 6 ? 6 : 4;
  const localAddress = bindAddress ?? addressOf(bindInterface, family);
  const socket: Socket = connect({
    ...(reads === undefined ? {} : { onread: reads(() => socket) }),
    host: address,
    port: plan.port,
    noDelay: true,
    keepAlive: tcpKeepAlive,
    autoSelectFamily: false,
    ...(localAddress === null ? {} : { localAddress }),
  });
  return socket;
}

async function resolveHost(
  plan: DialPlan,
  { names, step }: DialDeps,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const family = FAMILIES[plan.config.addressFamily];
  const literal = isIP(plan.host);
  if (literal !== 0) {
    if (family === 0 || family === literal) return [plan.host];
    const message = `${plan.host} is no address of the family that AddressFamily allows`;
    throw new HostError("dns-not-found", "resolve", message);
  }
  const addresses = await names.find(plan.host, family, signal);
  step?.("ssh", `name looked up: ${plan.host} is ${addresses.join(", ")}`);
  return addresses;
}

function addressOf(interfaceName: string | null, family: 4 | 6): string | null {
  if (interfaceName === null) return null;
  const addresses = networkInterfaces()[interfaceName] ?? [];
  return addresses.find((entry) => entry.family === `IPv${family}`)?.address ?? null;
}
