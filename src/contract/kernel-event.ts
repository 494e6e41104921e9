/** A line of a host's kernel log that an operator wants to know of. Part of the public record (`--include event`). */
export const KERNEL_EVENT_KINDS = [
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
  /** RFC 3339, as the host's clock had it; null where the log has no time that can be placed. */
  readonly time: string | null;
  /** The kernel's line, without its time. */
  readonly message: string;
  /** What to do next. */
  readonly action: string;
  /** An Xid's or SXid's number, else null. */
  readonly code: number | null;
  /** The device, as `0000:18:00`, where the line names one. */
  readonly pci_bus_id: string | null;
  readonly pid: number | null;
}
