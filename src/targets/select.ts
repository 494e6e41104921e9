/** `--select rack=r12`: keeps the targets whose labels match. Values may have `*` and `?`. */
import type { Target } from "../contract/target.js";
import { cleanText } from "../lib/text.js";
import { matchPattern } from "../lib/wildcard.js";

export interface Selector {
  readonly key: string;
  /** `key!=value` also matches a target without the label, as in Kubernetes. */
  readonly isNegated: boolean;
  readonly pattern: string;
}

const SELECTOR = /^([A-Za-z_][A-Za-z0-9_.-]*)(!?)=(.*)$/s;
/** A comma before `key=`: one inside a value has no such text after it. */
const BETWEEN = /,(?=[A-Za-z_][A-Za-z0-9_.-]*!?=)/;

/** `key=value` and `key!=value`, more with commas. A text is what is wrong and what to do. */
export function parseSelectors(text: string): readonly Selector[] | string {
  const selectors: Selector[] = [];
  for (const written of text.split(BETWEEN)) {
    const [, key, not, pattern] = SELECTOR.exec(written.trim()) ?? [];
    if (key === undefined || pattern === undefined)
      return `"${cleanText(written)}" is not a selector; write key=value or key!=value`;
    selectors.push({ key, isNegated: not === "!", pattern });
  }
  return selectors;
}

/** Whether every selector matches. */
export function isSelected({ labels }: Target, selectors: readonly Selector[]): boolean {
  return selectors.every(({ key, isNegated, pattern }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    return (value !== undefined && matchPattern(value, pattern)) !== isNegated;
  });
}
