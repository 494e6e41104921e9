/**
 * Descriptions of record fields, checked against the TypeScript types: a field that is in the type and not in its table
 * is a compile error, and so is the reverse, a wrong type, a missing `nullable` or a missing enum value.
 */

/** The types of JSON Schema. An integer is a number without decimals. */
export type JsonType = "string" | "number" | "integer" | "boolean" | "array" | "object";

export type Unit = "bytes" | "bytes/s" | "%" | "°C" | "W" | "J" | "MHz" | "MiB" | "rpm" | "s" | "ms" | "µs";

/** What a value looks like, without its name. */
export interface Shape {
  /** Several where the value has one of them. */
  readonly type: JsonType | readonly JsonType[];
  /** Whether null may stand for it. */
  readonly nullable?: true;
  /** Each value that an enum has, with its meaning. */
  readonly values?: Readonly<Record<string, string>>;
  /** The elements of an array. */
  readonly items?: Shape;
  /** The fields of an object with known keys. */
  readonly fields?: FieldMap;
  /** The values of an object with any keys. */
  readonly entries?: Shape;
}

interface Description {
  /** One sentence for the field reference. */
  readonly text: string;
  readonly unit?: Unit;
  /** What a text is, as JSON Schema names it. */
  readonly format?: "date-time";
  /** Whether the default CSV layout has a column for it. The columns have the order of the table. */
  readonly csv?: true;
}

/** One field of a record, of a device or of an object inside one. */
export interface Field extends Shape, Description {
  /** Absent where the source has no such reading; a field that is not optional is there, or null. */
  readonly optional?: true;
}

export type FieldMap = Readonly<Record<string, Field>>;

/** The table that describes exactly the fields of T. Use it with `satisfies`. */
export type FieldTable<T> = {
  readonly [Key in keyof T]-?: Description & Optional<T, Key> & ShapeOf<Exclude<T[Key], undefined>>;
};

type Optional<T, Key extends keyof T> =
  Partial<Pick<T, Key>> extends Pick<T, Key> ? { readonly optional: true } : { readonly optional?: never };

type ShapeOf<Value> = (null extends Value ? { readonly nullable: true } : { readonly nullable?: never }) &
  TypeOf<Exclude<Value, null>>;

// The brackets stop TypeScript from checking each member of a union separately.
type TypeOf<Value> = [Value] extends [number]
  ? number extends Value
    ? { readonly type: "number" | "integer" }
    : { readonly type: "integer"; readonly values: Readonly<Record<Value, string>> }
  : [Value] extends [string]
    ? string extends Value
      ? { readonly type: "string" }
      : { readonly type: "string"; readonly values: Readonly<Record<Value, string>> }
    : [Value] extends [boolean]
      ? { readonly type: "boolean" }
      : [Value] extends [readonly (infer Item)[]]
        ? { readonly type: "array"; readonly items: ShapeOf<Item> }
        : [Value] extends [object]
          ? ObjectOf<Value>
          : { readonly type: readonly JsonType[] };

/** `object` itself has no known keys: all-smi's own structures, which are passed on as they are. */
type ObjectOf<Value> = [keyof Value] extends [never]
  ? { readonly type: "object"; readonly fields?: never }
  : string extends keyof Value
    ? { readonly type: "object"; readonly entries: ShapeOf<Value[keyof Value]> }
    : { readonly type: "object"; readonly fields: FieldTable<Value> };
