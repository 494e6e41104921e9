/** A typed target to its plan: resolves the host's configuration, and that of every jump host on its way. */
import type { Target } from "../targets/target.js";
import type { ConfigEnvironment } from "./config/environment.js";
import type { LoadedConfig } from "./config/load.js";
import { resolveHost } from "./config/resolve.js";
import { resolveRoute } from "./config/route.js";
import { makePlan, type HostPlan } from "./plan.js";
import type { SshOptions } from "./ssh-options.js";

/** Throws ConfigError for everything over which ssh would not even connect. */
export async function planTarget(
  target: Target,
  options: SshOptions,
  config: LoadedConfig,
  environment: ConfigEnvironment,
): Promise<HostPlan> {
  const resolved = await resolveHost(target, {}, config, environment);
  const route = await resolveRoute(resolved, {}, config, environment);
  return makePlan(resolved, options, route, environment.env);
}
