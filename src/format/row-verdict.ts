/** What of a record's `held` and `health` each of its rows has: what is about its device, and what is about the host. */
import { deviceLabel } from "../conditions/evaluate.js";
import { bySeverity, HEALTH_STATUSES, type Health } from "../contract/health.js";
import type { Held } from "../contract/held.js";
import type { StreamRecord } from "../contract/record.js";
import type { Row } from "./rows/device-rows.js";

export interface RowVerdict {
  readonly held?: readonly Held[];
  readonly health?: Health;
}

const NONE: RowVerdict = {};

/** In the order of `rows`, which are all of one record's. What is about a device without a row is in every row. */
export function verdictsOf({ held, health }: StreamRecord, rows: readonly Row[]): readonly RowVerdict[] {
  if (held === undefined && health === undefined) return rows.map(() => NONE);
  const labels = rows.map(labelOf);
  const known = new Set(labels);
  const isAbout = (device: string | null, label: string | null): boolean => {
    const named = (device ?? "").split(", ").filter((each) => known.has(each));
    return named.length === 0 || (label !== null && named.includes(label));
  };
  return labels.map((label) => {
    const own = held?.filter(({ device }) => isAbout(device, label)) ?? [];
    return {
      ...(own.length === 0 ? {} : { held: own }),
      ...(health === undefined
        ? {}
        : { health: judged(health.findings.filter(({ device }) => isAbout(device, label))) }),
    };
  });
}

function judged(findings: Health["findings"]): Health {
  return { status: bySeverity(findings)[0]?.severity ?? HEALTH_STATUSES[0], findings };
}

function labelOf({ at }: Row): string | null {
  if (at === null || at.device === null) return null;
  return deviceLabel({ section: at.section, device: at.device, position: at.place });
}
