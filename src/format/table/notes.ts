/** What is wrong with a host and with each of its GPUs, as short texts for a row's note. */
import { HEALTH_STATUSES, type Finding, type HealthStatus } from "../../contract/health.js";
import type { FrameRecord, StateRecord } from "../../contract/record.js";
import { sectionErrorText, stateText, type DeviceRow } from "../rows/device-rows.js";

interface RowError {
  /** The tool's own. */
  readonly message: string;
  /** The same as a note. */
  readonly text: string;
}

/** What was found, worst first, and the errors that no finding is about. */
export function notesOf(findings: readonly Finding[], errors: readonly RowError[]): readonly string[] {
  const isFound = ({ message }: RowError): boolean =>
    message !== "" && findings.some((finding) => finding.message.includes(message));
  const rest = errors.filter((error) => !isFound(error));
  return [...findings.map(({ message }) => message), ...rest.map(({ text }) => text)];
}

export function worstOf(findings: readonly Finding[]): HealthStatus {
  const ranks = findings.map(({ severity }) => HEALTH_STATUSES.indexOf(severity));
  return HEALTH_STATUSES[Math.max(0, ...ranks)] ?? HEALTH_STATUSES[0];
}

/** As findings name a device. */
export function deviceName({ section, index }: DeviceRow): string {
  return `${section} ${index}`;
}

export function gpuErrors({ failure, errors }: DeviceRow): readonly RowError[] {
  const own = failure === null ? [] : [{ message: failure, text: failure }];
  return [...own, ...errors.map((error) => ({ message: error.message, text: sectionErrorText(error) }))];
}

/** The errors of a frame that are in no GPU's row. */
export function hostErrors(frame: FrameRecord, gpus: readonly DeviceRow[]): readonly RowError[] {
  const shown = new Set(gpus.flatMap((row) => row.errors));
  return (frame.errors ?? [])
    .filter((error) => !shown.has(error))
    .map((error) => ({
      message: error.message,
      text: `${error.section} ${sectionErrorText(error)}`,
    }));
}

/** The state's text, without what the row shows already: the host's id, and a code that is the state's name. */
export function stateNote(record: StateRecord): string {
  const text = [`${record.state}: `, `${record.state}, `, `${record.host_id}: `].reduce(
    (rest, known) => (rest.startsWith(known) ? rest.slice(known.length) : rest),
    stateText(record),
  );
  if (record.retry_in_ms === null || record.state === "connected") return text;
  return `${text}; retry in ${Math.max(0, Math.ceil(record.retry_in_ms / 1000))} s`;
}
