/** What a health rule is. The tables are in gpu-rules.ts and host-rules.ts. */
import type { Severity } from "../contract/health.js";

/** What a rule finds: nothing to say, a fault, or that a reading which it needs is missing. */
export type Verdict =
  | { readonly kind: "fine" }
  | ({ readonly kind: "found"; readonly message: string } & Particular)
  | { readonly kind: "unknown"; readonly message: string };

/** Where a fault differs from what its rule has for all. */
interface Particular {
  readonly severity?: Severity;
  readonly action?: string;
}

export interface Rule<Subject> {
  /** In records, so never changed. */
  readonly id: string;
  /** Of a fault that names no other. */
  readonly severity: Severity;
  /** When it fires, for the list of rules in the documentation. */
  readonly condition: string;
  /** What an operator does next. */
  readonly action: string;
  /** The document and section that it follows. */
  readonly source: string;
  /** `beside`: all of its kind on the host, itself too, for rules that compare. */
  check(subject: Subject, beside: readonly Subject[]): Verdict;
}

export const FINE: Verdict = { kind: "fine" };

export function found(message: string, severity?: Severity): Verdict {
  return severity === undefined ? { kind: "found", message } : { kind: "found", message, severity };
}

/** For a switch that a device may not have: only `true` is a fault, and a missing one is no finding. */
export function whenTrue(value: unknown, message: string): Verdict {
  return value === true ? found(message) : FINE;
}
