/**
 * The public record types: what is printed, one JSON object a line. Only ever added to.
 * Field names and units are those of all-smi's Snapshot schema 1 (bytes, %, degrees C, W, MHz; percentages 0..100).
 * `null` is a reading that the source has but could not give. A section is absent when it was not asked for or does not
 * exist on the host. Each field is described in the tables of fields.ts, from which docs/records.md is written.
 */
export * from "./envelope.js";
export * from "./failure-codes.js";
export * from "./host-devices.js";
export * from "./sections.js";
export { isDeviceLabel, isRecordKey } from "./envelope-fields.js";
