/** Where a `--fail-on` condition held. Part of the public record. */
export interface Held {
  /** As typed. */
  readonly condition: string;
  /** As `gpu 3`; null where it is the host's. */
  readonly device: string | null;
  /** The readings that made it true, as `temperature 87 > 85`. */
  readonly reason: string;
}
