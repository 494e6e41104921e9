/** How often a property is tried: as given, or the share in PROPERTY_RUNS: 0.2 in the working loop, 10 in `npm run test:long`. */
const SHARE = Number(process.env["PROPERTY_RUNS"] ?? 1);

export const propertyRuns = (usual: number): number => Math.max(1, Math.ceil(usual * SHARE));
