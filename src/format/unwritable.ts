/** A record that cannot be written is replaced by a state of its host. Records of other hosts are not affected. */
import { hostErrorOf } from "../contract/errors.js";
import type { StateRecord, StreamRecord } from "../contract/record.js";

/** Takes a record that could not be written, and why; gives the one that is written in its place. */
export type Unwritable = (record: StreamRecord, error: unknown) => StreamRecord;

/** The state of a record's host, for the same tick, when the record cannot be written. */
export function insteadOf(record: StreamRecord, error: unknown, isOnce: boolean): StateRecord {
  return {
    schema: 1,
    record: "state",
    timestamp: record.timestamp,
    tick: record.tick,
    host_id: record.host_id,
    target: record.target,
    hostname: record.hostname,
    labels: record.labels,
    transport: record.transport,
    ...(record.ssh_client === undefined ? {} : { ssh_client: record.ssh_client }),
    ...(record.channel === undefined ? {} : { channel: record.channel }),
    state: "disconnected",
    previous_state: record.state,
    attempt: 1,
    consecutive_failures: 1,
    since: record.timestamp,
    // The host is still connected: its next record is tried as usual.
    retry_in_ms: isOnce ? null : 0,
    last_error: hostErrorOf(error, "sample").failure,
  };
}

/**
 * `write` of all records. Where that throws, each is first tried by itself, without effect, to find those that fail:
 * `write` must keep nothing of a call. Throws without `unwritable`.
 */
export function writeSound<Written>(
  records: readonly StreamRecord[],
  write: (records: readonly StreamRecord[]) => Written,
  unwritable: Unwritable | undefined,
): Written {
  try {
    return write(records);
  } catch (error) {
    if (unwritable === undefined) throw error;
    return write(soundOnes(records, write, unwritable));
  }
}

/** The records, with those replaced for which `write` throws. */
export function soundOnes(
  records: readonly StreamRecord[],
  write: (records: readonly StreamRecord[]) => unknown,
  unwritable: Unwritable,
): readonly StreamRecord[] {
  return records.map((record) => {
    try {
      write([record]);
      return record;
    } catch (error) {
      return unwritable(record, error);
    }
  });
}
