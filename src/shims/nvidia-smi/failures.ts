/** nvidia-smi's error messages, for one GPU or for all, and what they mean. Texts from drivers 340 to 595. */
import { oneLine } from "../../lib/text.js";

interface Failure {
  readonly pattern: RegExp;
  readonly meaning: string;
}

/** nvml.h, NVML_ERROR_OPERATING_SYSTEM: "The GPU control device has been blocked by the operating system/cgroups". */
const BLOCKED =
  "the operating system or a container blocks the GPUs' control device (/dev/nvidiactl, under WSL /dev/dxg)";

const FAILURES: readonly Failure[] = [
  { pattern: /couldn'?t communicate with the NVIDIA driver/i, meaning: "the NVIDIA driver is not loaded" },
  { pattern: /Driver Not Loaded/i, meaning: "the NVIDIA driver is not loaded" },
  {
    pattern: /Driver\/library version mismatch/i,
    meaning:
      "the NVIDIA library and the loaded kernel driver differ in version (reload the driver or reboot)",
  },
  {
    pattern: /No devices (?:were )?found/i,
    meaning:
      "the NVIDIA driver is loaded and shows no GPU (none is there, it failed to start, or a container hides it)",
  },
  {
    pattern:
      /couldn'?t find .*libnvidia-ml|libnvidia-ml\.so.*(?:not found|cannot open)|NVML Shared Library Not Found/i,
    meaning: "the NVIDIA management library (libnvidia-ml) is missing or cannot be loaded",
  },
  {
    pattern: /GPU access blocked by the operating system/i,
    meaning: BLOCKED,
  },
  { pattern: /Insufficient Permissions/i, meaning: "no permission to read the GPU" },
  { pattern: /GPU is lost|GPU has fallen off the bus/i, meaning: "a GPU is lost (reboot the host)" },
  { pattern: /requires? reset/i, meaning: "a GPU requires a reset" },
  {
    pattern: /is not a valid field to query/i,
    meaning: "this driver does not know a field that was asked for",
  },
  { pattern: /infoROM is corrupted/i, meaning: "a GPU's infoROM is corrupted" },
  { pattern: /Failed to initialize NVML/i, meaning: "NVML could not be initialised" },
];

/** nvidia-smi(1), RETURN VALUE. */
const EXIT_MEANINGS: ReadonlyMap<number, string> = new Map([
  [2, "an argument was refused"],
  [3, "the operation is not supported"],
  [4, "no permission to read the GPU"],
  [6, "no NVIDIA GPU was found"],
  [8, "a GPU's external power cable is not attached"],
  [9, "the NVIDIA driver is not loaded"],
  [10, "the NVIDIA kernel driver has an interrupt problem with a GPU"],
  [12, "the NVIDIA management library (libnvidia-ml) is missing or cannot be loaded"],
  [13, "the NVIDIA management library lacks a function"],
  [14, "a GPU's infoROM is corrupted"],
  [15, "a GPU is lost (reboot the host)"],
  [16, "a GPU requires a reset"],
  [17, BLOCKED],
  [18, "the NVIDIA library and the loaded kernel driver differ in version (reload the driver or reboot)"],
  [124, "nvidia-smi did not end in time"],
  [126, "nvidia-smi cannot be run"],
  [127, "nvidia-smi was not found"],
]);

/** The meaning of a failure, followed by the output of nvidia-smi, which may be empty, or else by its exit status. */
export function explainFailure(output: string, exitCode: number | null): string {
  const text = oneLine(output);
  const known = FAILURES.find(({ pattern }) => pattern.test(text));
  const meaning = known?.meaning ?? (exitCode === null ? undefined : EXIT_MEANINGS.get(exitCode));
  if (text !== "") return meaning === undefined ? `nvidia-smi: ${text}` : `${meaning}; nvidia-smi: ${text}`;
  const status = exitCode === null ? "printed nothing" : `exited ${exitCode} and printed nothing`;
  return meaning === undefined ? `nvidia-smi ${status}` : `${meaning}; nvidia-smi ${status}`;
}

/** A GPU that NVML could not open, as a sentence between the rows reports it. */
export interface LostGpu {
  /** Null where the sentence has none. */
  readonly index: number | null;
  /** In the form of the rows: `00000000:02:00.0`. */
  readonly busId: string;
  readonly reason: string;
}

const NO_HANDLE =
  /Unable to determine the device handle for gpu\s*(?:(\d{1,4}):\s+)?([0-9a-f]{4,8})(:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])\s*:?\s*(.*)/i;

/** Reads `Unable to determine the device handle for GPU0000:02:00.0: Unknown Error` and its variants. */
export function lostGpu(line: string): LostGpu | null {
  const match = NO_HANDLE.exec(line);
  if (match === null) return null;
  const [, index, domain = "", address = "", reason = ""] = match;
  return {
    index: index === undefined ? null : Number(index),
    busId: `${domain.padStart(8, "0")}${address}`.toUpperCase(),
    reason: oneLine(reason) || "Unknown Error",
  };
}
