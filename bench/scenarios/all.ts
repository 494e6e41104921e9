/** Every scenario, in the order in which they run. */
import { growth } from "./growth.js";
import { oneShot } from "./one-shot.js";
import type { Scenario } from "./scenario.js";
import { startUp } from "./start-up.js";
import { steady } from "./steady.js";

export const SCENARIOS: readonly Scenario[] = [startUp, oneShot, steady, growth];
