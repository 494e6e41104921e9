/** When a host is tried again: a pure table. */
import { STATE_OF_CODE, type FailureCode, type HostState } from "../contract/record.js";

const FIRST_MS = 1000;
const MAX_MS = 60_000;
/** What an operator must mend: retried so slowly that no lock-out (PerSourcePenalties, fail2ban) is ever tripped. */
const OPERATOR_MS = 300_000;

const SLOW: ReadonlySet<HostState> = new Set(["auth-failed", "host-key-rejected", "unsupported"]);

/**
 * Milliseconds until the next attempt after `failures` in a row (from 1). Full jitter between half a second and
 * 1 s, 2 s, 4 s ... 60 s; 5 minutes, with a tenth of jitter, for what an operator must mend. `random` is in [0, 1).
 */
export function retryDelayMs(code: FailureCode, failures: number, random: number): number {
  if (SLOW.has(STATE_OF_CODE[code])) return Math.round(OPERATOR_MS * (0.9 + 0.2 * random));
  const ceiling = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(16, failures - 1));
  return Math.round(Math.max(FIRST_MS / 2, ceiling * random));
}
