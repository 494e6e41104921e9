/** Facts of hosts that are kept between runs: which store a fleet has, and which place in it a host has. */
import { FactsFiles } from "../cache/facts-files.js";
import type { Connection } from "../contract/connection.js";
import type { FactsStore } from "../contract/facts-store.js";
import type { SampleOptions } from "../contract/options.js";
import type { Clock } from "../lib/clock.js";
import type { FactsPlace } from "../remote/kept-facts.js";

/** Defined by the build, from package.json. */
declare const VERSION_TEXT: string | undefined;

/** Null where the operator wants none, or this program does not know its own version. */
export function keptFacts({ factsFolder }: SampleOptions, clock: Clock): FactsStore | null {
  if (factsFolder === undefined || typeof VERSION_TEXT !== "string") return null;
  return new FactsFiles(factsFolder, VERSION_TEXT.trim(), clock);
}

/**
 * By the key that the host has proven to hold, and the account, whose rights and PATH matter. Containers that share one key
 * differ by address. Null where the client does not report the key: the host cannot be recognised.
 */
export function factsPlace(
  store: FactsStore | null,
  { hostKey }: Pick<Connection, "hostKey">,
  hostId: string,
): FactsPlace | null {
  if (store === null || hostKey === undefined) return null;
  const key = `${hostKey} ${hostId}`;
  return { read: () => store.read(key), write: (facts) => store.write(key, facts) };
}
