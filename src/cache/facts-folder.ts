/** The folder of the facts that are kept between runs. */
import { isAbsolute, join } from "node:path";

/**
 * `$XDG_CACHE_HOME/allsmi-ssh`, else `~/.cache/allsmi-ssh` (XDG Base Directory Specification 0.8: a path that is not
 * absolute does not count). Null where the environment names neither: then nothing is kept.
 */
export function factsFolder(env: Readonly<Record<string, string | undefined>>): string | null {
  const { XDG_CACHE_HOME: cache = "", HOME: home = "" } = env;
  if (isAbsolute(cache)) return join(cache, "allsmi-ssh");
  return isAbsolute(home) ? join(home, ".cache", "allsmi-ssh") : null;
}
