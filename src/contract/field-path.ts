/** Paths of `--fields`: names joined by dots, `gpu.temperature` or `labels.rack`; quoted where a name has other characters. */
import { KEY_OF_SECTION, sectionNamed, type Section } from "./sections.js";

export interface FieldPath {
  /** The section that it begins with, where a field of its devices follows. */
  readonly section: Section | null;
  /** The names after the section, or all of them. */
  readonly keys: readonly string[];
}

const SEGMENT = /"([^"]+)"|'([^']+)'|([^."'\s]+)/y;

/** Null for text that is no path. */
export function fieldPath(text: string): FieldPath | null {
  const names = namesIn(text);
  if (names === null) return null;
  const [first = "", ...rest] = names;
  const section = sectionNamed(first);
  if (section === null) return { section, keys: recordKeys(names) };
  return rest.length === 0 ? { section: null, keys: [KEY_OF_SECTION[section]] } : { section, keys: rest };
}

/** Labels may have dots in their names. */
export function recordKeys(names: readonly string[]): readonly string[] {
  const [first, ...rest] = names;
  return first === "labels" && rest.length > 0 ? [first, rest.join(".")] : names;
}

function namesIn(text: string): readonly string[] | null {
  const names: string[] = [];
  for (let at = 0; ; at += 1) {
    SEGMENT.lastIndex = at;
    const [all, double, single, plain] = SEGMENT.exec(text) ?? [];
    const name = double ?? single ?? plain;
    if (all === undefined || name === undefined) return null;
    names.push(name);
    at += all.length;
    if (at === text.length) return names;
    if (text[at] !== ".") return null;
  }
}
