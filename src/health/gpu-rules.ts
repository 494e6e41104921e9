/** Rules about one accelerator. A device that reports its own failure is judged by that alone. */
import type { Gpu } from "../contract/record.js";
import { FINE, found, whenTrue, type Rule, type Verdict } from "./rule.js";

const MEMORY_ERRORS = "NVIDIA GPU Memory Error Management (r580)";
const SMI = "nvidia-smi(1), driver 580";

/** nvml.h, nvmlClocksEventReasons: what the hardware does to protect itself. Power caps and idle clocks are normal. */
const HARDWARE_SLOWDOWNS = ["hw_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown"] as const;

export const GPU_RULES: readonly Rule<Gpu>[] = [
  {
    id: "gpu-failed",
    severity: "critical",
    condition: "the tool reports the device without readings, or with an error in their place",
    action: "reset the device or reboot the host; if the error comes back, have the device replaced",
    source:
      "NVIDIA GPU Debug Guidelines, section 4.1 (Xid 79: fallen off the bus); vendor tools' own messages",
    check: ({ error }) => (error === undefined ? FINE : found(error)),
  },
  {
    id: "gpu-silent",
    severity: "unknown",
    condition: "no utilization, temperature, power or memory is read, and no error says why",
    action: "run the vendor's tool on the host by hand and compare",
    source: "this program's contract: a missing reading is null",
    check: silent,
  },
  {
    id: "nvidia-recovery-action",
    severity: "critical",
    condition: "recovery_action is another than None",
    action:
      "do what it names: Reset is nvidia-smi --gpu-reset -i INDEX with no process on it, Reboot the host, Drain first",
    source: `${SMI}, "GPU Recovery Action"`,
    check: ({ recovery_action: action }) =>
      typeof action === "string" && !/^none$/i.test(action) ? found(`recovery action: ${action}`) : FINE,
  },
  {
    id: "nvidia-row-remap-failure",
    severity: "critical",
    condition: "remapped_rows_failure is true",
    action: "take the GPU out of use and have it replaced: it has no spare rows left",
    source: `${MEMORY_ERRORS}, "Row Remapping" and "RMA Policy Thresholds for Row-Remapping"`,
    check: ({ remapped_rows_failure: failed }) => whenTrue(failed, "remapping a row of memory failed"),
  },
  {
    id: "nvidia-row-remap-pending",
    severity: "warning",
    condition: "remapped_rows_pending is true",
    action:
      "reset the GPU when it is idle (nvidia-smi --gpu-reset -i INDEX): the remapping takes effect then",
    source: `${MEMORY_ERRORS}, "Row Remapping"`,
    check: ({ remapped_rows_pending: pending }) => whenTrue(pending, "a row of memory waits to be remapped"),
  },
  {
    id: "nvidia-retired-pages-pending",
    severity: "warning",
    condition: "retired_pages_pending is true",
    action: "reboot the host or reload the driver when it is idle: the page is retired then",
    source: 'NVIDIA Dynamic Page Retirement, "Visibility", retired_pages.pending',
    check: ({ retired_pages_pending: pending }) => whenTrue(pending, "a page of memory waits to be retired"),
  },
  {
    id: "ecc-uncorrected",
    severity: "critical",
    condition:
      "uncorrected ECC errors since the driver was loaded (not the lifetime count, which never clears)",
    action: "drain the host and reset the GPU; errors that come back are a reason for replacement",
    source: `${MEMORY_ERRORS}, "Error Containment"; ${SMI}, "ECC Errors", volatile`,
    check: eccUncorrected,
  },
  {
    id: "nvidia-hw-slowdown",
    severity: "warning",
    condition: "throttle_reasons has hw_slowdown, hw_thermal_slowdown (critical) or hw_power_brake_slowdown",
    action: "check airflow, inlet temperature and fans; for the power brake, the power supplies and cables",
    source: 'nvml.h, nvmlClocksEventReasons; NVIDIA GPU Debug Guidelines, "Thermal and power"',
    check: slowdown,
  },
];

function silent(gpu: Gpu): Verdict {
  const live = [gpu.utilization, gpu.temperature, gpu.power_consumption, gpu.used_memory];
  if (gpu.error !== undefined || live.some((value) => value !== null)) return FINE;
  return { kind: "unknown", message: "the device is listed without any reading" };
}

function eccUncorrected(gpu: Gpu): Verdict {
  const count = gpu["ecc_uncorrected_since_load"];
  if (typeof count === "number")
    return count > 0 ? found(`${count} uncorrected ECC errors since load`) : FINE;
  // A count that is missing although ECC is on has not been read; without ECC there is none.
  const isOn = gpu.detail["ecc_mode"] === "Enabled" && gpu.error === undefined;
  if (isOn && count === null)
    return { kind: "unknown", message: "ECC is on and its error count cannot be read" };
  return FINE;
}

function slowdown({ throttle_reasons: reasons }: Gpu): Verdict {
  const active = HARDWARE_SLOWDOWNS.filter((reason) => reasons?.includes(reason) === true);
  if (active.length === 0) return FINE;
  return found(
    `the hardware slows the clocks down: ${active.join(", ")}`,
    active.includes("hw_thermal_slowdown") ? "critical" : "warning",
  );
}
