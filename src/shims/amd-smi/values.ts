/** One value of amd-smi's JSON: plain, or {"value", "unit"}; "N/A" may replace a value, the `value` inside, or a section. */
import { at, isObject } from "../kit/json-text.js";

/** `value` and `unit` as one cell; anything else unchanged. */
export function unwrapped(raw: unknown): unknown {
  if (!isObject(raw)) return raw;
  const value = at(raw, "value");
  const unit = at(raw, "unit");
  return typeof value === "number" && typeof unit === "string" ? `${String(value)} ${unit}` : value;
}

type Path = readonly string[];

/** The value at the first path that has one; paths differ between releases. */
export function read<T>(
  item: unknown,
  cell: (raw: unknown) => T | null,
  ...paths: readonly Path[]
): T | null {
  for (const path of paths) {
    const value = cell(unwrapped(at(item, ...path)));
    if (value !== null) return value;
  }
  return null;
}
