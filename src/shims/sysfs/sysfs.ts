/**
 * AMD's and Intel's GPUs by the kernel's own files, for hosts where no vendor tool works. Nothing has to be installed and no
 * special rights are needed; see commands.ts for what is read.
 */
import type { Gpu, SectionError } from "../../contract/record.js";
import { accelerator } from "../kit/accelerator.js";
import { integerCell, linkCell, presentTexts, textCell } from "../kit/cells.js";
import { partError } from "../kit/part-output.js";
import { pciNamesIn } from "../kit/pci-names.js";
import type { Part, PartOutputs, ProbeContext, Reading, Sampler, Shim } from "../kit/shim.js";
import { amdDetail, amdReadings } from "./amd-gpu.js";
import { factsCommand, HAS_GPU, readingsCommand } from "./commands.js";
import { EnergyCounters } from "./energy.js";
import { intelDetail, intelReadings } from "./intel-gpu.js";
import { linkGeneration } from "./kernel-cells.js";
import { devicesIn, type SysfsDevice } from "./listing.js";

const GPUS = "sysfs.gpus";
const FACTS = "sysfs.facts";

const NO_VALUES: ReadonlyMap<string, string> = new Map();

export const sysfsShim: Shim = {
  id: "sysfs",
  maker: { vendor: "sysfs", pci: ["0x1002", "0x8086"] },
  executables: ["/sys"],
  lastResort: { isHere: HAS_GPU },
  // A host that runs no shell of ours has no way to read several files.
  probe: (context) => (context.mode === "plain" ? [] : [gpusPart(context), factsPart(context)]),
  judge(outputs, context) {
    if (devicesIn(outputs.get(GPUS)?.stdout ?? "").length > 0)
      return { kind: "usable", sampler: new SysfsSampler(outputs, context) };
    const failed = partError("gpu", "sysfs", outputs.get(GPUS));
    return { kind: "broken", message: failed?.message ?? NO_DEVICE };
  },
};

const NO_DEVICE = "sysfs: no device of amdgpu, i915 or xe in /sys/bus/pci/drivers";

const gpusPart = ({ isWaking }: ProbeContext): Part => ({
  id: GPUS,
  kind: "buffered-shell",
  command: readingsCommand(isWaking === true),
});
const factsPart = ({ isWaking }: ProbeContext): Part => ({
  id: FACTS,
  kind: "buffered-shell",
  command: factsCommand(isWaking === true),
});

class SysfsSampler implements Sampler {
  readonly parts: readonly Part[];
  readonly #include: ProbeContext["include"];
  readonly #facts: ReadonlyMap<string, SysfsDevice>;
  readonly #names: ReadonlyMap<string, string>;
  readonly #energy = new EnergyCounters();

  constructor(probed: PartOutputs, context: ProbeContext) {
    const text = probed.get(FACTS)?.stdout ?? "";
    const namesAt = text.lastIndexOf("\n@names\n");
    this.parts = context.include.has("gpu") ? [gpusPart(context)] : [];
    this.#include = context.include;
    this.#facts = new Map(devicesIn(text).map((device) => [device.address, device]));
    this.#names = pciNamesIn(namesAt < 0 ? [] : text.slice(namesAt).split("\n"));
  }

  parse(outputs: PartOutputs): Reading {
    if (!this.#include.has("gpu")) return { sections: {}, errors: [] };
    const output = outputs.get(GPUS);
    const devices = devicesIn(output?.stdout ?? "");
    this.#energy.keepOnly(devices);
    const gpus = devices.map((device) => this.#gpu(device));
    const errors: SectionError[] = [];
    const failed = partError("gpu", "sysfs", output, gpus.length > 0);
    if (failed !== null) errors.push(failed);
    else if (gpus.length === 0) errors.push({ section: "gpu", kind: "error", message: NO_DEVICE });
    const reading = { sections: gpus.length > 0 ? { gpus } : {}, errors };
    // A card that was added, or whose driver was loaded again: its name and number are not known.
    const isNew = devices.some(({ address }) => !this.#facts.has(address));
    return isNew ? { ...reading, outdated: true } : reading;
  }

  #gpu(device: SysfsDevice): Gpu {
    const { address, driver, status, values } = device;
    const facts = this.#facts.get(address);
    const fixed = facts?.values ?? NO_VALUES;
    const pciId = fixed.get("pci_id") ?? "";
    const isAmd = driver === "amdgpu";
    const readings = isAmd
      ? amdReadings(values, fixed)
      : intelReadings(device, facts, this.#energy.read(device));
    return accelerator("GPU", {
      index: integerCell(fixed.get("card")),
      uuid: identifier(fixed.get("unique_id")),
      name: textCell(fixed.get("product_name")) ?? this.#names.get(pciId) ?? null,
      pci_bus_id: address,
      ...factsOf(fixed),
      ...readings,
      pcie_link_gen: linkGeneration(values.get("current_link_speed")),
      pcie_link_width: linkCell(values.get("current_link_width")),
      power_state: status === "unsupported" ? null : textCell(status),
      detail: {
        ...presentTexts({ driver, pci_id: pciId }),
        ...(isAmd ? amdDetail(values, fixed) : intelDetail(device)),
      },
    });
  }
}

/** What the device has of these; -1 is the node of a host with one node only. */
function factsOf(fixed: ReadonlyMap<string, string>): Partial<Gpu> {
  const serial = identifier(fixed.get("serial_number"));
  const driver = textCell(fixed.get("driver_version"));
  const node = integerCell(fixed.get("numa_node"));
  return {
    ...(serial === null ? {} : { serial }),
    ...(driver === null ? {} : { driver_version: driver }),
    ...(node === null ? {} : { numa_node_id: node }),
  };
}

/** Null for an id of only zeros or only f: the firmware has none. */
function identifier(text: string | undefined): string | null {
  return text === undefined || /^(?:0x)?(?:0+|f{8,})$/.test(text) ? null : textCell(text);
}
