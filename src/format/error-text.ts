/** Errors of records in words. Replayed records may hold anything in these places. */
import type { LastError, SectionError, StateRecord } from "../contract/record.js";

/** As `timeout: nvidia-smi gave no answer within 10 s (exit code 124)`. */
export function sectionErrorText(error: SectionError): string {
  const end =
    error.exit_code !== undefined
      ? ` (exit code ${error.exit_code})`
      : error.exit_signal !== undefined
        ? ` (${error.exit_signal})`
        : "";
  return `${error.kind}: ${error.message}${end}`;
}

/** As `connection-refused: connect ECONNREFUSED 10.0.0.7:22`. */
function lastErrorText(error: LastError): string {
  return error.message === "" ? error.code : `${error.code}: ${error.message}`;
}

/** Why a host has no frame; "" for the news that it has been connected. */
export function stateText(record: StateRecord): string {
  if (record.last_error !== null) return lastErrorText(record.last_error);
  return record.state === "connected" ? "" : `${record.state}, attempt ${record.attempt}`;
}
