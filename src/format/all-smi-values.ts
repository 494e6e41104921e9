/** Values as all-smi's reader takes them: it drops the whole frame where one is null, negative or no whole number. */

/** The largest whole number that JSON keeps exact. */
const MAX_BYTES = Number.MAX_SAFE_INTEGER;
const MAX_U32 = 2 ** 32 - 1;
export const MAX_I32 = 2 ** 31 - 1;

/** all-smi's own stand-in for a reading that a source does not have (types.rs, GPU_METRIC_UNAVAILABLE). */
const UNAVAILABLE = -1;

export function isReading(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** A decimal, or all-smi's stand-in. */
export function decimal(value: unknown): number {
  return isReading(value) ? value : UNAVAILABLE;
}

/** A whole number; 0 for fields in which all-smi takes 0 for a missing one. */
export function countOr0(value: unknown, max = MAX_U32): number {
  return isReading(value) && value <= max ? Math.round(value) : 0;
}

/** A whole number or null, for fields that may be missing. */
export function optionalCount(value: unknown, max = MAX_U32): number | null {
  return isReading(value) && value <= max ? Math.round(value) : null;
}

export function optionalDecimal(value: unknown): number | null {
  return isReading(value) ? value : null;
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function optionalText(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

export function objectsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Names the fields of one device for which all-smi wants a number and the source has none. They are 0 in the file and stand
 * in its field `unread`, which all-smi does not read and `--replay` does.
 */
export class Forced {
  readonly #unread: string[] = [];

  bytes(field: string, value: unknown): number {
    return this.#or0(field, isReading(value) && value <= MAX_BYTES ? Math.round(value) : null);
  }

  count(field: string, value: unknown): number {
    return this.#or0(field, optionalCount(value));
  }

  signed(field: string, value: unknown): number {
    const isSound = typeof value === "number" && Math.abs(value) <= MAX_I32;
    return this.#or0(field, isSound ? Math.round(value) : null);
  }

  /** A text that must not be the same for two devices. */
  name(field: string, value: unknown, otherwise: string): string {
    const given = optionalText(value);
    if (given === null) this.#unread.push(field);
    return given ?? otherwise;
  }

  /** To be spread into the device. */
  get note(): { readonly unread?: readonly string[] } {
    return this.#unread.length === 0 ? {} : { unread: this.#unread };
  }

  #or0(field: string, value: number | null): number {
    if (value === null) this.#unread.push(field);
    return value ?? 0;
  }
}
