/** Which GPU of an earlier answer a GPU of this tick is. */
import type { Gpu } from "../../contract/record.js";

interface Identity {
  readonly index: number;
  /** Null: the answer did not have it. */
  readonly uuid: string | null;
}

/** By index, and by uuid where both have one: after a reboot an index may be another board. None for a GPU with an error. */
export function knownOf<Known extends Identity>(
  { index, uuid, error }: Gpu,
  all: readonly Known[],
): Known | undefined {
  if (error !== undefined) return undefined;
  return all.find(
    (known) => known.index === index && (uuid === null || known.uuid === null || known.uuid === uuid),
  );
}
