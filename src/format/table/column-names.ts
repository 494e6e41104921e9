/** The names of all columns. */

/** From left to right, of all views: a view has no cells in the columns of others. */
export const COLUMN_NAMES = [
  ...(["host", "state", "health", "hosts", "sick", "index", "gpus", "device"] as const),
  ...(["utilization", "bar", "strip", "glances", "memory", "temperature", "power"] as const),
  ...(["holders", "idle", "clock", "pcie", "ecc", "cpu", "ram", "note"] as const),
] as const;
export type ColumnName = (typeof COLUMN_NAMES)[number];
