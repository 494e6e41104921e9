/**
 * What a host's last record comes to, for the exit code and for the last line of a run.
 *
 * | last record                                          | outcome     |
 * | ---------------------------------------------------- | ----------- |
 * | a frame without `errors` and without a failed device | ok          |
 * | a frame with `errors`, or a device with `error`      | errors      |
 * | a state                                              | unreachable |
 *
 * What a host cannot have (sensors of its chassis) is an empty section, no entry of `errors`.
 */
import { KEY_OF_SECTION, SECTIONS, type FrameRecord, type StreamRecord } from "../contract/record.js";

export type HostOutcome =
  | { readonly kind: "ok" }
  /** It answered, and something that was asked could not be read. */
  | { readonly kind: "errors"; readonly reason: string }
  /** It has no frame. */
  | { readonly kind: "unreachable"; readonly reason: string };

const OK: HostOutcome = { kind: "ok" };

export function outcomeOf(record: StreamRecord): HostOutcome {
  if (record.record === "state")
    return { kind: "unreachable", reason: record.last_error?.message ?? record.state };
  const [error] = record.errors ?? [];
  if (error !== undefined) return { kind: "errors", reason: `${error.section}: ${error.message}` };
  const failed = failedDevice(record);
  return failed === null ? OK : { kind: "errors", reason: failed };
}

/** Runs for each frame of a fleet, so it makes nothing for a sound one. */
function failedDevice(frame: FrameRecord): string | null {
  for (const section of SECTIONS) {
    const devices = frame[KEY_OF_SECTION[section]];
    if (devices === undefined) continue;
    for (let position = 0; position < devices.length; position++) {
      const failure = failureOf(devices[position]);
      if (failure !== null) return `${section} ${failure.index ?? position}: ${failure.error}`;
    }
  }
  return null;
}

function failureOf(
  device: object | undefined,
): { readonly error: string; readonly index: number | null } | null {
  const { error, index } = (device ?? {}) as { readonly error?: unknown; readonly index?: unknown };
  if (error === undefined || error === null) return null;
  return {
    error: typeof error === "string" ? error : JSON.stringify(error),
    index: typeof index === "number" ? index : null,
  };
}
