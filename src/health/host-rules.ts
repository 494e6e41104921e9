/** Rules about a host: whether it answers, what of it could not be read, and its own memory and disks. */
import type { FrameRecord, SectionError, StreamRecord } from "../contract/record.js";
import { isLateTick } from "../contract/late-tick.js";
import { isRemoval } from "../contract/removed.js";
import { NVIDIA_HOST_RULES } from "./nvidia-rules.js";
import { FINE, found, type Rule, type Verdict } from "./rule.js";

const PERCENT = 100;
/** What is below is a finding; the dashboards colour by the same limits. */
export const LOW_MEMORY_PERCENT = 5;
export const LOW_DISK_PERCENT = 10;
export const FULL_DISK_PERCENT = 2;
const CONTRACT = "this program's records: errors[]";

export const HOST_RULES: readonly Rule<StreamRecord>[] = [
  {
    id: "host-unreachable",
    severity: "critical",
    condition:
      "the host has no frame in this tick; unknown while it is being connected to for the first time",
    action: "the fix of the record's last_error; else try the same with ssh -o BatchMode=yes",
    source: "this program's records: state and last_error",
    check: (record: StreamRecord): Verdict => {
      if (record.record === "frame" || isRemoval(record) || isLateTick(record)) return FINE;
      const { state, last_error: error } = record;
      const isPending = error === null && (state === "connecting" || state === "connected");
      if (isPending) return { kind: "unknown", message: "no reading yet" };
      const message = error === null ? state : `${state}: ${error.message}`;
      return error?.fix === undefined ? found(message) : { kind: "found", message, action: error.fix };
    },
  },
  {
    id: "reading-late",
    severity: "warning",
    condition:
      "the reading of an earlier tick is still under way, so this tick has none; if its tool hangs, tool-hung follows after --tool-timeout-secs",
    action: "use a longer --interval, or find out on the host why its tool is so slow",
    source: "this program's records: last_error.code sample-overrun",
    check: (record: StreamRecord): Verdict =>
      record.record === "state" && isLateTick(record) ? found(record.last_error?.message ?? "") : FINE,
  },
  {
    id: "driver-library-mismatch",
    severity: "critical",
    condition: "nvidia-smi reports that its library and the loaded kernel driver differ in version",
    action: "reboot the host, or unload and load the nvidia kernel modules: a driver was updated under way",
    source: "nvidia-smi(1), driver 580, RETURN VALUE 18; nvml.h, NVML_ERROR_LIB_RM_VERSION_MISMATCH",
    check: onErrors((error) => isMismatch(error)),
  },
  {
    id: "tool-hung",
    severity: "critical",
    condition: "a section timed out on the host",
    action: "look for processes in state D on the host; a hung driver needs a reboot",
    source: CONTRACT,
    check: onErrors(({ section, kind }) => kind === "timeout" && section !== "event"),
  },
  {
    id: "section-failed",
    severity: "critical",
    condition: "an asked section could not be read, or could not be understood",
    action: "run the tool that the message names on the host by hand",
    source: CONTRACT,
    check: onErrors(isFailure),
  },
  {
    id: "host-memory-low",
    severity: "warning",
    condition: `less than ${LOW_MEMORY_PERCENT} % of the host's memory is available`,
    action: "find what holds it (--include process); the kernel ends processes when it is gone",
    source: "proc_meminfo(5), MemAvailable",
    check: onFrame(memoryLow),
  },
  {
    id: "host-disk-full",
    severity: "warning",
    condition: `less than ${LOW_DISK_PERCENT} % of a file system is free (critical: ${FULL_DISK_PERCENT} %); with --include storage`,
    action: "free space there: jobs fail when they cannot write",
    source: "df(1), POSIX.1-2024",
    check: onFrame(diskFull),
  },
  {
    id: "host-disk-failed",
    severity: "critical",
    condition: "a disk's state is dead or offline; a degraded array is a warning; with --include host",
    action: "replace the disk; for an array, see /proc/mdstat",
    source:
      "Linux, drivers/nvme/host/sysfs.c (state), drivers/scsi/scsi_sysfs.c (sdev_states), admin-guide/md.rst (degraded)",
    check: onFrame(diskFailed),
  },
  ...NVIDIA_HOST_RULES,
];

const FAILED_STATES = new Set(["dead", "offline", "transport-offline", "deleted", "deleting", "failed"]);

function onFrame(check: (frame: FrameRecord) => Verdict): (record: StreamRecord) => Verdict {
  return (record) => (record.record === "frame" ? check(record) : FINE);
}

function onErrors(matches: (error: SectionError) => boolean): (record: StreamRecord) => Verdict {
  return onFrame(({ errors = [] }) => {
    const matching = errors.filter(matches);
    if (matching.length === 0) return FINE;
    const messages = new Set(matching.map(({ section, message }) => `${section}: ${message}`));
    return found([...messages].join("; "));
  });
}

/** The kernel log has a rule of its own: most accounts may not read it. */
function isFailure(error: SectionError): boolean {
  const isWhole = error.device === undefined && error.section !== "event";
  return error.kind !== "timeout" && isWhole && !isMismatch(error);
}

function isMismatch({ message }: SectionError): boolean {
  return /differ in version|version mismatch/i.test(message);
}

/** The rule `host-memory-low` on a frame. */
export function memoryLow({ memory = [] }: FrameRecord): Verdict {
  for (const { total_bytes: total, available_bytes: available } of memory) {
    if (total === null || available === null)
      return { kind: "unknown", message: "the host's available memory could not be read" };
    const percent = (available / total) * PERCENT;
    if (percent < LOW_MEMORY_PERCENT) return found(`${percent.toFixed(1)} % of the memory is available`);
  }
  return FINE;
}

function diskFull({ storage = [] }: FrameRecord): Verdict {
  const low = storage.flatMap(({ mount_point: mount, total_bytes: total, available_bytes: available }) => {
    if (total === null || available === null || total <= 0) return [];
    const percent = (available / total) * PERCENT;
    return percent < LOW_DISK_PERCENT ? [{ mount, percent }] : [];
  });
  if (low.length === 0) return FINE;
  const message = low.map(({ mount, percent }) => `${mount} ${percent.toFixed(1)} % free`).join(", ");
  return found(message, low.some(({ percent }) => percent < FULL_DISK_PERCENT) ? "critical" : "warning");
}

function diskFailed({ host = [] }: FrameRecord): Verdict {
  const disks = host.flatMap((each) => each.disks);
  const failed = disks.filter(({ state }) => state !== null && FAILED_STATES.has(state));
  const degraded = disks.filter(({ degraded_members: members }) => (members ?? 0) > 0);
  const texts = [
    ...failed.map(({ name, state }) => `${name} is ${state}`),
    ...degraded.map(({ name, degraded_members: members }) => `${name} lacks ${members} of its members`),
  ];
  if (texts.length === 0) return FINE;
  return found(texts.join(", "), failed.length > 0 ? "critical" : "warning");
}
