/** What hostlists look up on this machine: ClusterShell's groups and the `Host` entries of ssh_config. Each is read when first asked. */
import { lowerAscii } from "../lib/text.js";
import { matchPattern } from "../lib/wildcard.js";
import { LookupProblem, type Lookups } from "../targets/hostlist.js";
import type { ClusterGroups } from "./cluster-groups.js";
import type { Environment } from "./run-program.js";

/** `configFile` is that of `--ssh-config`. */
export function localLookups(env: Environment, configFile: string | null): Lookups {
  let groups: ClusterGroups | null = null;
  let entries: Promise<readonly string[]> | null = null;
  return {
    group: async (name, fromSource) => {
      groups ??= new (await import("./cluster-groups.js")).ClusterGroups(env);
      return await groups.find(name, fromSource);
    },
    aliases: async (pattern) => {
      entries ??= readEntries(env, configFile);
      const wanted = lowerAscii(pattern);
      return (await entries).filter((name) => matchPattern(lowerAscii(name), wanted));
    },
  };
}

/** The names of `Host` lines. Rejects with LookupProblem for a configuration that ssh refuses. */
async function readEntries(env: Environment, configFile: string | null): Promise<readonly string[]> {
  const [{ loadConfig, configSource }, { localEnvironment }, { hostEntries }] = await Promise.all([
    import("../ssh/config/load.js"),
    import("../ssh/config/local-environment.js"),
    import("../ssh/config/host-entries.js"),
  ]);
  try {
    return hostEntries(await loadConfig(configSource(configFile), localEnvironment(env)));
  } catch (error) {
    throw new LookupProblem(error instanceof Error ? error.message : String(error));
  }
}
