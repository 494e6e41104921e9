/** A record as rows: one for each device, one for each error without a device, one for a state. Errors as text. */
import {
  KEY_OF_SECTION,
  withExtras,
  type FrameRecord,
  type LastError,
  type NativeExtras,
  type Section,
  type SectionError,
  type StateRecord,
  type StreamRecord,
} from "../../contract/record.js";

/** A device's fields, by name. Replayed and native ones may hold anything. */
export type Device = NativeExtras;

/** What one row is about. */
export interface Row {
  readonly record: StreamRecord;
  /** Null for a state, and for a frame that has neither devices nor errors. */
  readonly at: DeviceRow | null;
  /** Why there is no reading; "" where nothing is wrong. */
  readonly error: string;
}

/** Never empty: a host without a reading has a row that shows it. */
export function rowsOf(record: StreamRecord, sections: readonly Section[]): readonly Row[] {
  if (record.record === "state") return [{ record, at: null, error: stateText(record) }];
  const rows = deviceRows(record, sections).map((at) => ({
    record,
    at,
    error: [...(at.failure === null ? [] : [at.failure]), ...at.errors.map(sectionErrorText)].join("; "),
  }));
  return rows.length > 0 ? rows : [{ record, at: null, error: "" }];
}

export interface DeviceRow {
  readonly section: Section;
  /** The device's own index, else its place in the list; null for an error without a device. */
  readonly index: number | null;
  /** Its place in the list; 0 for an error without a device. */
  readonly place: number;
  readonly device: Device | null;
  readonly errors: readonly SectionError[];
  /** What the tool printed for the device in place of readings. */
  readonly failure: string | null;
}

/** In the order of `sections`, then of the frame. Empty where the frame has no device and no error of these. */
export function deviceRows(frame: FrameRecord, sections: readonly Section[]): readonly DeviceRow[] {
  const rows: DeviceRow[] = [];
  for (const section of sections) {
    const devices: readonly object[] = frame[KEY_OF_SECTION[section]] ?? [];
    let errors = (frame.errors ?? []).filter((error) => error.section === section);
    for (const [place, item] of devices.entries()) {
      const device = withExtras(item);
      const index = typeof device["index"] === "number" ? device["index"] : place;
      const names = [device["uuid"], device["pci_bus_id"], String(index)];
      const own = errors.filter((error) => error.device !== undefined && names.includes(error.device));
      if (own.length > 0) errors = errors.filter((error) => !own.includes(error));
      const failure = device["error"];
      rows.push({
        section,
        index,
        place,
        device,
        errors: own,
        failure: typeof failure === "string" && failure !== "" ? failure : null,
      });
    }
    for (const error of errors)
      rows.push({ section, index: null, place: 0, device: null, errors: [error], failure: null });
  }
  return rows;
}

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

/** Why a host has no frame; "" for the transition to connected. */
export function stateText(record: StateRecord): string {
  if (record.last_error !== null) return lastErrorText(record.last_error);
  return record.state === "connected" ? "" : `${record.state}, attempt ${record.attempt}`;
}
