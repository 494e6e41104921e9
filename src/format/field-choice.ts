/** `--fields` in NDJSON: records and rows with the chosen fields alone, in the order in which they are named. */
import { fieldPath } from "../contract/field-path.js";
import { KEY_OF_SECTION, SECTIONS, type Section } from "../contract/record.js";
import { rowName } from "../contract/row-fields.js";
import { setOwn } from "../lib/host-json.js";

/** By name: what is kept below it; null: all of it. */
type Kept = Map<string, Kept | null>;
type Fields = Readonly<Record<string, unknown>>;

/** A record with what the paths name, its structure as it was; lists keep their lengths. */
export function recordFields(paths: readonly string[]): (record: object) => object {
  const kept: Kept = new Map<string, Kept | null>();
  for (const path of paths.map(fieldPath))
    if (path !== null)
      keep(kept, path.section === null ? path.keys : [KEY_OF_SECTION[path.section], ...path.keys]);
  return (record) => cutTo(record as Fields, kept);
}

/** The same for rows. A path that begins with a section has no effect on the rows of others. */
export function rowFields(paths: readonly string[]): (row: object, section: Section | null) => object {
  const keptIn = (section: Section | null): Kept => {
    const kept: Kept = new Map<string, Kept | null>();
    for (const path of paths.map(fieldPath)) {
      if (path === null) continue;
      const [first = "", ...rest] = path.keys;
      if (path.section === null) keep(kept, path.keys);
      else if (path.section === section) keep(kept, [rowName(section, first) ?? first, ...rest]);
    }
    return kept;
  };
  const bySection = new Map([null, ...SECTIONS].map((each) => [each, keptIn(each)]));
  return (row, section) => cutTo(row as Fields, bySection.get(section) ?? new Map<string, Kept | null>());
}

function keep(kept: Kept, [first, ...rest]: readonly string[]): void {
  if (first === undefined) return;
  const before = kept.get(first);
  if (rest.length === 0 || before === null) {
    kept.set(first, null);
    return;
  }
  const below: Kept = before ?? new Map<string, Kept | null>();
  kept.set(first, below);
  keep(below, rest);
}

function cutTo(from: Fields, kept: Kept): object {
  const cut = {};
  for (const [key, below] of kept) {
    if (!Object.hasOwn(from, key)) continue;
    const value = below === null ? from[key] : cutBelow(from[key], below);
    if (value !== undefined) setOwn(cut, key, value);
  }
  return cut;
}

/** Null stays: it is a reading that is missing. A text or number has no such field. */
function cutBelow(value: unknown, kept: Kept): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((element: unknown) => cutBelow(element, kept) ?? null);
  return typeof value === "object" ? cutTo(value as Fields, kept) : undefined;
}
