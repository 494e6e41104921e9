/** A frame as rows: one a device, and one for each error that belongs to no device. */
import {
  KEY_OF_SECTION,
  withExtras,
  type FrameRecord,
  type NativeExtras,
  type Section,
  type SectionError,
} from "../contract/record.js";

/** A device's fields, by name. Replayed and native ones may hold anything. */
export type Device = NativeExtras;

export interface DeviceRow {
  readonly section: Section;
  /** The device's own index, else its place in the list; null for an error without a device. */
  readonly index: number | null;
  readonly device: Device | null;
  readonly errors: readonly SectionError[];
  /** What the device itself said instead of readings. */
  readonly said: string | null;
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
      const said = device["error"];
      rows.push({
        section,
        index,
        device,
        errors: own,
        said: typeof said === "string" && said !== "" ? said : null,
      });
    }
    for (const error of errors)
      rows.push({ section, index: null, device: null, errors: [error], said: null });
  }
  return rows;
}
