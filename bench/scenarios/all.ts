/** Every scenario, in the order in which they run. */
import { oneShot } from "./one-shot.js";
import type { Scenario } from "./scenario.js";

export const SCENARIOS: readonly Scenario[] = [oneShot];
