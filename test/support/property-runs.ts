/** How often a property is tried: in full by default, or the share in PROPERTY_RUNS (0.2 in the working loop). */
const SHARE = Number(process.env["PROPERTY_RUNS"] ?? 1);

export const propertyRuns = (full: number): number => Math.max(1, Math.ceil(full * SHARE));
