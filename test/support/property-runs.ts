/** How often a property is tried: in full by default, a share of it where PROPERTY_RUNS says so (the working loop). */
const SHARE = Number(process.env["PROPERTY_RUNS"] ?? 1);

export const propertyRuns = (full: number): number => Math.max(1, Math.ceil(full * SHARE));
