/** What keeps the NVIDIA driver started where persistence mode is off and nothing else uses the GPUs. */
import type { Holder } from "../kit/shim.js";

export const NVIDIA_HOLDER: Holder = {
  // In loop mode a reading costs a tenth: 3 ms of CPU instead of 31 (forty fields of an H100, driver 580, persistence mode
  // on), each line through a pipe at once. Still no reading is taken from it: its beat is not ours, and what it goes on
  // to tell of a GPU that was lost meanwhile is not trusted everywhere.
  //
  // NVML starts a GPU when it is first asked for (nvmlDeviceGetHandleByIndex; nvmlInit_v2 alone starts none) and lets go
  // of it when the program ends: so each GPU is asked for something of its own, and what is of little use.
  command: "{tool} --query-gpu=uuid --format=csv,noheader -l 60",
  /** A failed GPU can be reset only while nothing uses it: a host with one is left alone. */
  isWanted({ sections: { gpus = [] }, errors }) {
    if (errors.some(({ section }) => section === "gpu")) return false;
    return gpus.some((gpu) => gpu.persistence_mode !== true) && gpus.every((gpu) => gpu.error === undefined);
  },
};
