/**
 * What a host's last record comes to, for the exit code and for the last line of a run.
 *
 * | last record                                             | outcome                        | exit code |
 * | ------------------------------------------------------- | ------------------------------ | --------- |
 * | a frame without `errors` and without a failed device    | ok                             | ok        |
 * | the same, and the worst finding of `health` is not ok   | unknown or warning             | ok        |
 * | the same, and it is critical                            | critical                       | failed    |
 * | a frame with `errors`, or a device with `error`         | errors                         | failed    |
 * | a state of a host that is connected, and why no reading | errors                         | failed    |
 * | a state without a failure yet                           | pending                        | failed    |
 * | any other state                                         | unreachable                    | failed    |
 *
 * What a host cannot have (sensors of its chassis) is an empty section, no entry of `errors`.
 */
import type { Finding, Severity } from "../contract/health.js";
import {
  KEY_OF_SECTION,
  SECTIONS,
  type FrameRecord,
  type StateRecord,
  type StreamRecord,
} from "../contract/record.js";

/** In the order in which the last line has them. */
export const OUTCOME_KINDS = [
  "ok",
  "unknown",
  "warning",
  "critical",
  "errors",
  "pending",
  "unreachable",
] as const;
export type OutcomeKind = (typeof OUTCOME_KINDS)[number];

export type HostOutcome =
  | { readonly kind: "ok" }
  /** Everything asked was read, and the health rules or expectations found something. */
  | { readonly kind: Severity; readonly reason: string }
  /** It answered, and something that was asked could not be read. */
  | { readonly kind: "errors"; readonly reason: string }
  /** No reading yet, and no failure: it is being connected to, or read for the first time. */
  | { readonly kind: "pending"; readonly reason: string }
  /** It has no frame. */
  | { readonly kind: "unreachable"; readonly reason: string };

const OK: HostOutcome = { kind: "ok" };

export function outcomeOf(record: StreamRecord): HostOutcome {
  if (record.record === "state") return outcomeOfState(record);
  const [error] = record.errors ?? [];
  if (error !== undefined) return { kind: "errors", reason: `${error.section}: ${error.message}` };
  const failed = failedDevice(record);
  if (failed !== null) return { kind: "errors", reason: failed };
  const worst = record.health?.findings[0];
  return worst === undefined ? OK : { kind: worst.severity, reason: findingText(worst) };
}

/** Whether everything that was asked of the host was read. */
export function isComplete(kind: OutcomeKind): boolean {
  return kind === "critical" || succeeds(kind);
}

/** Whether the host counts as a success for the exit code. */
export function succeeds(kind: OutcomeKind): boolean {
  return kind === "ok" || kind === "unknown" || kind === "warning";
}

/** Whether the host answered, and does not let itself be read. */
export function isRefusal(record: StreamRecord): boolean {
  if (record.record === "frame" || record.last_error === null) return false;
  const { state, last_error: error } = record;
  const refuses = state === "auth-failed" || state === "host-key-rejected" || state === "unsupported";
  return refuses || error.code === "connection-refused";
}

/** As `gpu 3: recovery action: Reset`. */
function findingText({ device, message }: Finding): string {
  return device === null ? message : `${device}: ${message}`;
}

function outcomeOfState({ state, last_error: error }: StateRecord): HostOutcome {
  const isConnected = state === "connected";
  if (error !== null) return { kind: isConnected ? "errors" : "unreachable", reason: error.message };
  return { kind: isConnected || state === "connecting" ? "pending" : "unreachable", reason: state };
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
