/** Lines of the kernel log -> events. Takes journalctl -o short-unix, dmesg with any time format, and raw lines. */
import type { KernelEvent, KernelEventKind } from "../../contract/kernel-event.js";
import { oneLine } from "../../lib/text.js";
import { xidOf } from "./xid.js";

/** A line after its time was taken off. */
interface LogLine {
  readonly timeMs: number | null;
  readonly message: string;
}

/** Longer lines are cut before they are looked at. */
const MAX_LINE_CHARS = 1000;
const MS = 1000;

/**
 * In the log's order; lines that nothing is known of are left out. `bootMs`: when the host was booted, in ms since the
 * epoch, for lines that count seconds from then; null: their time is not known.
 */
export function kernelEvents(text: string, bootMs: number | null): readonly KernelEvent[] {
  const events: KernelEvent[] = [];
  for (const line of text.split("\n")) {
    const { timeMs, message } = splitTime(line.slice(0, MAX_LINE_CHARS), bootMs);
    const event = eventOf(message);
    if (event !== null) events.push({ ...event, time: timeMs === null ? null : isoOf(timeMs) });
  }
  return events;
}

type Timeless = Omit<KernelEvent, "time">;

/** `NVRM: Xid (PCI:0000:18:00): 79, pid=1234, name=python, GPU has fallen off the bus.`; before driver 400 without `PCI:`. */
const XID = /\bNVRM: Xid \((?:PCI:)?([0-9a-f:.]{4,16})\): (\d{1,4}),/i;
/** `nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 12 LTSSM Fault Up`, Fabric Manager User Guide, appendix D. */
const SXID = /\bSXid \((?:PCI:)?([0-9a-f:.]{4,16})\): (\d{1,6}),\s*(\w[\w-]*)/i;
const PID = /\bpid=['"]?(\d{1,10})\b/;
const PCI = /\b([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])\b/i;

interface Pattern {
  readonly kind: KernelEventKind;
  readonly pattern: RegExp;
  readonly severity: KernelEvent["severity"];
  readonly action: string;
}

const PATTERNS: readonly Pattern[] = [
  {
    kind: "gpu-lost",
    pattern: /\bNVRM: (?:.*\b)?GPU has fallen off the bus\b|\bNVRM: .*\bRmInitAdapter failed\b/i,
    severity: "critical",
    action: "drain and reboot the host; where the GPU is lost again, have it replaced",
  },
  // drivers/gpu/drm/amd/amdgpu/amdgpu_ras.c: uncorrectable and deferred errors, bad pages.
  {
    kind: "amdgpu-ras",
    pattern:
      /\bamdgpu\b.*\b(?:uncorrectable (?:hardware )?errors? detected|RAS controller interrupt|bad page threshold|poison is consumed)/i,
    severity: "critical",
    action: "drain the host and reset the GPU; errors that come back are a reason for replacement",
  },
  {
    kind: "amdgpu-reset",
    pattern: /\bamdgpu\b.*\bGPU reset (?:begin|.*failed)/i,
    severity: "warning",
    action: "look for the job that hung the GPU; resets that come back are a reason to drain the host",
  },
  {
    kind: "oom-kill",
    pattern: /\b(?:Out of memory: Killed process|Memory cgroup out of memory: Killed process)/,
    severity: "warning",
    action: "find what uses the memory: the kernel ended a process to get some back",
  },
  {
    kind: "machine-check",
    pattern:
      /\bmce: \[Hardware Error\]|\bEDAC \S+: .*\bUE\b|\bHardware Error\]: (?:Machine check|event severity: fatal)/i,
    severity: "critical",
    action: "drain the host; look at its processors and memory (rasdaemon, the BMC's log)",
  },
  {
    kind: "pcie-error",
    pattern: /\bAER: (?:Uncorrect|Multiple Uncorrect)|\bPCIe Bus Error: severity=Uncorrect/i,
    severity: "critical",
    action: "look at the device and its slot; an uncorrected PCIe error loses data",
  },
  {
    kind: "link-down",
    pattern:
      /\bmlx[45]\w*\b.*\b(?:Link down|link is down)\b|\bib\d+: .*\blink down\b|\bpciehp\b.*\bLink Down\b/i,
    severity: "warning",
    action: "check the cable, the port and the switch",
  },
];

function eventOf(message: string): Timeless | null {
  return xidEvent(message) ?? sxidEvent(message) ?? patternEvent(message);
}

function xidEvent(message: string): Timeless | null {
  const match = XID.exec(message);
  if (match === null) return null;
  const [, bus = "", number = ""] = match;
  const code = Number(number);
  const { severity, action, meaning } = xidOf(code);
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
  const digits = PID.exec(message)?.[1] ?? /\bKilled process (\d{1,10})\b/.exec(message)?.[1];
  return digits === undefined ? null : Number(digits);
}

function shown(message: string): string {
  return oneLine(message);
}

/** `1700000000.123456 host kernel: `, journalctl -o short-unix. */
const UNIX = /^(\d{9,11})\.(\d{3})\d*\s+\S+\s+kernel(?:\[\d+\])?:\s*/;
/** `2026-01-02T03:04:05,123456+00:00 `, dmesg --time-format iso. */
const ISO = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)[.,](\d{3})\d*(Z|[+-]\d\d:?\d\d)\s+/;
/** `<3>[12345.678901] `, dmesg and dmesg -r; busybox has no other. */
const SINCE_BOOT = /^(?:<\d{1,3}>)?\[\s*(\d{1,10})\.(\d{3})\d*\]\s?/;
/** `[Fri Aug 30 11:43:09 2024] `, dmesg -T: the host's own time zone, which is not known here. */
const LOCAL = /^\[\w{3} \w{3}\s+\d{1,2} \d\d:\d\d:\d\d \d{4}\]\s?/;

function splitTime(line: string, bootMs: number | null): LogLine {
  const unix = UNIX.exec(line);
  if (unix !== null)
    return { timeMs: Number(unix[1]) * MS + Number(unix[2]), message: line.slice(unix[0].length) };
  const iso = ISO.exec(line);
  if (iso !== null) {
    const [all, seconds = "", millis = "", zone = ""] = iso;
    const timeMs = Date.parse(`${seconds}.${millis}${zone}`);
    return { timeMs: Number.isNaN(timeMs) ? null : timeMs, message: line.slice(all.length) };
  }
  const sinceBoot = SINCE_BOOT.exec(line);
  if (sinceBoot !== null) {
    const ms = Number(sinceBoot[1]) * MS + Number(sinceBoot[2]);
    return { timeMs: bootMs === null ? null : bootMs + ms, message: line.slice(sinceBoot[0].length) };
  }
  return { timeMs: null, message: line.replace(LOCAL, "") };
}

/** Null for a time that a date cannot hold. */
function isoOf(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
