/** Rules about readings that NVIDIA's tools have. */
import type { Gpu } from "../contract/record.js";
import { FINE, found, whenTrue, type Rule, type Verdict } from "./rule.js";

const MEMORY_ERRORS = "NVIDIA GPU Memory Error Management (r580)";
const SMI = "nvidia-smi(1), driver 580";

/** nvml.h, nvmlClocksEventReasons: what the hardware does to protect itself. Power caps and idle clocks are normal. */
const HARDWARE_SLOWDOWNS = ["hw_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown"] as const;

export const NVIDIA_RULES: readonly Rule<Gpu>[] = [
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
    id: "nvidia-hw-slowdown",
    severity: "warning",
    condition: "throttle_reasons has hw_slowdown, hw_thermal_slowdown (critical) or hw_power_brake_slowdown",
    action: "check airflow, inlet temperature and fans; for the power brake, the power supplies and cables",
    source: 'nvml.h, nvmlClocksEventReasons; NVIDIA GPU Debug Guidelines, "Thermal and power"',
    check: slowdown,
  },
];

function slowdown({ throttle_reasons: reasons }: Gpu): Verdict {
  const active = HARDWARE_SLOWDOWNS.filter((reason) => reasons?.includes(reason) === true);
  if (active.length === 0) return FINE;
  return found(
    `the hardware slows the clocks down: ${active.join(", ")}`,
    active.includes("hw_thermal_slowdown") ? "critical" : "warning",
  );
}
