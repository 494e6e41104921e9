/** How the table is painted and with which characters: picocolors for colours, ASCII where nothing else is sure to show. */
import pc from "picocolors";
import type { HealthStatus } from "../../contract/health.js";
import type { HostState } from "../../contract/record.js";
import type { Heat } from "../../health/heat.js";
import type { OutcomeKind } from "../../outcome/host-outcome.js";

export type Paint = (text: string) => string;

export interface Look {
  readonly title: Paint;
  readonly faint: Paint;
  readonly note: Paint;
  readonly bar: Paint;
  readonly state: Readonly<Record<HostState, Paint>>;
  readonly health: Readonly<Record<HealthStatus, Paint>>;
  readonly outcome: Readonly<Record<OutcomeKind, Paint>>;
  readonly heat: Readonly<Record<Heat, Paint>>;
  readonly symbols: Symbols;
}

/** What a bar and a strip are made of. */
export interface Symbols {
  readonly full: string;
  readonly empty: string;
  /** For nothing, and for shares from little to all. */
  readonly steps: readonly string[];
  readonly missing: string;
  readonly degrees: string;
}

const BLOCKS: Symbols = {
  // Lines and low blocks: those of one row do not run into those of the next.
  full: "━",
  empty: "─",
  steps: ["▁", "▂", "▃", "▄", "▅", "▆", "▇"],
  missing: "-",
  degrees: "°C",
};
/** The digit is tens of per cent, 9 for 90 % and more. */
const ASCII: Symbols = {
  full: "#",
  empty: ".",
  steps: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
  missing: "-",
  degrees: "C",
};

export const asIs: Paint = (text) => text;

export function createLook(color: boolean, isAscii = false): Look {
  const { bold, dim, green, yellow, red, magenta, cyan } = pc.createColors(color);
  const health = { ok: green, unknown: magenta, warning: yellow, critical: red };
  return {
    title: bold,
    faint: dim,
    note: yellow,
    bar: cyan,
    state: {
      connecting: dim,
      connected: green,
      "auth-failed": red,
      "host-key-rejected": red,
      timeout: yellow,
      unreachable: red,
      disconnected: yellow,
      unsupported: magenta,
    },
    health,
    outcome: { ...health, errors: yellow, pending: dim, unreachable: red },
    heat: { normal: asIs, warm: yellow, hot: red },
    symbols: isAscii ? ASCII : BLOCKS,
  };
}
