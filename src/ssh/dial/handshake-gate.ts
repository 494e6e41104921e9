/** Bounds handshakes whose beginning only shows in what comes back: through a jump host, or by a process of `ssh`. */
import type { Clock, Timer } from "../../lib/clock.js";

/** MaxStartups is 10:30:100 by default (sshd_config(5)): from the tenth on, sshd drops some at random. */
const HANDSHAKES_AT_ONCE = 8;
/** A host that has not said a word by then is not in a handshake: it must not keep others waiting. */
const SILENT_MS = 500;
/** Nor may one that began and then froze. A slow one that is passed over so costs a dropped connection at the worst. */
const FROZEN_MS = 2_000;

/** A place in the gate; given back by `leave`, or by the gate when the host stays silent. */
export interface Place {
  /** The host spoke: the place is kept until `leave`, or for two seconds more. */
  heard(): void;
  /** Idempotent. */
  leave(): void;
}

export class HandshakeGate {
  #places: number;
  readonly #waiting: (() => void)[] = [];
  /** Hosts that were silent or froze at their last attempt: they take no place until one goes well. */
  readonly #silent = new Set<string>();

  constructor(
    private readonly clock: Clock,
    places = HANDSHAKES_AT_ONCE,
  ) {
    this.#places = places;
  }

  /** Waits for a place, first come first served. Throws the signal's reason. */
  async enter(host: string, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    const passedOver = this.#silent.has(host);
    if (!passedOver) await this.#take(signal);
    let inside = !passedOver;
    let spoke = false;
    const sinceMs = this.clock.nowMs();
    const giveBack = (): void => {
      if (inside) this.#free();
      inside = false;
    };
    const tooLong = (ms: number): Timer =>
      this.clock.after(ms, () => {
        this.#silent.add(host);
        giveBack();
      });
    let timer = tooLong(SILENT_MS);
    return {
      heard: () => {
        if (spoke) return;
        spoke = true;
        timer.cancel();
        timer = tooLong(FROZEN_MS);
      },
      leave: () => {
        timer.cancel();
        if (spoke && this.clock.nowMs() - sinceMs < FROZEN_MS) this.#silent.delete(host);
        giveBack();
      },
    };
  }

  #free(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#places += 1;
    else next();
  }

  async #take(signal: AbortSignal): Promise<void> {
    if (this.#places > 0) this.#places -= 1;
    else await this.#turn(signal);
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
