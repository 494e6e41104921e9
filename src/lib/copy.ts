/**
 * A shallow copy of a plain object that is about to get more keys. To add a key to what `{ ...value }` gave costs V8 several
 * microseconds each time, since such an object's shape is not shared; key by key it costs a tenth.
 */
export function copyToExtend<Plain extends object>(value: Plain): Plain {
  const copy: Record<string, unknown> = {};
  for (const key in value) copy[key] = value[key];
  return copy as Plain;
}
