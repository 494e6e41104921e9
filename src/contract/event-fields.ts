/** The fields of `events`, in the order of their CSV columns. */
import type { FieldTable } from "./field-table.js";
import type { KernelEvent } from "./kernel-event.js";

export const EVENT_FIELDS = {
  logged_at: {
    ...{ type: "string", nullable: true, csv: true },
    text: "When the kernel logged it, by the host's clock; null where that is not known.",
  },
  kind: {
    ...{ type: "string", csv: true, text: "What happened." },
    values: {
      boot: "the host was booted",
      "left-out": "events before this one, since the last look, are not in the record",
      "nvidia-xid": "an Xid of NVIDIA's driver",
      "nvidia-sxid": "an SXid of an NVSwitch",
      "gpu-lost": "NVIDIA's driver lost a GPU, or could not start it",
      "amdgpu-ras": "an uncorrectable error of an AMD GPU",
      "amdgpu-reset": "AMD's driver resets a GPU",
      "oom-kill": "the kernel ended a process for lack of memory",
      "machine-check": "an error of a processor or of main memory",
      "pcie-error": "an uncorrected PCIe error",
      "link-down": "a network or PCIe link went down",
    },
  },
  severity: {
    ...{ type: "string", csv: true, text: "How bad it is." },
    values: {
      info: "nothing to do",
      warning: "look at it",
      critical: "take the device or the host out of use",
    },
  },
  code: { type: "integer", nullable: true, csv: true, text: "The number of an Xid or SXid." },
  pci_bus_id: {
    ...{ type: "string", nullable: true, csv: true },
    text: "The device that the line names, as `0000:18:00` or `0000:18:00.0`.",
  },
  pid: { type: "integer", nullable: true, csv: true, text: "The process that the line names." },
  message: { type: "string", csv: true, text: "The kernel's line, without its time." },
  action: { type: "string", text: "What to do next." },
} as const satisfies FieldTable<KernelEvent>;
