/** How far a fleet is with its first connections, in a line. Pure. */
import { cleanText } from "../lib/text.js";
import { OUTCOME_KINDS } from "./host-outcome.js";
import type { Counts } from "./tally.js";

export interface Connecting {
  /** All hosts of the run. */
  readonly total: number;
  /** Hosts whose last record is a frame. */
  readonly connected: number;
  /** Hosts that answered with a refusal: of the connection, the login or their host key, or for lack of a tool. */
  readonly refused: number;
  /** Hosts that cannot be reached for another reason. */
  readonly failed: number;
  /** Hosts without any outcome yet. */
  readonly underWay: number;
}

/** `parts` are the parts of one fleet. */
export function connectingIn(parts: readonly Counts[], total: number): Connecting {
  const sum = (of: (counts: Counts) => number): number => parts.reduce((all, each) => all + of(each), 0);
  const unreachable = sum(({ byKind }) => byKind.unreachable);
  const refused = sum((counts) => counts.refused);
  const pending = sum(({ byKind }) => byKind.pending);
  const seen = sum(({ byKind }) => OUTCOME_KINDS.reduce((all, kind) => all + byKind[kind], 0));
  const connected = seen - unreachable - pending;
  return {
    total,
    connected,
    refused,
    failed: unreachable - refused,
    underWay: Math.max(0, total - connected - unreachable),
  };
}

/** More hosts are not named. */
export const MAX_AWAITED = 5;

/**
 * As `connected 214 of 300, 3 refused, 83 under way`; with the last hosts that are waited for, where `columns` have space:
 * `connected 298 of 300, 2 under way for 12 s: dgx-07, dgx-09`.
 */
export function progressText(
  { total, connected, refused, failed, underWay }: Connecting,
  {
    awaited,
    secs,
    columns,
  }: { readonly awaited: readonly string[]; readonly secs: number; readonly columns: number },
): string {
  const parts = [
    `connected ${connected} of ${total}`,
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(failed > 0 ? [`${failed} not reached`] : []),
    `${underWay} under way`,
  ];
  const plain = parts.join(", ");
  if (underWay > MAX_AWAITED || awaited.length < underWay) return plain.slice(0, columns);
  const named = cleanText(`${plain} for ${Math.round(secs)} s: ${awaited.join(", ")}`);
  return (named.length <= columns ? named : plain).slice(0, columns);
}
