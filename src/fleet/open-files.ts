/**
 * The descriptors of a fleet's connections. Where the process may not have as many as all hosts need, fewer hosts are
 * connected at a time: a socket too many would fail in a handshake of whichever host comes next, or in a file of ours.
 */
import type { Connector } from "../contract/connection.js";
import { HostError } from "../contract/errors.js";
import { abortable } from "../lib/abort.js";
import type { HostPlan } from "../ssh/plan/plan.js";
import type { WatchedTarget } from "./identity.js";

/** Beside the hosts: standard streams, Node.js's own, processes for names, an agent, and files that are read at a time. */
const RESERVED = 40;

/** What connected hosts need, and for how many there is space. */
export interface OpenFilesNeed {
  /** Of the whole process. */
  readonly needed: number;
  /** For connections. */
  readonly free: number;
}

/** Null where the limit is enough or not known. */
export function openFilesShortage(
  watched: readonly WatchedTarget[],
  isSystemClient: boolean,
  limit: number | null,
): OpenFilesNeed | null {
  const forHosts = watched.reduce((sum, { plan }) => sum + descriptorsOf(plan, isSystemClient), 0);
  const needed = forHosts + RESERVED;
  return limit === null || needed <= limit ? null : { needed, free: Math.max(1, limit - RESERVED) };
}

/** A socket; for a program three pipes, and as many for a moment while it starts. */
export function descriptorsOf(plan: HostPlan | null, isSystemClient: boolean): number {
  return isSystemClient || plan?.way.kind === "command" ? 6 : 1;
}

export class OpenFiles {
  #free: number;
  readonly #waiting = new Set<{ readonly count: number; readonly go: () => void }>();

  /** `waits`: a host waits for its turn, as in a run of one reading; else it fails at once, and tries again later. */
  constructor(
    readonly total: number,
    private readonly waits: boolean,
  ) {
    this.#free = total;
  }

  /** Returns what gives them back; idempotent. Throws HostError `local-limit`, or the signal's reason. */
  async take(count: number, signal: AbortSignal): Promise<() => void> {
    const wanted = Math.min(count, this.total);
    if (wanted > this.#free || this.#waiting.size > 0) {
      if (!this.waits)
        throw new HostError(
          "local-limit",
          "dial",
          `this process may have too few open files for all hosts at a time; raise \`ulimit -n\``,
          { fix: "raise `ulimit -n`" },
        );
      await this.#turn(wanted, signal);
    } else this.#free -= wanted;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#free += wanted;
      this.#next();
    };
  }

  #turn(count: number, signal: AbortSignal): Promise<void> {
    return abortable(signal, ({ resolve }) => {
      const turn = { count, go: resolve };
      this.#waiting.add(turn);
      return () => void this.#waiting.delete(turn);
    });
  }

  /** In the order of arrival. */
  #next(): void {
    for (const turn of this.#waiting) {
      if (turn.count > this.#free) return;
      this.#free -= turn.count;
      this.#waiting.delete(turn);
      turn.go();
    }
  }
}

/** Holds the descriptors of a host from its dial to the end of its connection. */
export function withOpenFiles(connector: Connector, files: OpenFiles, count: number): Connector {
  return {
    connect: async (signal) => {
      const giveBack = await files.take(count, signal);
      try {
        const inner = await connector.connect(signal);
        void inner.lost.then(giveBack);
        return {
          client: inner.client,
          ...(inner.hostKey === undefined ? {} : { hostKey: inner.hostKey }),
          lost: inner.lost,
          open: (command, events) => inner.open(command, events),
          confirm: (withinMs) => inner.confirm?.(withinMs),
          close: () => inner.close().finally(giveBack),
        };
      } catch (error) {
        giveBack();
        throw error;
      }
    },
  };
}
