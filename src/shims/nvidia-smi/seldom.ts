/**
 * Readings that are asked seldom. They stay as they are while the driver is loaded, or change only together with another
 * reading that every tick asks for. So they are kept for a GPU as long as all those stay the same, and no longer.
 */
import type { Gpu } from "../../contract/record.js";
import { sharedValue } from "../../lib/shared-values.js";
import { SELDOM_DETAIL, SELDOM_KEYS } from "./readings.js";

const IS_SELDOM: ReadonlySet<string> = new Set(SELDOM_KEYS);

interface Kept {
  readonly readings: Readonly<Record<string, unknown>>;
  readonly detail: Readonly<Record<string, string>>;
}

/** `CUDA Version        : 13.1` of `nvidia-smi --version`; from driver 610 on it is the `CUDA UMD Version`. */
export function cudaVersionIn(text: string): string | null {
  return /^CUDA (?:UMD )?Version\s*:\s*(\d{1,3}\.\d{1,3})\s*$/m.exec(text)?.[1] ?? null;
}

/** Keeps the seldom readings of one host's GPUs. Most GPUs of a fleet have the same ones, and share them. */
export class SeldomReadings {
  #kept = new Map<string, Kept>();
  /** Read once with the probe, so it is only that driver's. */
  readonly #cuda: { readonly version: string; readonly driver: string | null | undefined } | null;
  /** What a GPU that is not known yet has instead: null for each reading that this driver has. */
  #unknown: Kept = { readings: {}, detail: {} };

  constructor(cudaVersion: string | null, gpus: readonly Gpu[]) {
    const driver = gpus.find(({ error }) => error === undefined)?.driver_version;
    this.#cuda = cudaVersion === null ? null : { version: cudaVersion, driver };
  }

  /** Takes the readings of an answer that holds all fields, in place of the earlier ones; false where nothing changed. */
  remember(gpus: readonly Gpu[]): boolean {
    const before = this.#kept;
    let keys: readonly string[] = [];
    this.#kept = new Map();
    for (const gpu of gpus) {
      if (gpu.error !== undefined) continue;
      const kept = this.#keptOf(gpu);
      this.#kept.set(identityOf(gpu), sharedValue(kept));
      keys = Object.keys(kept.readings);
    }
    if (this.#kept.size > 0) {
      const nulls = Object.fromEntries(keys.map((key) => [key, null]));
      this.#unknown = sharedValue({ readings: nulls, detail: {} });
    }
    // The first answer of a session, which is all that a short run has, is compared with nothing.
    if (before.size === 0) return this.#kept.size > 0;
    return JSON.stringify([...this.#kept]) !== JSON.stringify([...before]);
  }

  #keptOf(gpu: Gpu): Kept {
    const readings: Record<string, unknown> = {};
    SELDOM_KEYS.forEach((key) => {
      if (gpu[key] !== undefined) readings[key] = gpu[key];
    });
    // In MIG mode the histogram comes without the counts, so nothing shows when it changes.
    if (gpu.remapped_rows_correctable === null && "remapped_rows_histogram" in readings)
      readings["remapped_rows_histogram"] = null;
    const detail: Record<string, string> = {};
    for (const key of SELDOM_DETAIL) {
      const text = key === "cuda_version" ? this.#cudaOf(gpu) : gpu.detail[key];
      if (text !== undefined) detail[key] = text;
    }
    return { readings, detail };
  }

  /** Whether all GPUs are known that could be. */
  knows(gpus: readonly Gpu[]): boolean {
    return gpus.every((gpu) => gpu.error !== undefined || this.#kept.has(identityOf(gpu)));
  }

  /** The GPU with what is kept of it, in the same order of keys whichever fields were asked for. */
  complete(gpu: Gpu): Gpu {
    if (gpu.error !== undefined) return gpu;
    return completed(gpu, this.#kept.get(identityOf(gpu)) ?? this.#unknown);
  }

  /** The same of a GPU of which all was asked, by what it has itself. */
  completeByItself(gpu: Gpu): Gpu {
    return gpu.error === undefined ? completed(gpu, this.#keptOf(gpu)) : gpu;
  }

  #cudaOf({ driver_version: driver, detail }: Gpu): string | undefined {
    return this.#cuda?.driver === driver ? this.#cuda?.version : detail["cuda_version"];
  }
}

function completed(gpu: Gpu, { readings, detail }: Kept): Gpu {
  const whole: Record<string, unknown> = {};
  Object.keys(gpu).forEach((key) => {
    if (!IS_SELDOM.has(key))
      whole[key] = key === "detail" ? completedDetail(gpu, detail) : Reflect.get(gpu, key);
  });
  return Object.assign(whole as unknown as Gpu, readings);
}

function completedDetail(gpu: Gpu, detail: Kept["detail"]): Record<string, string> {
  const whole: Record<string, string> = {};
  Object.keys(gpu.detail).forEach((key) => {
    const text = gpu.detail[key];
    if (text !== undefined && !SELDOM_DETAIL.includes(key)) whole[key] = text;
  });
  return Object.assign(whole, detail);
}

/** The same text as long as nothing kept can have changed: the histogram of spare rows changes with the remapped rows. */
function identityOf(gpu: Gpu): string {
  return JSON.stringify([
    ...[gpu.uuid, gpu.name, gpu.pci_bus_id, gpu.driver_version],
    ...[gpu.remapped_rows_correctable, gpu.remapped_rows_uncorrectable, gpu.remapped_rows_pending],
  ]);
}
