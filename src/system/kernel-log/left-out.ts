/** The event that stands for events which are not in the record: a record never shows fewer without a notice. */
import type { KernelEvent } from "../../contract/kernel-event.js";
import { MAX_LINES } from "./questions.js";

const REASONS = {
  /** At the first look: what came before is the log's loss, not ours. */
  start: {
    severity: "info",
    message: "older events of this boot are not known: the log does not go back to it, or has too many lines",
    action: "see journalctl -k and the BMC's log on the host for older ones",
  },
  cut: {
    severity: "warning",
    message: `more lines than ${MAX_LINES} came since the last look: only the newest are in the record`,
    action: "look on the host for what floods the kernel log",
  },
  lost: {
    severity: "warning",
    message: "the kernel log lost lines since the last look, or was too long to be read in time",
    action: "look on the host for what floods the kernel log; keep a larger journal or log_buf_len",
  },
} as const satisfies Record<string, Pick<KernelEvent, "severity" | "message" | "action">>;

export function leftOut(reason: keyof typeof REASONS): KernelEvent {
  return { logged_at: null, kind: "left-out", code: null, pci_bus_id: null, pid: null, ...REASONS[reason] };
}
