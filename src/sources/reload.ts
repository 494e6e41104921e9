/** Takes up a changed list of hosts while the hosts are watched. */
import type { Target } from "../contract/target.js";
import { fleetChange, type FleetChange } from "../fleet/fleet-change.js";
import type { WatchedTarget } from "../fleet/identity.js";

/** How many hosts a new list adds, removes and relabels; one that is connected to again counts as both. */
export interface ReloadCounts {
  readonly added: number;
  readonly removed: number;
  readonly renamed: number;
  readonly watched: number;
}

export type PlanTargets = (targets: readonly Target[]) => Promise<readonly WatchedTarget[]>;

/** The hosts that are watched at present. Lists are taken up one after another, in the order in which they come. */
export class WatchedHosts {
  #watched: readonly WatchedTarget[];
  readonly #plan: PlanTargets;
  readonly #apply: (change: FleetChange) => void;
  #last: Promise<unknown> = Promise.resolve();

  constructor(watched: readonly WatchedTarget[], plan: PlanTargets, apply: (change: FleetChange) => void) {
    this.#watched = watched;
    this.#plan = plan;
    this.#apply = apply;
  }

  get count(): number {
    return this.#watched.length;
  }

  /** As typed, by host id. */
  get names(): ReadonlyMap<string, string> {
    return new Map(this.#watched.map(({ identity }) => [identity.hostId, identity.hostname]));
  }

  /** Rejects, and changes nothing, where the targets cannot be planned (ConfigError). */
  replace(targets: readonly Target[]): Promise<ReloadCounts> {
    const turn = this.#last.then(async () => {
      const planned = await this.#plan(targets);
      const change = fleetChange(this.#watched, planned);
      this.#watched = planned;
      this.#apply(change);
      const { added, removed, renamed } = change;
      const { length: watched } = planned;
      return { added: added.length, removed: removed.length, renamed: renamed.length, watched };
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
