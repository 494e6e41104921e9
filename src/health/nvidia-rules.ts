/** Rules about readings that NVIDIA's tools have. */
import type { Gpu, StreamRecord } from "../contract/record.js";
import { FINE, found, whenTrue, type Rule, type Verdict } from "./rule.js";

const MEMORY_ERRORS = "NVIDIA GPU Memory Error Management (r580)";
const SMI = "nvidia-smi(1), driver 580";
const NVML = "NVML API Reference Guide, r590";

/** nvml.h, nvmlClocksEventReasons: what the hardware does to protect itself. Power caps and idle clocks are normal. */
export const HARDWARE_SLOWDOWNS = ["hw_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown"] as const;
export const HARDWARE_THERMAL_SLOWDOWN = "hw_thermal_slowdown" satisfies (typeof HARDWARE_SLOWDOWNS)[number];

/** °C left up to the maximum operating temperature: a finding at this and below. */
export const MARGIN_LIMIT = 0;
/** The slowest performance state in which the link has its full width. */
export const SLOWEST_FULL_LINK_STATE = 2;

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
  {
    id: "nvidia-temperature-margin",
    severity: "warning",
    condition: "temperature_margin is 0 or below: the chip is at its maximum operating temperature",
    action: "check airflow, inlet temperature and fans: the driver slows the clocks down from here on",
    source: `${SMI}, "Temperature", GPU T.Limit Temp`,
    check: ({ temperature_margin: margin }) =>
      typeof margin === "number" && margin <= MARGIN_LIMIT
        ? found(`${margin} °C left to the maximum operating temperature`)
        : FINE,
  },
  {
    id: "nvidia-sram-threshold",
    severity: "critical",
    condition: "ecc_sram_threshold_exceeded is true",
    action: "take the GPU out of use, run NVIDIA's field diagnostics and have it replaced",
    source: `${NVML}, nvmlEccSramErrorStatus_v1_t, bThresholdExceeded; ${SMI}, "ECC Errors"`,
    check: ({ ecc_sram_threshold_exceeded: exceeded }) =>
      whenTrue(exceeded, "the SRAM had more uncorrected errors than its threshold"),
  },
  {
    id: "nvidia-row-remap-exhausted",
    severity: "warning",
    condition: "remapped_rows_histogram has banks in low or none: few or no spare rows are left in them",
    action: "plan to replace the GPU: the next errors in such a bank cannot be remapped",
    source: `${MEMORY_ERRORS}, "Row Remapping"; ${NVML}, nvmlRowRemapperHistogramValues_t`,
    check: exhausted,
  },
  {
    id: "nvidia-fabric",
    severity: "critical",
    condition: "fabric_state is another than Completed, or fabric_status another than Success",
    action:
      "look at nvidia-fabricmanager (systemctl status, its log) on the host: CUDA does not start without it; after a boot, wait",
    source: `NVIDIA Fabric Manager 2.3, section 2.2 "NVSwitch and NVLink Initialization"; ${NVML}, nvmlGpuFabricInfo_t`,
    check: fabric,
  },
  {
    id: "nvidia-pcie-width",
    severity: "warning",
    condition:
      "at P0 to P2, pcie_link_width is below pcie_link_width_max, and below that of another GPU of its model on the host; without such a GPU, at a quarter of the maximum or less",
    action:
      "reseat the GPU, check riser and slot; some machines wire fewer lanes to a slot: --drift compares the model's other hosts",
    source: "nvidia-smi --help-query-gpu, driver 590, pcie.link.width.current and pcie.link.width.max",
    check: narrow,
  },
  {
    id: "nvidia-pcie-generation",
    severity: "warning",
    condition: "at P0 to P2 and in use, pcie_link_gen is below pcie_link_gen_max (idle links slow down)",
    action: "reseat the GPU, check riser, slot and BIOS settings; compare with the model's other hosts",
    source: "nvidia-smi --help-query-gpu, driver 590, pcie.link.gen.current and pcie.link.gen.max",
    check: ({ pcie_link_gen: gen, pcie_link_gen_max: max, ...gpu }) =>
      isFast(gpu) && isInUse(gpu) && isBelow(gen, max) ? found(`PCIe generation ${gen} of ${max}`) : FINE,
  },
];

/** Rules that compare a host's GPUs with each other. */
export const NVIDIA_HOST_RULES: readonly Rule<StreamRecord>[] = [
  {
    id: "nvidia-nvlink-down",
    severity: "warning",
    condition:
      "a GPU has fewer active NVLinks than another GPU of its model on the host; none at all only where its links need no bridge (SXM, NVSwitch)",
    action:
      "compare nvidia-smi nvlink -s of both; look for Xid 74 in dmesg; reset the GPUs, and replace a bridge or board that stays down",
    source:
      'NVIDIA GPU Debug Guidelines, section 4.1 (Xid 74: NVLink error); nvidia-smi(1), driver 580, "nvlink"',
    check: linksDown,
  },
];

/**
 * Not measured against the links that a board has: a pair of boards may be bridged by some of them, and a board without
 * any active link may have no bridge. One in an SXM socket or on an NVSwitch fabric needs none, but in MIG mode its links
 * may be off.
 */
function linksDown(record: StreamRecord): Verdict {
  if (record.record !== "frame") return FINE;
  const gpus = (record.gpus ?? []).flatMap((board, place) => {
    const { index, name, nvlink } = board;
    const active = nvlink?.active ?? null;
    if (active === null || (active === 0 && !isWired(board))) return [];
    return [{ gpu: `gpu ${index ?? place}`, name, active }];
  });
  const down = gpus.flatMap(({ gpu, name, active }) => {
    const most = Math.max(...gpus.filter((other) => other.name === name).map((other) => other.active));
    return active < most ? [`${gpu} has ${active} of ${most}`] : [];
  });
  return down.length === 0 ? FINE : found(`active NVLinks: ${down.join(", ")}`);
}

function isWired({ name, fabric_state: fabric, mig_mode: isMig }: Gpu): boolean {
  return isMig !== true && (typeof fabric === "string" || /\bSXM\d?\b/i.test(name ?? ""));
}

function slowdown({ throttle_reasons: reasons }: Gpu): Verdict {
  const active = HARDWARE_SLOWDOWNS.filter((reason) => reasons?.includes(reason) === true);
  if (active.length === 0) return FINE;
  return found(
    `the hardware slows the clocks down: ${active.join(", ")}`,
    active.includes(HARDWARE_THERMAL_SLOWDOWN) ? "critical" : "warning",
  );
}

function exhausted({ remapped_rows_histogram: banks }: Gpu): Verdict {
  const { low = 0, none = 0 } = banks ?? {};
  if (low + none === 0) return FINE;
  return found(`memory banks without a spare row: ${none}, with few: ${low}`);
}

function fabric({ fabric_state: state, fabric_status: status }: Gpu): Verdict {
  // Null: the GPU is on no fabric.
  if (typeof state !== "string") return FINE;
  if (!/^completed$/i.test(state)) return found(`not registered with the NVLink fabric: ${state}`);
  if (typeof status !== "string" || /^success$/i.test(status)) return FINE;
  return found(`registration with the NVLink fabric failed: ${status}`);
}

/**
 * The maximum is that of the GPU: clouds and boards give an A10G, an A10 or an L4 of sixteen lanes eight. So a GPU is
 * compared with those of its model beside it; where all have the same, the machine is made so.
 */
function narrow(gpu: Gpu, beside: readonly Gpu[]): Verdict {
  const { name, pcie_link_width: width, pcie_link_width_max: max } = gpu;
  if (!isFast(gpu) || typeof width !== "number" || typeof max !== "number" || width >= max) return FINE;
  const others = beside.flatMap((other) =>
    other !== gpu && other.name === name && typeof other.pcie_link_width === "number"
      ? [other.pcie_link_width]
      : [],
  );
  if (others.length === 0) return width * 4 <= max ? found(`PCIe x${width} of x${max}`) : FINE;
  const widest = Math.max(...others);
  return width < widest ? found(`PCIe x${width} of x${max}, where another ${name} has x${widest}`) : FINE;
}

type Activity = Pick<
  Gpu,
  "performance_state" | "utilization" | "encoder_utilization" | "decoder_utilization"
>;

/** In a lower state the driver may narrow the link and slow it down. */
function isFast({ performance_state: state }: Activity): boolean {
  return typeof state === "number" && state <= SLOWEST_FULL_LINK_STATE;
}

/** In MIG mode no utilization is known: the state alone decides. */
function isInUse(gpu: Activity): boolean {
  if (gpu.utilization === null) return true;
  return [gpu.utilization, gpu.encoder_utilization, gpu.decoder_utilization].some(
    (percent) => typeof percent === "number" && percent > 0,
  );
}

function isBelow(value: number | null | undefined, max: number | null | undefined): boolean {
  return typeof value === "number" && typeof max === "number" && value < max;
}
