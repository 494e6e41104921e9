/** The script that a host would be sent, as text for a review. */
import type { Target } from "../contract/target.js";
import type { Clock } from "../lib/clock.js";
import { TOOL_SECTIONS } from "../remote/compose.js";
import { firstScript } from "../remote/first-script.js";
import { isNativeShim } from "../remote/probe.js";
import { shimsToTry } from "../shims/registry.js";
import { sessionOptions, sessionsByPaths, toolPathsIn } from "./hosts.js";
import type { FleetSettings } from "./open-fleet.js";

/** In place of the random text that marks the lines of one connection's answers. */
const NONCE = "NONCE";

/**
 * By target the command that its login shell gets first, word for word but for the nonce: it finds the tools and takes the
 * first reading.
 */
export async function firstScripts(
  { sample, length, intervalMs }: FleetSettings,
  targets: readonly Target[],
  clock: Clock,
): Promise<ReadonlyMap<Target, string>> {
  const shims = await shimsToTry(sample.fallback);
  const isOnce = length.kind === "once";
  const session = sessionOptions({ sample, shims, intervalMs: isOnce ? null : intervalMs }, clock);
  const sessionOf = sessionsByPaths(session);
  const isToolWanted = TOOL_SECTIONS.some((section) => sample.include.has(section));
  return new Map(
    targets.map((target) => {
      const { command } = firstScript(sessionOf(target.labels), isToolWanted ? shims : [], new Set(), NONCE);
      return [target, command];
    }),
  );
}

/** By the flags' value: each shim is a module of its own, which costs a look-up each time. */
const SHIMS = new Map<string, ReturnType<typeof shimsToTry>>();

/** Of the hosts that have no paths of their own. */
const NAMES = new WeakMap<FleetSettings["sample"], readonly string[]>();

/** Names of the tools that are looked for on a host, in the order of their trial; with a path where one is given. */
export async function toolNames(
  { sample }: Pick<FleetSettings, "sample">,
  labels: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  if (!TOOL_SECTIONS.some((section) => sample.include.has(section))) return [];
  const fallback = sample.fallback.join();
  const loading = SHIMS.get(fallback) ?? shimsToTry(sample.fallback);
  SHIMS.set(fallback, loading);
  const shims = await loading;
  const ownPaths = toolPathsIn(labels);
  const ofAll = NAMES.get(sample);
  if (ownPaths.length === 0 && ofAll !== undefined) return ofAll;
  const paths = { ...sample.toolPaths, ...Object.fromEntries(ownPaths) };
  const names = shims.map((shim) => {
    const name = isNativeShim(shim) ? "all-smi" : shim.id;
    const path = paths[shim.id];
    return path === undefined ? name : `${name}=${path}`;
  });
  if (ownPaths.length === 0) NAMES.set(sample, names);
  return names;
}
