/**
 * `--compact`: the same contract with defaults. A device's field that is left out is null, and its labels are those of its
 * record. The envelope and states are whole, so that `--replay` reads them.
 */
import { isDeviceLabel, KEY_OF_SECTION, SECTIONS, type StreamRecord } from "../contract/record.js";
import { setOwn } from "../lib/host-json.js";

/** The record without nulls in devices, and without the labels that repeat it. */
export function compactRecord(record: StreamRecord): object {
  if (record.record === "state") return record;
  const compact: Record<string, unknown> = { ...record };
  for (const section of SECTIONS) {
    const key = KEY_OF_SECTION[section];
    const devices: readonly object[] | undefined = record[key];
    if (devices !== undefined) compact[key] = devices.map((device) => withoutNulls(device, isDeviceLabel));
  }
  return compact;
}

/** An object without nulls, in objects inside it too. Elements of lists stay, nulls too: they stand for places. */
export function withoutNulls(object: object, isLeftOut: (key: string) => boolean = () => false): object {
  const kept: Record<string, unknown> = {};
  for (const key of Object.keys(object)) {
    const value: unknown = Reflect.get(object, key);
    if (value === null || value === undefined || isLeftOut(key)) continue;
    const whole = typeof value === "object" ? deep(value) : value;
    // An assignment to this name would set the prototype.
    if (key === "__proto__") setOwn(kept, key, whole);
    else kept[key] = whole;
  }
  return kept;
}

function deep(value: object): object {
  if (!Array.isArray(value)) return withoutNulls(value);
  return value.map((element: unknown) =>
    typeof element === "object" && element !== null ? deep(element) : element,
  );
}
