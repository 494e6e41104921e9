/** What objects have in common, field by field, in objects inside them too. */
import { isDeepStrictEqual } from "node:util";
import { setOwn } from "../lib/host-json.js";

type Fields = Readonly<Record<string, unknown>>;

/** The fields that all of the objects have with the same value; null where there is none. */
export function commonOf(objects: readonly object[]): object | null {
  const [first, ...others] = objects as readonly Fields[];
  const common = {};
  let isEmpty = true;
  for (const [key, value] of Object.entries(first ?? {})) {
    const shared = others.every((other) => Object.hasOwn(other, key))
      ? sharedValue([value, ...others.map((other) => other[key])])
      : undefined;
    if (shared === undefined) continue;
    setOwn(common, key, shared);
    isEmpty = false;
  }
  return isEmpty ? null : common;
}

/** Of objects that differ, what they share; undefined for values that have nothing in common. */
function sharedValue([first, ...others]: readonly unknown[]): unknown {
  if (others.every((other) => isDeepStrictEqual(other, first))) return first;
  const objects = [first, ...others].filter(isFields);
  return objects.length === others.length + 1 ? (commonOf(objects) ?? undefined) : undefined;
}

/** The object without what `common`, of commonOf, has of it. */
export function withoutCommon(object: object, common: object): object {
  const rest = {};
  for (const [key, value] of Object.entries(object)) {
    if (!Object.hasOwn(common, key)) {
      setOwn(rest, key, value);
      continue;
    }
    const shared: unknown = (common as Fields)[key];
    if (!isFields(value) || !isFields(shared)) continue;
    const left = withoutCommon(value, shared);
    if (Object.keys(left).length > 0) setOwn(rest, key, left);
  }
  return rest;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
