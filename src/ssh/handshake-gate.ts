/** Bounds handshakes whose beginning only shows in what comes back: through a jump host, or by a process of `ssh`. */
import type { Clock, Timer } from "../lib/clock.js";

/** MaxStartups is 10:30:100 by default (sshd_config(5)): from the tenth on, sshd drops some at random. */
const HANDSHAKES_AT_ONCE = 8;
/** A host that has not said a word by then is not in a handshake: it must not keep others waiting. */
const SILENT_MS = 500;

/** A place in the gate; given back by `leave`, or by the gate when the host stays silent. */
export interface Place {
  /** The host spoke: the place is kept until `leave`. */
  heard(): void;
  /** Idempotent. */
  leave(): void;
}

export class HandshakeGate {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  /** Hosts that were silent at their last attempt: they take no place until they speak. */
  readonly #silent = new Set<string>();

  constructor(
    private readonly clock: Clock,
    places = HANDSHAKES_AT_ONCE,
  ) {
    this.#free = places;
  }

  /** Waits for a place, first come first served. Throws the signal's reason. */
  async enter(host: string, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    if (this.#silent.has(host)) {
      return { heard: () => this.#silent.delete(host), leave: () => undefined };
    }
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    let inside = true;
    let silence: Timer | null = null;
    const leave = (): void => {
      silence?.cancel();
      if (!inside) return;
      inside = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
    silence = this.clock.after(SILENT_MS, () => {
      this.#silent.add(host);
      leave();
    });
    const heard = (): void => {
      silence.cancel();
      this.#silent.delete(host);
    };
    return { heard, leave };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = (): void => {
        const at = this.#waiting.indexOf(turn);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(turn);
    });
  }
}
