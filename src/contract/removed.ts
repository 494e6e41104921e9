/** The last record of a host that is not watched any more, while the run goes on for the others. */
import type { StreamRecord } from "./envelope.js";

/** Whether the host was taken out of the list: it counts no longer, neither as sound nor as failed. */
export function isRemoval(record: StreamRecord): boolean {
  return record.record === "state" && record.last_error?.code === "removed";
}
