/** What bounds a program on a host, in time and in memory: POSIX sh text, constants. */

/** How a host bounds a program: GNU-style `timeout -k`, old busybox `timeout -t`, or a watchdog in shell. */
export const LIMITERS = ["gnu", "busybox", "watchdog"] as const;
export type TimeoutCommand = (typeof LIMITERS)[number];

/** Of what a program says on standard error, as much is kept. */
export const STDERR_BYTES = 2000;

// A shell holds what a program says on standard error until it has ended: more address space than this, in KiB, it does
// not get, or an endless complaint would fill the host's memory. Programs get the session's own limit (V) back; a shell
// that is told anew what a tick is knows it already.
export const LIMITS =
  "V=${V-$(ulimit -S -v 2>/dev/null)}; limit() { ulimit -S -v 262144 2>/dev/null; }; limit; " +
  "unlimit() { ulimit -S -v ${V:-unlimited} 2>/dev/null; }";

/**
 * `b`, which runs a program under the deadline. A program that the shell itself starts is cheaper than one in a subshell:
 * dash starts it without a copy of itself.
 */
export function boundFunction(program: string, status: string): string {
  return `b() { unlimit; ${program}; ${status}; limit; return $c; }`;
}

// `x` is the same as the last act of a subshell.
export const BOUND: Record<TimeoutCommand, string> = {
  gnu: bounds("timeout -k 1 $T"),
  busybox: bounds("timeout -t $T"),
  watchdog:
    `b() { (unlimit; exec "$@") & p=$! ; { trap "kill \\$s; exit 0" TERM; sleep $T & s=$! ; wait $s; kill $p; ` +
    `sleep 1; kill -9 $p; } >/dev/null 2>&1 & w=$! ; wait $p; c=$?; kill $w 2>/dev/null; wait $w 2>/dev/null; ` +
    `return $c; }; x() { b "$@"; }`,
};

function bounds(timeout: string): string {
  return `${boundFunction(`${timeout} "$@"`, "c=$?")}; x() { unlimit; exec ${timeout} "$@"; }`;
}

/** Finds out by the first program that is needed anyway: `$U` is what `uname -s -m` says. */
export const DETECT_LIMITER =
  `if U=$(timeout -k 1 $T uname -s -m 2>/dev/null); then L=gnu; ${BOUND.gnu}; ` +
  `elif U=$(timeout -t $T uname -s -m 2>/dev/null); then L=busybox; ${BOUND.busybox}; ` +
  `else L=watchdog; U=$(uname -s -m 2>/dev/null); ${BOUND.watchdog}; fi`;
