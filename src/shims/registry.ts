/** The tools that are tried, in the order they are tried. A new tool is one file beside this one and one line here. */
import { nativeShim } from "./native.js";
import { amdSmiShim } from "./amd-smi.js";
import { rocmSmiShim } from "./rocm-smi.js";
import { ttSmiShim } from "./tt-smi.js";
import { hlSmiShim } from "./hl-smi.js";
import { furiosaSmiShim } from "./furiosa-smi.js";
import { rblnSmiShim } from "./rbln-smi.js";
import { xpuSmiShim } from "./xpu-smi.js";
import { tegrastatsShim } from "./tegrastats.js";
import { npuSmiShim } from "./npu-smi.js";
import { tpuInfoShim } from "./tpu-info.js";
import { nvidiaSmiShim } from "./nvidia-smi.js";
import type { Shim } from "./shim.js";

/** Native first: it is always tried. The rest is the default order of `--ssh-fallback`. */
export const SHIMS: readonly Shim[] = [
  nativeShim,
  nvidiaSmiShim,
  amdSmiShim,
  rocmSmiShim,
  ttSmiShim,
  hlSmiShim,
  furiosaSmiShim,
  rblnSmiShim,
  xpuSmiShim,
  tegrastatsShim,
  npuSmiShim,
  tpuInfoShim,
];

/** What `--ssh-fallback` chooses from: ids in the default order, without native. */
export const FALLBACK_IDS: readonly string[] = SHIMS.filter((shim) => shim !== nativeShim).map(
  (shim) => shim.id,
);

/** The shim of an id or another spelling of it, case ignored; undefined for an unknown name. */
export function shimNamed(name: string): Shim | undefined {
  const asked = name.trim().toLowerCase();
  return SHIMS.find((shim) => shim.id === asked || shim.aliases.includes(asked));
}

/** Native and the given fallbacks (ids, in the operator's order), each once: what a probe tries. */
export function shimsToTry(fallback: readonly string[]): readonly Shim[] {
  const named = fallback.map(shimNamed).filter((shim) => shim !== undefined);
  return [...new Set([nativeShim, ...named])];
}
