/** Reaching a host over TCP: every address that its name has, and every socket our own. */
import { connect, isIP, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import type { Duplex } from "node:stream";
import { HostError, hostErrorOf } from "../../contract/errors.js";
import { systemErrorCode } from "../../contract/local-limit.js";
import type { Clock } from "../../lib/clock.js";
import type { Names } from "../names/names.js";
import type { HostPlan } from "../plan/plan.js";
import { readsOf } from "./socket-reads.js";
import { systemFailure } from "./system-failure.js";

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

/** How long an address is waited for alone before the next one is tried beside it (RFC 8305 says 250 ms). */
const HEAD_START_MS = 250;
const FAMILIES = { any: 0, inet: 4, inet6: 6 } as const;

/** Dials straight to the host. The look-up and all addresses together have `dialTimeoutMs`. */
export async function dialDirect(
  plan: DialPlan,
  { clock, names }: { readonly clock: Clock; readonly names: Names },
  signal: AbortSignal,
): Promise<Dialled> {
  signal.throwIfAborted();
  const settled = new AbortController();
  return new Promise((resolve, reject) => {
    const sockets = new Set<Socket>();
    let hasAddresses = false;
    const settle = (act: () => void, keep?: Socket): void => {
      if (settled.signal.aborted) return;
      settled.abort();
      deadline.cancel();
      signal.removeEventListener("abort", onAbort);
      for (const socket of sockets) if (socket !== keep) socket.destroy();
      act();
    };
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    const deadline = clock.after(plan.dialTimeoutMs, () => {
      const target = `${plan.host} port ${plan.port}`;
      const what = hasAddresses ? `connection to ${target}` : `answer of the name service for ${plan.host}`;
      const message = `no ${what} within ${plan.dialTimeoutMs / 1000} s`;
      settle(() => reject(new HostError("connect-timeout", hasAddresses ? "dial" : "resolve", message)));
    });
    signal.addEventListener("abort", onAbort, { once: true });

    const dialAll = (addresses: readonly string[]): void => {
      hasAddresses = true;
      const failures: unknown[] = [];
      let next = 0;
      const dialNext = (): void => {
        const address = addresses[next];
        if (settled.signal.aborted || address === undefined) return;
        next += 1;
        let socket: Socket;
        try {
          socket = dialOne(plan, address);
        } catch (error) {
          // Node refuses some addresses and ports at once; out of a timer that would end the process.
          settle(() =>
            reject(
              systemErrorCode(error) === null
                ? hostErrorOf(error, "dial")
                : systemFailure(error, plan, "dial"),
            ),
          );
          return;
        }
        sockets.add(socket);
        const headStart = clock.after(HEAD_START_MS, dialNext);
        socket.once("connect", () => {
          headStart.cancel();
          socket.removeAllListeners("error");
          settle(() => resolve({ stream: socket, address }), socket);
        });
        socket.once("error", (error) => {
          headStart.cancel();
          // A late error of a socket that lost the race concerns nobody.
          socket.on("error", () => undefined);
          sockets.delete(socket);
          socket.destroy();
          failures.push(error);
          if (failures.length === addresses.length)
            settle(() => reject(systemFailure(failures[0], plan, "dial")));
          else dialNext();
        });
      };
      dialNext();
    };
    resolveHost(plan, names, settled.signal).then(dialAll, (error: unknown) => {
      settle(() => reject(error instanceof HostError ? error : systemFailure(error, plan, "resolve")));
    });
  });
}

function dialOne(plan: DialPlan, address: string): Socket {
  const { bindAddress, bindInterface, tcpKeepAlive } = plan.config;
  const family = isIP(address) === 6 ? 6 : 4;
  const localAddress = bindAddress ?? addressOf(bindInterface, family);
  const socket: Socket = connect({
    onread: readsOf(() => socket),
    host: address,
    port: plan.port,
    noDelay: true,
    keepAlive: tcpKeepAlive,
    autoSelectFamily: false,
    ...(localAddress === null ? {} : { localAddress }),
  });
  return socket;
}

async function resolveHost(plan: DialPlan, names: Names, signal: AbortSignal): Promise<readonly string[]> {
  const family = FAMILIES[plan.config.addressFamily];
  const literal = isIP(plan.host);
  if (literal !== 0) {
    if (family === 0 || family === literal) return [plan.host];
    const message = `${plan.host} is no address of the family that AddressFamily allows`;
    throw new HostError("dns-not-found", "resolve", message);
  }
  return await names.find(plan.host, family, signal);
}

function addressOf(interfaceName: string | null, family: 4 | 6): string | null {
  if (interfaceName === null) return null;
  const addresses = networkInterfaces()[interfaceName] ?? [];
  return addresses.find((entry) => entry.family === `IPv${family}`)?.address ?? null;
}
