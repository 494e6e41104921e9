/** Rules about events of the kernel log. A finding of one has the event's own action, and stands after the event. */
import type { KernelEvent, KernelEventKind } from "../contract/kernel-event.js";
import type { SectionError } from "../contract/record.js";
import { FINE, found, type Rule, type Verdict } from "./rule.js";

const LINUX = "Linux 6.12";

export const EVENT_RULES: readonly Rule<KernelEvent>[] = [
  {
    id: "event-xid",
    severity: "warning",
    condition:
      "NVIDIA's driver logged an Xid (critical: one after which the GPU or the host must leave service)",
    action: "the event's own, from NVIDIA's catalog",
    source: 'NVIDIA Xid Errors, "Analyzing Xid Errors with the Xid Catalog", immediate actions',
    check: ofKind("nvidia-xid"),
  },
  {
    id: "event-sxid",
    severity: "warning",
    condition: "an NVSwitch logged an SXid (critical: a fatal one)",
    action: "the event's own",
    source: "NVIDIA Fabric Manager User Guide, appendix D",
    check: ofKind("nvidia-sxid"),
  },
  {
    id: "event-gpu-lost",
    severity: "critical",
    condition: "NVIDIA's driver lost a GPU, or could not start it",
    action: "the event's own",
    source: "NVIDIA GPU Debug Guidelines, section 4.1 (Xid 79)",
    check: ofKind("gpu-lost"),
  },
  {
    id: "event-amdgpu",
    severity: "warning",
    condition: "AMD's driver reset a GPU (critical: an uncorrectable error, or a reset that failed)",
    action: "the event's own",
    source: `${LINUX}, drivers/gpu/drm/amd/amdgpu/amdgpu_ras.c and amdgpu_device.c`,
    check: ofKind("amdgpu-ras", "amdgpu-reset"),
  },
  {
    id: "event-oom-kill",
    severity: "warning",
    condition: "the kernel ended a process for lack of memory, of the host or of a cgroup",
    action: "the event's own",
    source: `${LINUX}, mm/oom_kill.c`,
    check: ofKind("oom-kill"),
  },
  {
    id: "event-hardware",
    severity: "warning",
    condition:
      "a machine check or an uncorrected PCIe error was logged (critical: an uncorrected or fatal one)",
    action: "the event's own",
    source: `${LINUX}, arch/x86/kernel/cpu/mce/core.c, drivers/edac/, drivers/pci/pcie/aer.c`,
    check: ofKind("machine-check", "pcie-error"),
  },
  {
    id: "event-link-down",
    severity: "warning",
    condition: "a network or PCIe link went down",
    action: "the event's own",
    source: `${LINUX}, messages of the network drivers and of pciehp`,
    check: ofKind("link-down"),
  },
];

/** Stands from the error until the log is read. */
export const EVENTS_UNREAD: Rule<readonly SectionError[]> = {
  id: "events-unread",
  severity: "unknown",
  condition: "the kernel log cannot be read",
  action: "add the account to the group systemd-journal or adm on the host",
  source: "journalctl(1), DESCRIPTION; dmesg(1), kernel.dmesg_restrict",
  check: (errors) => {
    const error = errors.findLast(({ section }) => section === "event");
    return error === undefined ? FINE : { kind: "unknown", message: error.message };
  },
};

/** What is only information (a boot, an Xid that follows from another) is no finding. */
function ofKind(...kinds: readonly KernelEventKind[]): (event: KernelEvent) => Verdict {
  return ({ kind, severity, message }) =>
    severity === "info" || !kinds.includes(kind) ? FINE : found(message, severity);
}
