/** Rules about one accelerator. A device that reports its own failure is judged only by that. */
import type { Gpu } from "../contract/record.js";
import { NVIDIA_RULES } from "./nvidia-rules.js";
import { FINE, found, type Rule, type Verdict } from "./rule.js";
import { VENDOR_RULES } from "./vendor-rules.js";

const MEMORY_ERRORS = "NVIDIA GPU Memory Error Management (r580)";
const SMI = "nvidia-smi(1), driver 580";

const COMMON_RULES: readonly Rule<Gpu>[] = [
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
    condition: "no utilization, temperature, power or memory is read, and no error gives a reason",
    action: "run the vendor's tool on the host by hand and compare",
    source: "this program's contract: a missing reading is null",
    check: silent,
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
];

/** Each vendor's rules read fields that only its own tools have. */
export const GPU_RULES: readonly Rule<Gpu>[] = [...COMMON_RULES, ...NVIDIA_RULES, ...VENDOR_RULES];

function silent(gpu: Gpu): Verdict {
  const live = [gpu.utilization, gpu.temperature, gpu.power_consumption, gpu.used_memory];
  if (gpu.error !== undefined || live.some((value) => value !== null)) return FINE;
  // tpu-info has readings only while a workload runs, the kernel's i915 has a clock alone in the first tick, and what
  // sleeps has none.
  const isQuiet = gpu.tool === "tpu-info" || (gpu.tool === "sysfs" && gpu.frequency !== null);
  if (isQuiet || gpu.power_state === "suspended") return FINE;
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
