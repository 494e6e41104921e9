/** The nvidia-smi shim as the program uses it. */
import { quickQueryReader } from "./nvidia-smi/fast/quick-query.js";
import { nvidiaSmi } from "./nvidia-smi/nvidia-smi.js";

// The one place that switches the quick reader on: with `(plain) => plain` instead, every tick is read by plain code.
export const nvidiaSmiShim = nvidiaSmi(quickQueryReader);
