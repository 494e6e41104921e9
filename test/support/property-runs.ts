/** How often a property is tried: as given, or the share in PROPERTY_RUNS, which test/run.ts sets for each command. */
import fc from "fast-check";

const SHARE = Number(process.env["PROPERTY_RUNS"] ?? 1);
/** The same cases each time, for a gate: what it finds is then of the change that it looks at. */
const SEED = process.env["PROPERTY_SEED"];

if (SEED !== undefined) fc.configureGlobal({ seed: Number(SEED) });

export const propertyRuns = (usual: number): number => Math.max(1, Math.ceil(usual * SHARE));
