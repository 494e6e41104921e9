/**
 * Everything about an ssh2 session that is only there to be fast, behind one interface. A session without it (`fast`
 * absent) does the same by ssh2's own code: test/ssh/ssh2/fast/without.test.ts.
 */
import type { Duplex } from "node:stream";
import { coalesceWrites } from "./coalesce.js";
import { exchangeRawKeys, verifyByRawKeys } from "./curve25519.js";
import { shareKeptParts, type KeptParts } from "./kept-bytes.js";
import { ignoreOtherHostKeys, requestsAhead, type RequestsAhead } from "./round-trips.js";

/** The parts of ssh2's protocol object that are changed; the caller has checked that they are there. */
export interface FastProtocol extends KeptParts {
  readonly _handlers: Record<string, (protocol: unknown, ...args: unknown[]) => void>;
}

export interface FastPaths {
  /** Call once, when ssh2 is loaded. `key`: any Ed25519 key that ssh2 has parsed. */
  loaded(key: object): void;
  /** Call before ssh2 writes to a new connection. */
  connecting(stream: Duplex): void;
  /** Call right after `Client.connect`. */
  connected(protocol: FastProtocol): void;
  /** Call after each key exchange; `offered`: the algorithm lists that `Client.connect` was given. */
  keysExchanged(protocol: FastProtocol, offered: object): void;
  requestsAhead(software: string, signatureAlgorithms: readonly string[] | null): RequestsAhead;
}

export const FAST_PATHS: FastPaths = {
  loaded: verifyByRawKeys,
  connecting: coalesceWrites,
  connected: (protocol) => {
    exchangeRawKeys(protocol);
    ignoreOtherHostKeys(protocol._handlers);
  },
  keysExchanged: shareKeptParts,
  requestsAhead,
};
