/** The texts that vendor tools print in a cell that has no value. */

// What nvidia-smi, rocm-smi, amd-smi, npu-smi and hl-smi print for "no value", in lower case, without brackets.
const NO_VALUE = new Set([
  "",
  "-",
  "--",
  "n/a",
  "na",
  "nan",
  "null",
  "err!",
  "error",
  "unknown error",
  "not supported",
  "not available",
  "not found",
  "not applicable",
  "no data",
  "undefined",
  "function not found",
  "insufficient permissions",
  "no permission",
  "gpu is lost",
  "gpu requires reset",
  "gpu reset required",
  "requested functionality has been deprecated",
  "driver not loaded",
  "timeout",
]);

const ZERO = 0x30;
const NINE = 0x39;

/** Whether a cell stands for no value: `[N/A]`, `ERR!`, `[GPU is lost]`, empty, `N/A (Secondary die)`, ... */
export function isMissing(cell: string): boolean {
  // Each tick checks thousands of numbers here.
  const first = cell.charCodeAt(0);
  if ((first >= ZERO && first <= NINE) || /^\s*\d/.test(cell)) return false;
  const bare = cell.trim().toLowerCase();
  // nvidia-smi from 610 on: `Deprecated, see "KMD version"`.
  if (/^\[?(?:n\/a|deprecated, see)/.test(bare)) return true;
  return NO_VALUE.has(bare.startsWith("[") && bare.endsWith("]") ? bare.slice(1, -1).trim() : bare);
}
