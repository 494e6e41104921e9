/** The state of a host: since when, after which other one, why, and when the next attempt follows. */
import type { HostError } from "../contract/errors.js";
import {
  STATE_OF_CODE,
  type FailureCode,
  type HostState,
  type LastError,
  type StateRecord,
} from "../contract/record.js";
import type { Clock } from "../lib/clock.js";
import { stateRecord, type HostIdentity, type HostRoute } from "./host-record.js";

/** A connection that ended earlier than this counts as another failure: a host that flaps is retried ever more slowly. */
const MIN_STABLE_MS = 30_000;

const FIRST_RETRY_MS = 1000;
/** Hosts meet a limit of this machine together. Their retries are spread further, so that they do not all meet it again. */
const FIRST_LOCAL_RETRY_MS = 5000;
const MAX_RETRY_MS = 60_000;
/** For what an operator must fix: so slow that no lockout (PerSourcePenalties, fail2ban) is triggered. */
const OPERATOR_RETRY_MS = 300_000;

const FIXED_BY_OPERATOR: ReadonlySet<HostState> = new Set([
  "auth-failed",
  "host-key-rejected",
  "unsupported",
]);

/**
 * The backoff: milliseconds until the next attempt after `failures` in a row (from 1). Full jitter between half a second
 * and 1 s, 2 s, 4 s ... 60 s (5 s, 10 s ... for a limit of this machine); 5 minutes, with a tenth of jitter, for what an
 * operator must fix. `random` is in [0, 1).
 */
export function retryDelayMs(code: FailureCode, failures: number, random: number): number {
  // A server that is stopped in the middle of a login hangs up as one that denies the account: the first one may be that.
  const isCertain = code !== "access-denied" || failures > 1;
  if (isCertain && FIXED_BY_OPERATOR.has(STATE_OF_CODE[code]))
    return Math.round(OPERATOR_RETRY_MS * (0.9 + 0.2 * random));
  const first = code === "local-limit" ? FIRST_LOCAL_RETRY_MS : FIRST_RETRY_MS;
  const ceiling = Math.min(MAX_RETRY_MS, first * 2 ** Math.min(16, failures - 1));
  return Math.round(Math.max(FIRST_RETRY_MS / 2, ceiling * random));
}

export class HostStatus {
  #host: HostIdentity;
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

  /** What identifies the host in the records from now on. */
  rename(host: HostIdentity): void {
    this.#host = host;
  }

  /** It is not watched any more. */
  removed(why: LastError): void {
    this.#enter("disconnected", why);
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

  /** Returns the milliseconds until the next attempt, with `random` for its jitter; null, as `random`: there is none. */
  failed({ failure }: HostError, random: (() => number) | null): number | null {
    const now = this.#clock.nowMs();
    const flapped = this.#state === "connected" && now - this.#connectedAtMs < MIN_STABLE_MS;
    this.#failures += flapped ? this.#failuresBefore + 1 : 1;
    const delayMs = random === null ? null : retryDelayMs(failure.code, this.#failures, random());
    this.#enter(STATE_OF_CODE[failure.code], failure);
    this.#retryAtMs = delayMs === null ? null : now + delayMs;
    return delayMs;
  }

  /** `tick` null: the transition into this state. `why` replaces the state's own last error. */
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
