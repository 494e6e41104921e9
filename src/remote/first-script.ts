/** The first script of each host of a run, made once. */
import type { Shim } from "../shims/kit/shim.js";
import type { SessionOptions } from "./found.js";
import { candidatesOf } from "./probe.js";
import { bootstrapScript } from "./script.js";

/** The scripts of a run's hosts differ only in the nonce, so twelve kilobytes are put together and checked once. */
const SCRIPTS = new WeakMap<SessionOptions, Map<string, string>>();
const NONCE_PLACE = "@NONCE@";

/**
 * `hung`: parts that are not asked again since they hung; null where no part of the host's own is asked. `foundBefore`: an
 * earlier round of the probe has found a tool that works.
 */
export function firstScript(
  options: SessionOptions,
  shims: readonly Shim[],
  hung: ReadonlySet<string> | null,
  nonce: string,
  foundBefore = false,
): string {
  const known = SCRIPTS.get(options) ?? new Map<string, string>();
  SCRIPTS.set(options, known);
  const key = [...(hung ?? ["later"]), foundBefore ? "+" : "|", ...shims.map((shim) => shim.id)].join(" ");
  const { sample, systems, intervalMs } = options;
  const script =
    known.get(key) ??
    bootstrapScript({
      nonce: NONCE_PLACE,
      toolTimeoutSecs: sample.toolTimeoutSecs,
      systems: systems.map((each) => ({
        uname: each.uname,
        probe: each.probe(sample.include).filter((part) => hung?.has(part.id) === false),
      })),
      candidates: candidatesOf(
        shims,
        { include: sample.include, mode: "shell", isWaking: sample.wakeGpus === true },
        hung === null ? "later" : "first",
        sample.toolPaths,
      ),
      foundBefore,
      stay: intervalMs !== null,
    });
  known.set(key, script);
  return script.replace(NONCE_PLACE, nonce);
}
