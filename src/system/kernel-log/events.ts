/** Lines of the kernel log -> events. */
import type { KernelEvent } from "../../contract/kernel-event.js";
import { isoTime } from "../../lib/iso-time.js";
import { oneLine } from "../../lib/text.js";
import { parseLogLine } from "./log-line.js";
import { PATTERNS } from "./patterns.js";
import { xidOf } from "./xid.js";

/** Longer lines are cut before they are looked at. The kernel's own are at most 1024 bytes. */
export const MAX_LINE_CHARS = 1100;
const MAX_MESSAGE_CHARS = 500;

/** Whether the entry of a log is an event. */
export function isEvent(line: string): boolean {
  const parsed = parseLogLine(line.slice(0, MAX_LINE_CHARS), null);
  return parsed !== null && eventOf(parsed.message) !== null;
}

/** In the log's order; lines that are no events are left out. `bootMs`: see parseLogLine. */
export function kernelEvents(lines: readonly string[], bootMs: number | null): readonly KernelEvent[] {
  return lines.flatMap((line) => {
    const parsed = parseLogLine(line.slice(0, MAX_LINE_CHARS), bootMs);
    const event = parsed === null ? null : eventOf(parsed.message);
    return event === null ? [] : [{ logged_at: timeOf(parsed?.timeMs ?? null), ...event }];
  });
}

type Timeless = Omit<KernelEvent, "logged_at">;

/**
 * `NVRM: Xid (PCI:0000:18:00): 79, pid=1234, name=python, GPU has fallen off the bus.`; drivers before 400 print the
 * address without `PCI:`, and newer ones may have the device's function behind it. A MIG GPU's has the instance that it is
 * about: `(PCI:0000:18:00 GPU-I:05 GPU-CI:02)` (krcReportXid, kernel_rc.c of the open modules 595).
 */
const XID = /^NVRM: Xid \((?:PCI:)?([0-9a-f:.]{4,18})(?: GPU-I:\d{1,4})?(?: GPU-CI:\d{1,4})?\): (\d{1,4}),/i;
/** `nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 12 LTSSM Fault Up`: Fabric Manager User Guide, appendix D. */
const SXID = /^nvidia-nvswitch\d*: SXid \((?:PCI:)?([0-9a-f:.]{4,18})\): (\d{1,6}),\s*(\w[\w-]*)/i;
const PID = /\bpid=['"]?(\d{1,10})\b|\bKill(?:ed)? process (\d{1,10})\b/;
const PCI = /\b([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])\b/i;

function eventOf(message: string): Timeless | null {
  return xidEvent(message) ?? sxidEvent(message) ?? patternEvent(message);
}

function xidEvent(message: string): Timeless | null {
  const match = XID.exec(message);
  if (match === null) return null;
  const [, bus = "", number = ""] = match;
  const code = Number(number);
  const { severity, action, meaning } = xidOf(code, message);
  return {
    kind: "nvidia-xid",
    severity,
    message: shown(message),
    action: `Xid ${code}, ${meaning}: ${action}`,
    code,
    pci_bus_id: bus.toLowerCase(),
    pid: pidIn(message),
  };
}

function sxidEvent(message: string): Timeless | null {
  const match = SXID.exec(message);
  if (match === null) return null;
  const [, bus = "", number = "", degree = ""] = match;
  const isFatal = /^fatal$/i.test(degree);
  return {
    kind: "nvidia-sxid",
    severity: isFatal ? "critical" : "warning",
    message: shown(message),
    action: isFatal
      ? "drain the host, reset the NVSwitches and GPUs, restart Fabric Manager"
      : "look at other SXids of the same time; a rate that grows is a reason to drain the host",
    code: Number(number),
    pci_bus_id: bus.toLowerCase(),
    pid: null,
  };
}

function patternEvent(message: string): Timeless | null {
  const known = PATTERNS.find(({ pattern }) => pattern.test(message));
  if (known === undefined) return null;
  return {
    kind: known.kind,
    severity: known.severity,
    message: shown(message),
    action: known.action,
    code: null,
    pci_bus_id: PCI.exec(message)?.[1]?.toLowerCase() ?? null,
    pid: pidIn(message),
  };
}

function pidIn(message: string): number | null {
  const match = PID.exec(message);
  const digits = match?.[1] ?? match?.[2];
  return digits === undefined ? null : Number(digits);
}

/** Newer than the year 9999 is no time that RFC 3339 can hold. */
const MAX_TIME_MS = Date.UTC(9999, 11, 31);

function timeOf(ms: number | null): string | null {
  return ms === null || !(ms >= 0 && ms < MAX_TIME_MS) ? null : isoTime(ms);
}

function shown(message: string): string {
  return oneLine(message, MAX_MESSAGE_CHARS);
}
