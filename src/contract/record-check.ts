/** Whether parsed JSON is one of our records, as far as the formatters rely on it. Fields beyond that may hold anything. */
import { hasAtMost } from "../lib/host-json.js";
import {
  HOST_STATES,
  KEY_OF_SECTION,
  MAX_LEVELS,
  SECTIONS,
  type FrameRecord,
  type StateRecord,
  type StreamRecord,
} from "./record.js";

type Fields = Readonly<Record<string, unknown>>;

/** The record, or what is wrong with it. */
export function checkRecord(value: unknown): StreamRecord | string {
  if (!isFields(value)) return "is not a JSON object";
  if (!hasAtMost(MAX_LEVELS, value)) return `is nested more than ${MAX_LEVELS} levels deep`;
  if (value["schema"] !== 1) return "is not an allsmi-ssh record: schema is not 1";
  const wrong = wrongEnvelope(value);
  if (wrong !== null) return `is not an allsmi-ssh record: ${wrong}`;
  if (value["record"] === "device") return "is a row of one device (--rows device), not a record";
  if (isFrame(value)) return value;
  if (isState(value)) return value;
  return "is not an allsmi-ssh record: neither a whole frame nor a whole state";
}

function wrongEnvelope(value: Fields): string | null {
  for (const key of ["timestamp", "host_id", "target", "hostname"]) {
    if (typeof value[key] !== "string") return `${key} is not a text`;
  }
  if (Number.isNaN(Date.parse(String(value["timestamp"])))) return "timestamp is not a time";
  if (!isTick(value["tick"]) && value["tick"] !== null) return "tick is neither a count nor null";
  if (!isFields(value["labels"]) || !Object.values(value["labels"]).every(isText))
    return "labels are not texts";
  if (!HOST_STATES.some((state) => state === value["state"])) return "state is unknown";
  if (!isText(value["transport"]) && value["transport"] !== null)
    return "transport is neither a text nor null";
  return null;
}

function isFrame(value: Fields): value is Fields & FrameRecord {
  return (
    value["record"] === "frame" &&
    value["state"] === "connected" &&
    isTick(value["tick"]) &&
    SECTIONS.every((section) => isAbsentOr(value[KEY_OF_SECTION[section]], isFields)) &&
    isAbsentOr(value["errors"], isSectionError)
  );
}

function isState(value: Fields): value is Fields & StateRecord {
  const error = value["last_error"];
  return (
    value["record"] === "state" &&
    typeof value["attempt"] === "number" &&
    (value["retry_in_ms"] === null || typeof value["retry_in_ms"] === "number") &&
    (error === null || (isFields(error) && isText(error["code"]) && isText(error["message"])))
  );
}

function isSectionError(value: unknown): boolean {
  return (
    isFields(value) &&
    SECTIONS.some((section) => section === value["section"]) &&
    isText(value["kind"]) &&
    isText(value["message"])
  );
}

function isAbsentOr(value: unknown, isElement: (element: unknown) => boolean): boolean {
  return value === undefined || (Array.isArray(value) && value.every(isElement));
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTick(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}
