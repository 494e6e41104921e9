/** A line of a host's kernel log that an operator wants to know of. Part of the public record (`--include event`). */
export const KERNEL_EVENT_KINDS = [
  "boot",
  "left-out",
  "nvidia-xid",
  "nvidia-sxid",
  "gpu-lost",
  "amdgpu-ras",
  "amdgpu-reset",
  "oom-kill",
  "machine-check",
  "pcie-error",
  "link-down",
] as const;
export type KernelEventKind = (typeof KERNEL_EVENT_KINDS)[number];

export interface KernelEvent {
  readonly kind: KernelEventKind;
  readonly severity: "info" | "warning" | "critical";
  /** RFC 3339, by the host's clock; null where the log has no time that can be placed. */
  readonly logged_at: string | null;
  /** The kernel's line, without its time. */
  readonly message: string;
  /** What to do next. */
  readonly action: string;
  /** The number of an Xid or SXid, else null. */
  readonly code: number | null;
  /** The device, as `0000:18:00` or `0000:18:00.0`, where the line names one. */
  readonly pci_bus_id: string | null;
  readonly pid: number | null;
}
