/** What a case of the fault matrix is, and the row that its run leaves for the table. */
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { FrameRecord, StreamRecord } from "../../../src/contract/record.js";

/** The record by which a fault is noticed. */
export type Expected =
  /** A state with one of these codes. */
  | { readonly kind: "state"; readonly state: string; readonly codes: readonly string[] }
  /** A frame whose GPUs could not be read, or only in part. */
  | { readonly kind: "gpu error"; readonly message: RegExp }
  /** The host is read as if nothing had happened. */
  | { readonly kind: "frames" };

export const failed = (state: string, ...codes: readonly string[]): Expected => ({
  kind: "state",
  state,
  codes,
});
export const gpuError = (message: RegExp): Expected => ({ kind: "gpu error", message });
export const FRAMES: Expected = { kind: "frames" };

/** A host with a fault, as one host of a run. */
export interface FaultyHost {
  /** Lines of ssh_config for the host's alias. */
  readonly config: readonly string[];
  /** Its line of known_hosts, for the name `alias`; empty: none. */
  readonly known: (alias: string) => string;
  /** Begins the fault; absent: it is there from the start. */
  readonly begin?: () => void | Promise<void>;
  /** Ends the fault; the host must have frames without errors again. */
  readonly end?: () => void | Promise<void>;
  /** A check of its own when all is over. */
  readonly after?: () => void | Promise<void>;
  readonly stop?: () => Promise<void>;
}

export interface HostCase {
  readonly name: string;
  readonly expected: Expected;
  readonly arrange: () => Promise<FaultyHost>;
  /** The fault lasts so much longer, and the host must stay connected all the while. */
  readonly lastsMs?: number;
}

/** Whether a record of the faulty host is the expected one. */
export function matches(expected: Expected, record: StreamRecord): boolean {
  switch (expected.kind) {
    case "frames":
      return record.record === "frame" && record.gpus !== undefined && gpuErrors(record).length === 0;
    case "gpu error":
      return (
        record.record === "frame" && gpuErrors(record).some(({ message }) => expected.message.test(message))
      );
    case "state":
      return (
        record.record === "state" &&
        record.state === expected.state &&
        record.last_error !== null &&
        expected.codes.includes(record.last_error.code)
      );
  }
}

export function isClean(record: StreamRecord): boolean {
  return record.record === "frame" && record.gpus !== undefined && record.errors === undefined;
}

function gpuErrors(frame: FrameRecord): NonNullable<FrameRecord["errors"]> {
  return (frame.errors ?? []).filter(({ section }) => section === "gpu");
}

export function expectedText(expected: Expected): string {
  switch (expected.kind) {
    case "frames":
      return "frames go on";
    case "gpu error":
      return "frame with a gpu error";
    case "state":
      return `${expected.state} (${expected.codes.join(" or ")})`;
  }
}

/** One line of the table. Seconds; null: not measured for this case. */
export interface Row {
  readonly group: string;
  readonly name: string;
  readonly expected: string;
  readonly noticedSecs: number | null;
  readonly recoveredSecs: number | null;
  /** Frames of the healthy hosts beside it, and the ticks of that time. */
  readonly kept: readonly [frames: number, ticks: number] | null;
  readonly problem: string | null;
}

/** Where rows of one run of all cases are collected. */
export const ROWS_FILE = fileURLToPath(new URL("../../../.build/faults.ndjson", import.meta.url));

export function addRow(row: Row): void {
  mkdirSync(dirname(ROWS_FILE), { recursive: true });
  appendFileSync(ROWS_FILE, `${JSON.stringify(row)}\n`);
}
