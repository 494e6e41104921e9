/** How hot an accelerator is, by the limits that its rules know: for colours and for what stands on top. */
import type { Gpu } from "../contract/record.js";
import { HARDWARE_THERMAL_SLOWDOWN, NVIDIA_RULES } from "./nvidia-rules.js";
import type { Rule } from "./rule.js";
import { tenstorrentLimit, VENDOR_RULES } from "./vendor-rules.js";

/** `hot`: a rule about temperature finds something. `warm`: a few degrees are left. */
export type Heat = "hot" | "warm" | "normal";

/** From here on a chip is warm. No rule fires yet: it works as it should. */
const WARM_MARGIN_DEGREES = 5;

const THERMAL_IDS: ReadonlySet<string> = new Set([
  "nvidia-temperature-margin",
  "amd-violation",
  "intel-thermal",
  "tenstorrent-thermal-limit",
]);
const THERMAL_RULES: readonly Rule<Gpu>[] = [...NVIDIA_RULES, ...VENDOR_RULES].filter(({ id }) =>
  THERMAL_IDS.has(id),
);

/** `normal` too where no limit is known. */
export function heatOf(gpu: Gpu): Heat {
  if (gpu.throttle_reasons?.includes(HARDWARE_THERMAL_SLOWDOWN) === true) return "hot";
  if (THERMAL_RULES.some((rule) => rule.check(gpu, [gpu]).kind === "found")) return "hot";
  const margin = marginOf(gpu);
  return margin !== null && margin <= WARM_MARGIN_DEGREES ? "warm" : "normal";
}

function marginOf(gpu: Gpu): number | null {
  if (typeof gpu.temperature_margin === "number") return gpu.temperature_margin;
  const limit = tenstorrentLimit(gpu);
  return limit === null || gpu.temperature === null ? null : limit - gpu.temperature;
}
