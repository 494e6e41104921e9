/** The jump hosts on the way to a host, each resolved by the configuration itself. */
import { ConfigError } from "./config-error.js";
import type { ConfigEnvironment } from "./environment.js";
import type { HostConfig } from "./host-config.js";
import type { LoadedConfig } from "./load.js";
import type { Overrides } from "./resolve.js";
import { settleHost } from "./settle.js";

const MAX_JUMPS = 32;

/**
 * All jump hosts from the first that we dial to the last before `target`. ssh runs `ssh -J a,b -W [host]:port c` for
 * `ProxyJump a,b,c`: the chain replaces the jumps of b and c in the files, while a may have jumps (or a ProxyCommand) of
 * its own. Throws ConfigError, also for a route that is a circle.
 */
export async function resolveRoute(
  target: HostConfig,
  overrides: Pick<Overrides, "options">,
  config: LoadedConfig,
  environment: ConfigEnvironment,
): Promise<readonly HostConfig[]> {
  const route: HostConfig[] = [];
  let current = target;
  while (current.proxy.kind === "jump") {
    const { hops } = current.proxy;
    const nearest = hops.at(-1);
    if (nearest === undefined) break;
    if (route.length >= MAX_JUMPS) {
      const message = `jumphost loop on the way to ${target.originalHost} via ${nearest.host}`;
      throw new ConfigError([{ file: null, line: null, message, ofHost: true }]);
    }
    const before = hops.slice(0, -1);
    const jump = before.length === 0 ? {} : { jump: before };
    current = await settleHost(nearest, { ...overrides, ...jump, purpose: "forward" }, config, environment);
    route.unshift(current);
  }
  return route;
}
