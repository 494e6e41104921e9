/**
 * GPUs that sleep: their kernel driver has suspended them (Documentation/power/runtime_pm.rst), and any query would wake
 * them. Where every GPU of a tool's vendor sleeps, the tool is not run, and they are listed without readings. Where one is
 * awake the tool runs, for all of them: the one that is awake is worth reading, and nvidia-smi(1) does not promise that `-i`
 * starts no other GPU. NVML starts the one that it looks up by address, and others that are its SLI slaves; by uuid or
 * serial it may start others in the search (nvml.h, nvmlDeviceGetHandleByPciBusId_v2 and nvmlDeviceGetHandleByUUID).
 */
import type { Gpu } from "../contract/record.js";
import { sharedText } from "../lib/shared-values.js";
import { accelerator } from "../shims/kit/accelerator.js";
import { NOTE_PCI_ID, PCI_NAMES_COMMAND, pciNamesIn } from "../shims/kit/pci-names.js";
import {
  makerOf,
  type Part,
  type PartOutputs,
  type Reading,
  type Sampler,
  type Shim,
} from "../shims/kit/shim.js";

/** The drivers whose GPUs a vendor's tools wake. all-smi asks the libraries of NVIDIA and AMD. */
const DRIVERS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  nvidia: [["nvidia"]],
  amd: [["amdgpu"]],
  intel: [["i915", "xe"]],
  native: [["nvidia"], ["amdgpu"]],
};

/** Drivers whose GPUs running the tool would wake. Where all of one group's sleep, it is not run. */
export function wokenBy(shim: Shim): readonly (readonly string[])[] {
  return DRIVERS[makerOf(shim).vendor] ?? [];
}

/** The part that lists, in place of the tool's own, the addresses of the GPUs that sleep. */
export function asleepPart(shim: string): string {
  return `${shim}.asleep`;
}

/** The addresses, as `0000:01:00.0`; null where the tool was run. */
export function sleepersIn(shim: string, outputs: PartOutputs): readonly string[] | null {
  const output = outputs.get(asleepPart(shim));
  return output === undefined
    ? null
    : (output.stdout.match(/\b[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b/g) ?? []);
}

/** Whether every device of a reading sleeps. */
export function areAsleep(gpus: readonly Gpu[]): boolean {
  return gpus.length > 0 && gpus.every((gpu) => gpu.power_state === "suspended");
}

/** What a GPU that sleeps is called by. */
export type NamedGpu = { readonly [Name in GpuName]?: Gpu[Name] | undefined };
type GpuName = "index" | "uuid" | "name" | "serial" | "pci_bus_id" | "driver_version";

/** The names of a reading's GPUs; `before` itself where they are the same, so that no reading is kept for them. */
export function namesOf(gpus: readonly Gpu[], before: readonly NamedGpu[]): readonly NamedGpu[] {
  const isSame = (gpu: Gpu, at: number): boolean => {
    const named = before[at];
    // In each tick, for each GPU: one by one, a loop over a list of names takes three times as long.
    return (
      named !== undefined &&
      named.uuid === gpu.uuid &&
      named.index === gpu.index &&
      named.name === gpu.name &&
      named.serial === gpu.serial &&
      named.pci_bus_id === gpu.pci_bus_id &&
      named.driver_version === gpu.driver_version
    );
  };
  if (gpus.length === before.length && gpus.every(isSame)) return before;
  return gpus.map(({ index, uuid, name, serial, pci_bus_id, driver_version }) => ({
    index,
    uuid: ownText(uuid),
    name: ownText(name),
    serial: ownText(serial),
    pci_bus_id: ownText(pci_bus_id),
    driver_version: ownText(driver_version),
  }));
}

/** A text that was cut from a tool's whole answer would keep that in memory. */
function ownText<Text extends string | null | undefined>(text: Text): Text | string {
  return typeof text === "string" ? sharedText(text) : text;
}

/** The GPUs that sleep, with what earlier readings reported of their identity. */
export function sleepingGpus(addresses: readonly string[], known: readonly NamedGpu[]): readonly Gpu[] {
  return addresses.map((address) => {
    const same = known.find((gpu) => isAddress(gpu.pci_bus_id ?? null, address));
    return accelerator("GPU", {
      index: same?.index ?? null,
      uuid: same?.uuid ?? null,
      name: same?.name ?? null,
      ...(same?.serial === undefined ? {} : { serial: same.serial }),
      pci_bus_id: same?.pci_bus_id ?? address,
      ...(same?.driver_version === undefined ? {} : { driver_version: same.driver_version }),
      power_state: "suspended",
    });
  });
}

/** The reading of a tool that was not run. No process uses a GPU that sleeps: its driver suspends it only then. */
export function asleepReading(addresses: readonly string[], known: readonly NamedGpu[]): Reading {
  return { sections: { gpus: sleepingGpus(addresses, known), processes: [] }, errors: [] };
}

/** `00000000:01:00.0`, as nvidia-smi prints it, is `0000:01:00.0`. */
function isAddress(printed: string | null, address: string): boolean {
  const short = (text: string): string => text.toLowerCase().replace(/^0+(?=[0-9a-f]+:[0-9a-f]{2}:)/, "");
  return printed !== null && short(printed) === short(address);
}

/** A tool that was not run in the probe since its GPUs sleep. When one wakes, the host is probed again. */
export class SleepingSampler implements Sampler {
  readonly #shim: string;
  readonly #names: Part;
  readonly #awake: Part;
  #parts: readonly Part[];

  constructor(shim: Shim) {
    this.#shim = shim.id;
    const drivers = wokenBy(shim).flat();
    this.#names = { id: `${shim.id}.names`, kind: "buffered-shell", command: namesCommand(drivers) };
    this.#awake = { id: `${shim.id}.awake`, kind: "buffered-shell", command: ":" };
    this.#parts = [this.#names];
  }

  get parts(): readonly Part[] {
    return this.#parts;
  }

  parse(outputs: PartOutputs): Reading {
    this.#parts = [this.#awake];
    const sleeping = sleepersIn(this.#shim, outputs);
    if (sleeping === null) return { sections: {}, errors: [AWAKE], outdated: true };
    return asleepReading(sleeping, this.#named(outputs));
  }

  #named(outputs: PartOutputs): readonly Gpu[] {
    const lines = (outputs.get(this.#names.id)?.stdout ?? "").split("\n");
    const names = pciNamesIn(lines);
    return lines.flatMap((line) => {
      const [, address, pciId = ""] = /^@(\S+) (\S+)$/.exec(line) ?? [];
      return address === undefined
        ? []
        : [accelerator("GPU", { pci_bus_id: address, name: names.get(pciId) ?? null })];
    });
  }
}

const AWAKE = {
  section: "gpu",
  kind: "error",
  message: "a GPU that slept is awake; the host is probed again soon",
} as const;

/** Lines `@ADDRESS VENDOR:DEVICE`, then names: once, by what the kernel keeps of each device. */
function namesCommand(drivers: readonly string[]): string {
  const folders = drivers.map((driver) => `/sys/bus/pci/drivers/${driver}/*:*:*.*`).join(" ");
  const each = `${NOTE_PCI_ID}; w "@\${zd##*/} $zv:$zi$n"`;
  return `zn=; for zd in ${folders}; do ${each}; done 2>/dev/null; ${PCI_NAMES_COMMAND}; :`;
}
