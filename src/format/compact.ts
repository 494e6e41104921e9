/**
 * `--compact`: the same contract with defaults. A device's field that is left out is null, its labels are those of its
 * record, and what all devices of a section have in common stands once, in `defaults`. The envelope and states are whole.
 * contract/expand-compact.ts is the way back.
 */
import { DEFAULTS_KEY } from "../contract/envelope-fields.js";
import { isDeviceLabel, KEY_OF_SECTION, SECTIONS, type StreamRecord } from "../contract/record.js";
import { setOwn } from "../lib/host-json.js";
import { commonOf, withoutCommon } from "./common-fields.js";

/** `shown`: what is printed of the record, where that is a part of it. */
export function compactRecord(record: StreamRecord, shown: object = record): object {
  if (record.record === "state") return shown;
  const compact: Record<string, unknown> = { ...shown };
  const defaults: Record<string, unknown> = {};
  for (const section of SECTIONS) {
    const key = KEY_OF_SECTION[section];
    const devices = compact[key];
    if (!Array.isArray(devices)) continue;
    const lean = (devices as readonly object[]).map((device) => withoutNulls(device, isDeviceLabel));
    const common = lean.length > 1 ? commonOf(lean) : null;
    compact[key] = common === null ? lean : lean.map((device) => withoutCommon(device, common));
    if (common !== null) defaults[key] = common;
  }
  if (Object.keys(defaults).length > 0) compact[DEFAULTS_KEY] = defaults;
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
