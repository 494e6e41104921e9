/** What a record's reader gets of texts that hold halves of characters. */

/** With U+FFFD for each half of a character, as UTF-8 has it. */
export function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

/** The same of every text and key in a JSON value. */
export function wellFormedDeep(value: unknown): unknown {
  if (typeof value === "string") return wellFormed(value);
  if (Array.isArray(value)) return value.map(wellFormedDeep);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [wellFormed(key), wellFormedDeep(item)]),
  );
}
