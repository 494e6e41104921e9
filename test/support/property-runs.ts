/** How often a property is tried: as given, or the share in PROPERTY_RUNS, which test/run.ts sets for each command. */
const SHARE = Number(process.env["PROPERTY_RUNS"] ?? 1);

export const propertyRuns = (usual: number): number => Math.max(1, Math.ceil(usual * SHARE));
