/**
 * The program of a worker thread: every stage for its share of the fleet, up to lines that the main thread only writes.
 * The build makes it a file of its own.
 */
import { setMaxListeners } from "node:events";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { stackOf, type ReportFault } from "../../contract/errors.js";
import { openFleet } from "../../fleet/open-fleet.js";
import { createFormatter } from "../../format/create-formatter.js";
import type { Formatter } from "../../format/formatter.js";
import type { Output } from "../../format/output.js";
import { drainTo } from "../../format/sink.js";
import { insteadOf, type Unwritable } from "../../format/unwritable.js";
import { withHealth } from "../../health/with-health.js";
import { realClock } from "../../lib/clock.js";
import { tallyLog, withTally } from "../../outcome/with-tally.js";
import type { Counts } from "../../outcome/tally.js";
import { openNames } from "../../ssh/names/resolver-pool.js";
import type { FromThread, LineBuffer, ToThread } from "./fleet-threads.js";
import type { Share } from "./shares.js";

const FIRST_BUFFER_BYTES = 64 * 1024;

if (parentPort === null) throw new Error("this file runs in a worker thread");
// Not awaited: the executable has this file as a CommonJS module. What it throws ends the thread either way.
void watchShare(workerData as Share, parentPort);

async function watchShare(
  { options, watched, format, labelNames, beganAtMs, resolver, hostChanges }: Share,
  port: MessagePort,
): Promise<void> {
  const post = (message: FromThread): void => port.postMessage(message);
  const stopper = new AbortController();
  const { signal } = stopper;
  // Every host has a listener on it while it is watched.
  setMaxListeners(0, signal);
  const stop = (): void => stopper.abort();
  const lines = linesTo(port, () => seen.counts());
  port.on("message", (message: ToThread) => {
    if (message.kind === "stop") stop();
    else if (message.kind === "change") void opening.then((fleet) => fleet.change(message.change));
    else lines.acked(message.buffer);
  });
  const { csvSections, query, selection, health, verbosity } = options;
  const isOnce = options.length.kind === "once";
  const fault: ReportFault = (host, error) => post({ kind: "fault", host, stack: stackOf(error) });
  const unwritable: Unwritable = (record, error) => {
    fault(record.host_id, error);
    return insteadOf(record, error, isOnce);
  };
  const layout = { csvSections, query, selection, labelNames };
  const place = { color: false, terminal: null, hostCount: null, isOnce, unwritable };
  const formatter = await createFormatter(format, { ...layout, ...place });
  const beginMs = beganAtMs - performance.timeOrigin;
  const log = {
    warn: (message: string) => post({ kind: "warning", text: message }),
    debug: (message: string) => post({ kind: "debug", text: message }),
    line: (line: string) => post({ kind: "line", text: line }),
    fault,
  };
  const clock = realClock;
  const names = openNames(new URL(resolver), clock);
  const deps = { clock, names, random: Math.random, beginMs, ...log };
  // A change may come before the fleet is open.
  const opening = openFleet(options, watched, deps, signal);
  const fleet = await opening;
  const judged = withHealth(fleet.batches, health, unwritable);
  const seen = withTally(judged, options, tallyLog(verbosity, hostChanges, log.line), unwritable);
  // The main thread writes the header, once.
  const bare: Formatter = { ...formatter, header: () => "" };
  await drainTo(seen.batches, bare, lines.output, { signal, clock, stop });
  await fleet.close();
  post({ kind: "ended", counts: seen.summary() });
  port.close();
}

/** An output whose write settles when the main thread has written the text and sent `ack`. */
function linesTo(
  port: MessagePort,
  counts: () => Counts,
): { readonly output: Output; readonly acked: (buffer: LineBuffer) => void } {
  const encoder = new TextEncoder();
  let buffer: LineBuffer = new Uint8Array(FIRST_BUFFER_BYTES);
  let settle: () => void = () => undefined;
  return {
    acked: (returned) => {
      buffer = returned;
      settle();
    },
    output: {
      firstLine: null,
      write: (text) =>
        new Promise((resolve) => {
          settle = resolve;
          const bytes = typeof text === "string" ? encoder.encode(text) : text;
          const { length } = bytes;
          if (buffer.length < length) buffer = new Uint8Array(length * 2);
          buffer.set(bytes);
          const message: FromThread = { kind: "lines", buffer, length, counts: counts() };
          port.postMessage(message, [buffer.buffer]);
        }),
      close: () => Promise.resolve(),
    },
  };
}
