/**
 * `--format all-smi-record`: what `all-smi record` writes and `all-smi view --replay` plays (0.28.1, src/record/,
 * src/snapshot/options.rs): a line with the hosts, then one line a tick with the devices of all hosts, since each line
 * replaces the whole picture. docs/all-smi.md has what becomes of each part of a record.
 */
import {
  KEY_OF_SECTION,
  NATIVE_SECTIONS,
  type DeviceLabels,
  type NativeSection,
  type StateRecord,
  type StreamRecord,
} from "../contract/record.js";
import { safeJson } from "../lib/safe-json.js";
import { WRITE_DEVICE } from "./all-smi-devices.js";
import { isObject } from "./all-smi-values.js";
import type { Formatter, FormatterOptions } from "./formatter.js";
import { TickBlocks } from "./tick-blocks.js";
import { writeSound } from "./unwritable.js";

/** all-smi leaves a longer line out without a message (src/record/replay.rs, MAX_LINE_BYTES). */
const MAX_LINE_BYTES = 16 * 2 ** 20;
/** It takes no more from the first line (MAX_HEADER_HOSTS). */
const MAX_HEADER_HOSTS = 1024;

export function createAllSmiRecordFormatter({
  hostCount,
  unwritable,
}: Pick<FormatterOptions, "hostCount" | "unwritable">): Formatter {
  const ticks = new TickBlocks(hostCount);
  let hasHeader = false;
  const text = (block: readonly StreamRecord[]): string => {
    const line = writeSound(block, frameLine, unwritable);
    const header = hasHeader ? "" : headerLine(block);
    hasHeader = true;
    return header + line;
  };
  return {
    format: (records) => ticks.take(records).map(text).join(""),
    end: () => ticks.rest().map(text).join(""),
  };
}

function headerLine(block: readonly StreamRecord[]): string {
  const hosts = block.slice(0, MAX_HEADER_HOSTS).map(({ host_id }) => host_id);
  return lineOf({ schema: 1, header: true, hosts, recorded_by: "allsmi-ssh" });
}

/** What is left out of a line that all-smi would not read, the largest part first. */
const SHORTER: readonly ((frame: Frame) => Frame)[] = [
  (frame) => frame,
  (frame) => without(frame, "cpu", "per-core utilization", withoutCores(frame)),
  (frame) => without(frame, "process", "processes", { ...frame, processes: [] }),
  (frame) => without(frame, "gpu", "the frame", { ...frame, gpus: [], cpus: [] }),
];

type Frame = Readonly<Record<string, unknown>> & { readonly errors: readonly object[] };

function frameLine(block: readonly StreamRecord[]): string {
  let frame = frameOf(block);
  let line = "";
  for (const shorten of SHORTER) {
    frame = shorten(frame);
    line = lineOf(frame);
    if (Buffer.byteLength(line) <= MAX_LINE_BYTES) break;
  }
  return line;
}

function without(frame: Frame, section: NativeSection, what: string, shorter: object): Frame {
  const message = `${what} is left out: all-smi reads no line of more than ${MAX_LINE_BYTES} bytes`;
  return { ...frame, ...shorter, errors: [...frame.errors, { section, kind: "error", message }] };
}

function withoutCores(frame: Frame): object {
  const cpus = Array.isArray(frame["cpus"]) ? frame["cpus"].filter(isObject) : [];
  return { cpus: cpus.map((cpu) => ({ ...cpu, per_core_utilization: [] })) };
}

function frameOf(block: readonly StreamRecord[]): Frame {
  const sections = NATIVE_SECTIONS.flatMap((section) => {
    const key = KEY_OF_SECTION[section];
    const isAsked = block.some((record) => record.record === "frame" && record[key] !== undefined);
    return isAsked ? [[key, block.flatMap((record) => devicesOf(record, section))] as const] : [];
  });
  const times = block.map(({ timestamp }) => timestamp).sort();
  return {
    schema: 1,
    timestamp: times.at(-1),
    // Without a GPU, all-smi has one tab, of this name; "remote" is its own name for several hosts.
    hostname: block.length === 1 ? block[0]?.host_id : "remote",
    ...Object.fromEntries(sections),
    ...hostsWithoutDevices(
      block,
      sections.flatMap(([, devices]) => devices),
    ),
    errors: block.flatMap(errorsOf),
  };
}

/** all-smi does not read this, and `--replay` does: these hosts answered all the same. */
function hostsWithoutDevices(block: readonly StreamRecord[], devices: readonly object[]): object {
  const hosts = new Set(devices.map((device) => Reflect.get(device, "host_id") as unknown));
  const others = block.filter(({ record, host_id }) => record === "frame" && !hosts.has(host_id));
  if (others.length === 0) return {};
  return { hosts_without_devices: others.map(({ host_id, hostname }) => ({ host_id, hostname })) };
}

function devicesOf(record: StreamRecord, section: NativeSection): readonly object[] {
  if (record.record !== "frame") return [];
  const labels: DeviceLabels = {
    host_id: record.host_id,
    hostname: record.hostname,
    instance: record.hostname,
    time: record.timestamp,
  };
  return (record[KEY_OF_SECTION[section]] ?? []).flatMap((device: object, at) => {
    const written = WRITE_DEVICE[section](device as Readonly<Record<string, unknown>>, labels, at);
    return written === null ? [] : [written];
  });
}

/** all-smi reads the first three fields; `--replay` reads of whom an error is, too. */
function errorsOf(record: StreamRecord): readonly object[] {
  if (record.record === "state") return [hostError(record)];
  const { host_id } = record;
  return (record.errors ?? []).map(({ section, kind, message }) => ({
    section,
    kind: kind === "timeout" ? kind : "error",
    message: `${host_id}: ${message}`,
    host_id,
  }));
}

function hostError({ host_id, hostname, state, last_error: error }: StateRecord): object {
  const message = `${host_id}: ${state}${error === null ? "" : `: ${error.message}`}`;
  const kind = state === "timeout" ? "timeout" : "error";
  return { section: "host", kind, message, host_id, hostname, state, last_error: error };
}

function lineOf(value: object): string {
  return `${safeJson(value) ?? "null"}\n`;
}
