/** The first script of each host of a run, made once. */
import type { Shim } from "../shims/kit/shim.js";
import type { SessionOptions } from "./found.js";
import { candidatesOf } from "./probe.js";
import { bootstrapScript } from "./script.js";
import type { KeptInScript } from "./script-plan.js";
import { ScriptWithPlaces, type Script } from "./shell-command.js";

/** The scripts of a run's hosts differ only in these places, so twelve kilobytes are put together and checked once. */
const SCRIPTS = new WeakMap<SessionOptions, Map<string, ScriptWithPlaces>>();
const NONCE_PLACE = "@NONCE@";
const PLACES: KeptInScript = { state: "@KEPT_STATE@", assignments: "@KEPT_ASSIGNMENTS@" };
const NOTHING_KEPT: KeptInScript = { state: "-", assignments: ":" };

/**
 * `hung`: parts that are not asked again since they hung; null where no part of the host's own is asked. `foundBefore`: an
 * earlier round of the probe has found a tool that works. `kept`: from an earlier run, null for nothing.
 */
export function firstScript(
  options: SessionOptions,
  shims: readonly Shim[],
  hung: ReadonlySet<string> | null,
  nonce: string,
  foundBefore = false,
  kept: KeptInScript | null = null,
): Script {
  const known = SCRIPTS.get(options) ?? new Map<string, ScriptWithPlaces>();
  SCRIPTS.set(options, known);
  const key = [...(hung ?? ["later"]), foundBefore ? "+" : "|", ...shims.map((shim) => shim.id)].join(" ");
  const { sample, systems, intervalMs } = options;
  const script =
    known.get(key) ??
    new ScriptWithPlaces(
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
        kept: PLACES,
      }),
      [NONCE_PLACE, PLACES.state, PLACES.assignments],
    );
  known.set(key, script);
  const { state, assignments } = kept ?? NOTHING_KEPT;
  return script.fill([nonce, state, assignments]);
}
