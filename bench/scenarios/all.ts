/** Every scenario, in the order in which they run. */
import { floods } from "./floods.js";
import { growth } from "./growth.js";
import { hostCost } from "./host-cost.js";
import { knownHosts } from "./known-hosts.js";
import { memory } from "./memory.js";
import { oneShot } from "./one-shot.js";
import { output } from "./output.js";
import { profile } from "./profile.js";
import { roundTrips } from "./round-trips.js";
import type { Scenario } from "./scenario.js";
import { soak } from "./soak.js";
import { startUp } from "./start-up.js";
import { steady } from "./steady.js";
import { wire } from "./wire.js";
import { workers } from "./workers.js";

export const SCENARIOS: readonly Scenario[] = [
  startUp,
  wire,
  output,
  knownHosts,
  roundTrips,
  oneShot,
  steady,
  hostCost,
  growth,
  memory,
  profile,
  soak,
  floods,
  workers,
];
