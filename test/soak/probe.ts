/**
 * Preloaded into the watcher of the soak by `--import`: on SIGUSR2 it collects garbage and writes a line to the file
 * SOAK_PROBE_FILE with what is alive. It sees the heap of the main thread, so the watcher runs with `--workers 0`.
 */
import { getEventListeners } from "node:events";
import { appendFileSync } from "node:fs";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import * as v8 from "node:v8";

/** One line of the file. */
export interface Probe {
  readonly round: number;
  readonly heapBytes: number;
  /** Socket objects, the closed ones that something still holds included. */
  readonly sockets: number;
  /** Duplex streams that are no sockets: ssh2's channels, and the plain ones of jumps. */
  readonly channels: number;
  readonly timers: number;
  /** Listeners on all abort signals that are alive. */
  readonly abortListeners: number;
}

const file = process.env["SOAK_PROBE_FILE"] ?? "";
const signals = new Set<WeakRef<AbortSignal>>();

// The signals are kept track of, since a listener that stays on one is how a timer or a host's state outlives its use.
const Plain = globalThis.AbortController;
globalThis.AbortController = class extends Plain {
  constructor() {
    super();
    signals.add(new WeakRef(this.signal));
  }
};

function abortListeners(): number {
  let count = 0;
  for (const held of signals) {
    const signal = held.deref();
    if (signal === undefined) signals.delete(held);
    else count += getEventListeners(signal, "abort").length;
  }
  return count;
}

/** `v8.queryObjects` of Node 20.13 and later collects garbage before it counts. */
function alive(kind: object): number {
  const query: unknown = Reflect.get(v8, "queryObjects");
  const found: unknown =
    typeof query === "function" ? Reflect.apply(query, v8, [kind, { format: "count" }]) : NaN;
  return typeof found === "number" ? found : NaN;
}

let round = 0;
process.on("SIGUSR2", () => {
  round += 1;
  const sockets = alive(Socket);
  const probe: Probe = {
    round,
    sockets,
    channels: alive(Duplex) - sockets,
    heapBytes: process.memoryUsage().heapUsed,
    timers: process.getActiveResourcesInfo().filter((name) => name === "Timeout").length,
    abortListeners: abortListeners(),
  };
  appendFileSync(file, `${JSON.stringify(probe)}\n`);
});
