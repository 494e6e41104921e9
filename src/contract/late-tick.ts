/** A tick without a reading, because that of an earlier tick is still under way. */
import type { StreamRecord } from "./envelope.js";

/** Whether the host is connected and only slow: its tool has not passed its time limit yet. */
export function isLateTick(record: StreamRecord): boolean {
  return record.record === "state" && record.last_error?.code === "sample-overrun";
}
