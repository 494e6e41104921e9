/**
 * The space that V8 gives to young objects. It doubles that up to 32 MiB, which a small fleet never needs: the same few
 * megabytes of garbage a tick lie in more memory. How much it may take can be set only before V8 starts, by a flag of node;
 * by how much it grows can be set at any time.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import type { Clock, Timer } from "../lib/clock.js";

/** Both halves. More hosts get V8's own limit: a burst of their answers would be copied again and again (bench/README.md). */
const ENOUGH_BYTES = 8 * 1024 * 1024;
/** From this size on a fleet is watched on a thread that has its own limit, or needs the space. */
const MAX_SMALL_FLEET = 64;
const FIRST_LOOKS_MS = 250;
const LATER_LOOKS_MS = 5000;
/** Logins and the first readings are over by then. */
const FIRST_LOOKS = 80;

/** For a process that watches a small fleet: looks now and then, until there is enough, and stops the growth then. */
export function limitYoungSpace(hosts: number, clock: Clock): Timer {
  let next: Timer | null = null;
  let looks = 0;
  const look = (): void => {
    next = null;
    looks += 1;
    if (youngBytes() >= ENOUGH_BYTES) setFlagsFromString("--semi-space-growth-factor=1");
    else next = clock.after(looks < FIRST_LOOKS ? FIRST_LOOKS_MS : LATER_LOOKS_MS, look);
  };
  if (hosts <= MAX_SMALL_FLEET) look();
  return { cancel: () => next?.cancel() };
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? 0;
}
