/**
 * Bounds handshakes whose beginning only shows in what comes back: through a jump host, or by a process of `ssh`. A
 * limiter alone would let hosts that never answer hold every place.
 */
import type { Clock, Timer } from "../../lib/clock.js";
import { Limiter } from "../../lib/limiter.js";

/** MaxStartups is 10:30:100 by default (sshd_config(5)): from the tenth on, sshd drops some at random. */
const MAX_HANDSHAKES = 8;
/** A host that has sent nothing by then is not in a handshake: it must not keep others waiting. */
const SILENT_MS = 500;
/** Nor may one that began and then froze. A slow one that loses its place costs a dropped connection at worst. */
const FROZEN_MS = 2_000;

/** A place in the gate; given back by `leave`, or by the gate when the host stays silent. */
export interface Place {
  /** The host sent something: the place is kept until `leave`, or for two seconds more. */
  received(): void;
  /** Idempotent. */
  leave(): void;
}

export class HandshakeGate {
  readonly #places: Limiter;
  /** Hosts that were silent or froze at their last attempt: they take no place until one goes well. */
  readonly #silent = new Set<string>();

  constructor(
    private readonly clock: Clock,
    places = MAX_HANDSHAKES,
  ) {
    this.#places = new Limiter(places);
  }

  /** Waits for a place, first come first served. Throws the signal's reason. */
  async enter(host: string, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    const needsPlace = !this.#silent.has(host);
    const release = needsPlace ? await this.#places.acquire(signal) : () => undefined;
    let hasReceived = false;
    const sinceMs = this.clock.nowMs();
    const releaseAfter = (ms: number): Timer =>
      this.clock.after(ms, () => {
        this.#silent.add(host);
        release();
      });
    let timer = releaseAfter(SILENT_MS);
    return {
      received: () => {
        if (hasReceived) return;
        hasReceived = true;
        timer.cancel();
        timer = releaseAfter(FROZEN_MS);
      },
      leave: () => {
        timer.cancel();
        if (hasReceived && this.clock.nowMs() - sinceMs < FROZEN_MS) this.#silent.delete(host);
        release();
      },
    };
  }
}
