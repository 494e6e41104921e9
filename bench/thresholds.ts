/** What must hold, by medians of paired runs. Ratios and counts, but where the promise itself names a unit. */
import { spreadOf } from "./measure/figures.js";
import type { Figure } from "./measure/figures.js";

export interface Threshold {
  /** The figure's. */
  readonly id: string;
  readonly atMost: number;
}

export const THRESHOLDS: readonly Threshold[] = [
  { id: "one-shot.ours-over-xargs-ssh", atMost: 0.45 },
  { id: "one-shot.ours-over-asyncssh", atMost: 0.9 },
  { id: "one-shot.ours-over-bare-ssh2", atMost: 1.15 },
  { id: "one-shot.ours-js-only-over-xargs-ssh", atMost: 0.5 },
  { id: "one-shot.ours-js-only-over-asyncssh", atMost: 0.9 },
  { id: "one-shot.ours-js-only-over-bare-ssh2-js-only", atMost: 1.15 },
  { id: "one-shot.wall.ours-over-bare-ssh2", atMost: 1.15 },
  { id: "one-shot.server.ours-over-bare-ssh2", atMost: 1.25 },
  { id: "one-shot.server.ours-gpu-only-over-bare-ssh2", atMost: 1.1 },
  { id: "one-shot.server.ours-kept-facts-over-bare-ssh2", atMost: 1.1 },
  { id: "round-trips.ready", atMost: 8 },
  { id: "round-trips.first-frame", atMost: 10 },
  { id: "round-trips.tick", atMost: 1.15 },
  { id: "round-trips.ready.js-only", atMost: 8 },
  { id: "round-trips.first-frame.js-only", atMost: 10 },
  { id: "round-trips.tick.js-only", atMost: 1.15 },
  { id: "steady.client-us", atMost: 150 },
  { id: "steady.client-us.js-only", atMost: 150 },
  { id: "steady.ours-over-asyncssh-exec", atMost: 1 / 8 },
  { id: "steady.ours-over-all-smi-view", atMost: 0.3 },
  { id: "steady.remote-ours-over-all-smi-view", atMost: 0.35 },
  { id: "steady.remote-session-over-exec", atMost: 0.3 },
  { id: "wire.writes-a-tick", atMost: 1 },
  { id: "wire.bytes-a-tick", atMost: 100 },
  { id: "wire.packets-an-answer", atMost: 2 },
  { id: "wire.writes-a-tick.js-only", atMost: 1 },
  { id: "wire.bytes-a-tick.js-only", atMost: 100 },
  { id: "wire.packets-an-answer.js-only", atMost: 2 },
  { id: "wire.login-shells-a-session", atMost: 1 },
  { id: "growth.cpu-exponent", atMost: 1.1 },
  { id: "growth.memory-exponent", atMost: 1.1 },
  { id: "growth.kib-a-session", atMost: 64 },
  { id: "growth.missed-ticks", atMost: 0 },
  // What was reached, with room for a busy machine; bench/README.md has why it is not less.
  { id: "memory.50.resident", atMost: 96 },
  { id: "memory.kib-a-session", atMost: 50 },
  { id: "soak.missed-by-us", atMost: 0 },
  { id: "soak.missed-at-start", atMost: 0 },
  { id: "soak.kib-a-session", atMost: 64 },
  // A listener or a promise kept a tick would be 200 KiB a session in an hour of ticks; a heap that is only read at
  // slightly different moments differs by less than this.
  { id: "soak.heap-growth", atMost: 2 },
  // Pages that the allocator happens to hold are among it.
  { id: "soak.rss-growth", atMost: 8 },
  { id: "known-hosts.hashed-1000-by-1000-s", atMost: 1 },
  { id: "start-up.help-over-node", atMost: 1.25 },
  { id: "start-up.version-over-node", atMost: 1.25 },
  { id: "output.ndjson-over-stringify", atMost: 1.2 },
  // A scrape of the fleet, which costs a few ticks' NDJSON, and what of its text is in memory at once.
  { id: "output.metrics-over-stringify", atMost: 6 },
  { id: "output.metrics-piece-kib-a-host", atMost: 4 },
];

export type Verdict =
  { readonly kind: "free" } | { readonly kind: "kept" | "missed"; readonly limit: number };

/** `free`: nothing is promised of it. */
export function judge(figure: Figure): Verdict {
  const threshold = THRESHOLDS.find(({ id }) => id === figure.id);
  if (threshold === undefined) return { kind: "free" };
  const kept = spreadOf(figure.values).median <= threshold.atMost;
  return { kind: kept ? "kept" : "missed", limit: threshold.atMost };
}
