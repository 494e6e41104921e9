/** A typed target to its plan: resolves the host's configuration, and that of every jump host on its way. */
import type { Target } from "../targets/target.js";
import type { HostConfig, JumpHop } from "./config/host-config.js";
import type { ConfigEnvironment } from "./config/environment.js";
import type { LoadedConfig } from "./config/load.js";
import { resolveHost } from "./config/resolve.js";
import { makePlan, type HostPlan } from "./plan.js";
import type { SshOptions } from "./ssh-options.js";

/** ssh itself follows a jump host's own ProxyJump without a bound; nobody has this many on purpose. */
const DEEPEST_JUMP = 16;

/** Plans for many targets over one reading of the configuration; a jump host's config is resolved once. */
export class TargetPlanner {
  readonly #hops = new Map<string, HostConfig>();

  constructor(
    private readonly options: SshOptions,
    private readonly config: LoadedConfig,
    private readonly environment: ConfigEnvironment,
  ) {}

  /** Throws ConfigError for everything over which ssh would not even connect. */
  async plan(target: Target): Promise<HostPlan> {
    const config = await resolveHost(target, {}, this.config, this.environment);
    await this.#resolveHops(config, DEEPEST_JUMP);
    return makePlan(config, this.options, (hop) => this.#hop(hop), this.environment.env);
  }

  async #resolveHops(config: HostConfig, depth: number): Promise<void> {
    if (config.proxy.kind !== "jump" || depth === 0) return;
    for (const hop of config.proxy.hops) {
      const key = hopKey(hop);
      if (this.#hops.has(key)) continue;
      const resolved = await resolveHost(hop, {}, this.config, this.environment);
      this.#hops.set(key, resolved);
      await this.#resolveHops(resolved, depth - 1);
    }
  }

  #hop(hop: JumpHop): HostConfig {
    const config = this.#hops.get(hopKey(hop));
    if (config === undefined) throw new Error(`jump host ${hop.host} was not resolved`);
    return config;
  }
}

function hopKey({ user, host, port }: JumpHop): string {
  return JSON.stringify([user ?? null, host, port ?? null]);
}
