/**
 * One copy of equal values for a whole fleet: a thousand hosts of one kind have the same texts, lists and tables. For values
 * that are kept as long as a session and never changed.
 */
import { createHash } from "node:crypto";

/** Where so many were kept, those that nobody uses any more are dropped. */
const MAX_KEPT = 4096;
const MAX_KEY_CHARS = 200;
/** By JSON text, or where that is long by its digest. */
const kept = new Map<string, WeakRef<object>>();

/**
 * The same text as V8's one copy of it, which V8 keeps for names of properties as long as anything uses it. It holds on to
 * no longer text that it was cut from.
 */
export function sharedText(text: string): string {
  const names = Object.create(null) as Record<string, true>;
  names[text] = true;
  const [name] = Object.keys(names);
  return name ?? text;
}

/**
 * A value equal to `value`, with its keys in the same order: an earlier one where there is one, which others use too. It
 * must be what JSON can hold: objects, lists, texts, finite numbers, true, false, null.
 */
export function sharedValue<Value extends object>(value: Value): Value {
  const text = JSON.stringify(value);
  const key = text.length <= MAX_KEY_CHARS ? text : createHash("sha256").update(text).digest("base64");
  const same = kept.get(key)?.deref();
  // Equal JSON is an equal value, of whichever type its callers know it to be.
  if (same !== undefined) return same as Value;
  if (kept.size >= MAX_KEPT) dropUnused();
  const own = ownTexts(value) as Value;
  kept.set(key, new WeakRef(own));
  return own;
}

/** The value with texts that hold on to nothing else. */
function ownTexts(value: unknown): unknown {
  if (typeof value === "string") return sharedText(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(ownTexts);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, ownTexts(each)]));
}

function dropUnused(): void {
  for (const [key, ref] of kept) if (ref.deref() === undefined) kept.delete(key);
  // Hosts that all differ share nothing.
  if (kept.size >= MAX_KEPT) kept.clear();
}
