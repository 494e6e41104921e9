/** The state that a host is in: since when, after which, and why; tells it as records. */
import type { HostError } from "../contract/errors.js";
import { STATE_OF_CODE, type HostState, type LastError, type StateRecord } from "../contract/record.js";
import type { Clock } from "../lib/clock.js";
import { stateRecord, type HostIdentity, type HostRoute } from "./host-record.js";

/** A connection that stood less long than this counts as another failure: a host that flaps is tried ever more slowly. */
const SETTLED_MS = 30_000;

export class HostStatus {
  readonly #host: HostIdentity;
  readonly #clock: Clock;
  #state: HostState = "connecting";
  #previous: HostState | null = null;
  #sinceMs: number;
  #lastError: LastError | null = null;
  #attempt = 1;
  #failures = 0;
  #failuresBefore = 0;
  #connectedAtMs = 0;
  #retryAtMs: number | null = null;

  constructor(host: HostIdentity, clock: Clock) {
    this.#host = host;
    this.#clock = clock;
    this.#sinceMs = clock.wallMs();
  }

  /** Another attempt begins. */
  retrying(): void {
    this.#attempt = this.#failures + 1;
    this.#enter("connecting", this.#lastError);
  }

  connected(): void {
    this.#failuresBefore = this.#failures;
    this.#failures = 0;
    this.#connectedAtMs = this.#clock.nowMs();
    this.#enter("connected", null);
  }

  /** `delayMs` tells, of the failures in a row, when the next attempt follows; null: never. */
  failed({ failure }: HostError, delayMs: (failures: number) => number | null): number | null {
    const now = this.#clock.nowMs();
    const flapped = this.#state === "connected" && now - this.#connectedAtMs < SETTLED_MS;
    this.#failures += flapped ? this.#failuresBefore + 1 : 1;
    const delay = delayMs(this.#failures);
    this.#enter(STATE_OF_CODE[failure.code], failure);
    this.#retryAtMs = delay === null ? null : now + delay;
    return delay;
  }

  /** `tick` null: the transition into this state. `why` stands in for the state's own last error. */
  record(route: HostRoute | null, tick: number | null, why: LastError | null = this.#lastError): StateRecord {
    const retryInMs =
      this.#retryAtMs === null ? null : Math.max(0, Math.round(this.#retryAtMs - this.#clock.nowMs()));
    return stateRecord(this.#host, route, this.#clock.wallMs(), tick, {
      state: this.#state,
      previous: this.#previous,
      attempt: this.#attempt,
      consecutiveFailures: this.#failures,
      sinceMs: this.#sinceMs,
      retryInMs,
      lastError: why,
    });
  }

  #enter(state: HostState, lastError: LastError | null): void {
    this.#retryAtMs = null;
    this.#previous = this.#state;
    this.#state = state;
    this.#lastError = lastError;
    this.#sinceMs = this.#clock.wallMs();
  }
}
