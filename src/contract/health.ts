/** What health rules find in a record. Plain data, part of the public record. */

/** From fine to worst. `unknown`: a reading that a rule needs is missing. */
export const HEALTH_STATUSES = ["ok", "unknown", "warning", "critical"] as const;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];
export type Severity = Exclude<HealthStatus, "ok">;

export interface Finding {
  /** The rule's id, as `nvidia-recovery-action`. */
  readonly rule: string;
  readonly severity: Severity;
  /** As `gpu 3`, or `pci 0000:18:00` where no GPU of that address was read; null where it is the host's. */
  readonly device: string | null;
  /** What was read. */
  readonly message: string;
  /** What to do next. */
  readonly action: string;
  /** When it was first found without a break, RFC 3339. */
  readonly since: string;
}

export interface Health {
  /** The worst of the findings; `ok` without any. */
  readonly status: HealthStatus;
  readonly findings: readonly Finding[];
}

/** Worst first, then as given. */
export function bySeverity<Item extends Pick<Finding, "severity">>(
  findings: readonly Item[],
): readonly Item[] {
  const rank = ({ severity }: Item): number => HEALTH_STATUSES.indexOf(severity);
  return [...findings].sort((a, b) => rank(b) - rank(a));
}
