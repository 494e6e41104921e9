/** Rules about readings that other vendors' tools have. Each looks at devices of its own tools only. */
import type { Gpu } from "../contract/record.js";
import { FINE, found, type Rule, type Verdict } from "./rule.js";

const RAS = "Linux kernel documentation, AMDGPU RAS Support";
const AMD_SMI = "AMD SMI CLI tool (amdsmi-cli-tool.md, ROCm 7)";
const AMD_TOOLS = ["amd-smi", "rocm-smi"];

/**
 * amdsmi_violation_status_t: what protects the hardware. `ppt` (the power limit), `low_utilization` and the clocks below a
 * limit of the host's are normal work.
 */
export const AMD_THERMAL = ["prochot", "socket_thermal", "vr_thermal", "hbm_thermal"];

/** zes_freq_throttle_reason_flags_t as xpu-smi names them; caps of power, current and range are normal work. */
export const INTEL_THERMAL = ["Thermal", "ThermalAlert"];

/** The boards whose word for the DRAM is a result of its training: tt-smi may print false for a good Blackhole. */
const WORMHOLE = /^(?:n150|n300|tt-galaxy-wh)\b/i;

export const VENDOR_RULES: readonly Rule<Gpu>[] = [
  {
    id: "amd-ras-deferred",
    severity: "warning",
    condition: "deferred RAS errors since the driver was loaded: memory failed, and nothing has used it yet",
    action: "look at amd-smi metric --ecc-blocks and the kernel log; drain the host and reset the GPU",
    source: `${AMD_SMI}, metric --ecc (total_deferred_count); ${RAS}`,
    check: (gpu) => counted(gpu, ["amd-smi"], "ecc_deferred", (count) => `${count} deferred RAS errors`),
  },
  {
    id: "amd-bad-pages-pending",
    severity: "warning",
    condition: "pages of memory are marked as bad and not retired yet",
    action: "reset the GPU or reload amdgpu when it is idle: the pages are retired then",
    source: `${RAS}, "gpu_vram_bad_pages", flag P`,
    check: (gpu) =>
      counted(gpu, AMD_TOOLS, "bad_pages_pending", (count) => `${count} bad pages wait to be retired`),
  },
  {
    id: "amd-bad-pages-unreservable",
    severity: "warning",
    condition: "pages of memory are bad and could not be taken out of use",
    action: "drain the host and reboot it; have the GPU checked if the pages are still listed",
    source: `${RAS}, "gpu_vram_bad_pages", flag F`,
    check: (gpu) =>
      counted(gpu, AMD_TOOLS, "bad_pages_unreservable", (count) => `${count} bad pages are still in use`),
  },
  {
    id: "amd-bad-page-threshold",
    severity: "critical",
    condition: "amd-smi reports more retired pages than the GPU's limit (it needs root for that)",
    action: "take the GPU out of use and have it replaced",
    source: "AMD SMI changelog, ROCm 7.0.2: bad_page_threshold_exceeded of static --ras",
    check: ({ detail }) =>
      detail["bad_page_threshold_exceeded"] === "True"
        ? found(`more bad pages than the limit of ${detail["bad_page_threshold"] ?? "the GPU"}`)
        : FINE,
  },
  {
    id: "amd-violation",
    severity: "warning",
    condition: `throttle_reasons of amd-smi has ${AMD_THERMAL.slice(1).join(", ")}, or prochot (critical)`,
    action: "check airflow, inlet temperature, fans and cold plates",
    source: `${AMD_SMI}, metric --violation; amdsmi.h, amdsmi_violation_status_t`,
    check: (gpu) =>
      heldBack(gpu, ["amd-smi"], AMD_THERMAL, (active) =>
        active.includes("prochot") ? "critical" : "warning",
      ),
  },
  {
    id: "intel-thermal",
    severity: "warning",
    condition: `throttle_reasons of xpu-smi has ${INTEL_THERMAL.join(" or ")}`,
    action: "check airflow, inlet temperature and fans",
    source: "xpu-smi 2.0, clocks.throttle.reason; Level Zero zes_freq_throttle_reason_flags_t",
    check: (gpu) => heldBack(gpu, ["xpu-smi"], INTEL_THERMAL, () => "warning"),
  },
  {
    id: "ascend-health",
    severity: "critical",
    condition: "npu-smi's Health is Alarm or Critical; Warning is a warning, any other than OK unknown",
    action:
      "npu-smi info -t health -i ID names the fault; drain the host, reset the card, replace it if it returns",
    source: "Ascend DCMI API, dcmi_get_device_health (0 to 3); npu-smi info, column Health",
    check: (gpu) => healthWord(gpu, "npu-smi", ASCEND_WORDS),
  },
  {
    id: "rebellions-status",
    severity: "critical",
    condition: "rbln-smi's status names a fault; any other than normal is unknown",
    action: "run rbln-smi on the host by hand, look at the kernel log, and reset the card",
    source: "docs.rbln.ai, Device Monitoring (rbln-smi -j, status)",
    check: (gpu) => healthWord(gpu, "rbln-smi", { fine: /^normal$/i, warning: /^warn/i }),
  },
  {
    id: "furiosa-liveness",
    severity: "critical",
    condition: "furiosa-smi's liveness is dead; any other than alive is unknown",
    action: "run furiosa-smi status on the host by hand, look at the kernel log, and reset the card",
    source: "Furiosa SMI CLI, furiosa-smi status (liveness)",
    check: (gpu) => healthWord(gpu, "furiosa-smi", { fine: /^(?:alive|true)$/i, warning: /^warn/i }),
  },
  {
    id: "tenstorrent-dram-training",
    severity: "critical",
    condition: "the training of a Wormhole's DRAM failed (dram_status false, and its word was read)",
    action:
      "reset the board with tt-smi -r INDEX; if it fails again, power the host off and on, then replace it",
    source: "tt-smi, backend.py, get_dram_training_status",
    check: ({ tool, name, detail }) =>
      tool === "tt-smi" && detail["dram_status"] === "false" && WORMHOLE.test(name ?? "")
        ? found("a DRAM channel is not trained")
        : FINE,
  },
  {
    id: "tenstorrent-gddr-uncorrected",
    severity: "critical",
    condition: "a GDDR of a Blackhole has had an uncorrected error (GDDR_UNCORR_ERRS is not 0)",
    action: "reset the board with tt-smi -r INDEX; errors that come back are a reason for replacement",
    source: "tt-umd, telemetry tag 50 (GDDR_UNCORR_ERRS: a bit for reads and one for writes of each GDDR)",
    check: (gpu) =>
      counted(
        gpu,
        ["tt-smi"],
        "gddr_uncorrected",
        (bits) => `uncorrected GDDR errors, bits 0x${bits.toString(16)}`,
      ),
  },
  {
    id: "tenstorrent-thermal-limit",
    severity: "warning",
    condition: "the chip is as hot as the lower of its two limits (thm_limit, therm_trip_l1_limit)",
    action: "check airflow, inlet temperature and fans",
    source: "tt-smi, backend.py, get_wh_chip_limits and get_bh_chip_limits",
    check: thermalLimit,
  },
];

/** A count in `detail` that must be 0. One that is not there is no finding: few cards and releases have it. */
function counted(
  { tool, detail }: Gpu,
  tools: readonly string[],
  key: string,
  message: (count: number) => string,
): Verdict {
  const count = Number(detail[key] ?? 0);
  return tools.includes(tool ?? "") && count > 0 ? found(message(count)) : FINE;
}

function heldBack(
  { tool, throttle_reasons: reasons }: Gpu,
  tools: readonly string[],
  faults: readonly string[],
  severity: (active: readonly string[]) => "warning" | "critical",
): Verdict {
  const active = faults.filter((fault) => reasons?.includes(fault) === true);
  if (!tools.includes(tool ?? "") || active.length === 0) return FINE;
  return found(`the clocks are held back: ${active.join(", ")}`, severity(active));
}

interface Words {
  readonly fine: RegExp;
  readonly warning: RegExp;
}
const ASCEND_WORDS: Words = { fine: /^ok$/i, warning: /^(?:warning|minor)/i };
const FAULT = /alarm|critical|major|err|fault|fail|abnormal|dead|lost|offline|^false$/i;

/** The tool's own word. A word that no document of the vendor has is unknown, not a fault. */
function healthWord({ tool, health_status: word }: Gpu, ofTool: string, { fine, warning }: Words): Verdict {
  if (tool !== ofTool || word === undefined || word === null || fine.test(word)) return FINE;
  if (warning.test(word)) return found(`health: ${word}`, "warning");
  return FAULT.test(word) ? found(`health: ${word}`) : { kind: "unknown", message: `health: ${word}` };
}

function thermalLimit(gpu: Gpu): Verdict {
  const limit = tenstorrentLimit(gpu);
  const { temperature } = gpu;
  if (limit === null || temperature === null || temperature < limit) return FINE;
  return found(`${temperature} °C, at its limit of ${limit} °C`);
}

/** The lower of the chip's two limits, °C; null for other vendors, and where none is known. */
export function tenstorrentLimit({ tool, detail }: Gpu): number | null {
  if (tool !== "tt-smi") return null;
  const limits = [detail["thm_limit"], detail["therm_trip_l1_limit"]].flatMap((limit) =>
    limit === undefined ? [] : [Number(limit)],
  );
  return limits.length === 0 ? null : Math.min(...limits);
}
