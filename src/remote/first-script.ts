/** The first script of each host of a run, made once. */
import type { Shim } from "../shims/kit/shim.js";
import type { SessionOptions } from "./found.js";
import { candidatesOf } from "./probe.js";
import { bootstrapScript } from "./script.js";

/** Hosts of a run are asked the same but for the nonce: ten kilobytes that are put together and checked once. */
const COMMANDS = new WeakMap<SessionOptions, Map<string, string>>();
const ANY_NONCE = "any";

/** `left`: parts that are not asked again since they hung; null where no part of the host's own is. */
export function firstScript(
  options: SessionOptions,
  shims: readonly Shim[],
  left: ReadonlySet<string> | null,
  nonce: string,
): string {
  const known = COMMANDS.get(options) ?? new Map<string, string>();
  COMMANDS.set(options, known);
  const key = [...(left ?? ["later"]), "|", ...shims.map((shim) => shim.id)].join(" ");
  const { sample, systems, intervalMs } = options;
  const command =
    known.get(key) ??
    bootstrapScript({
      nonce: ANY_NONCE,
      toolTimeoutSecs: sample.toolTimeoutSecs,
      systems: systems.map((each) => ({
        uname: each.uname,
        probe: each.probe(sample.include).filter((part) => left?.has(part.id) === false),
      })),
      candidates: candidatesOf(shims, { include: sample.include, mode: "shell" }),
      stay: intervalMs !== null,
    });
  known.set(key, command);
  return command.replace(`N=${ANY_NONCE};`, `N=${nonce};`);
}
