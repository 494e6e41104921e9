/** Chooses the tools that a host is read with, by what the probe showed of each: all-smi first, then one vendor after another. */
import { HostError } from "../contract/errors.js";
import type { Gpu } from "../contract/record.js";
import { oneLine } from "../lib/text.js";
import { lackingOf } from "../shims/kit/device-list.js";
import { makerOf, type Shim } from "../shims/kit/shim.js";
import { joinDevices } from "./merge-sources.js";
import type { Accelerator, PciBus } from "./pci-bus.js";
import {
  isNativeShim,
  isReadable,
  shimOf,
  type BrokenTool,
  type DeviceSource,
  type Judged,
  type Readable,
} from "./probe.js";

type Failed = Judged & { readonly kind: "broken" };

/**
 * In the order in which they are reported; the first names the record's `transport`. Throws HostError `no-tool` or
 * `version-too-old` when there is none. `bus`: the accelerators that the probe saw; `foreignOutput`: what the host answered
 * instead of our markers, "" if nothing.
 */
export function chooseSources(
  judged: readonly Judged[],
  tried: readonly Shim[],
  bus: PciBus,
  foreignOutput: string,
): readonly DeviceSource[] {
  const native = judged.filter(isReadable).find(({ tool }) => isNativeShim(tool.shim));
  const all = judged.filter((each) => !isNativeShim(shimOf(each)));
  if (native?.kind === "usable") return [nativeBeside(native, all.filter(isReadable))];
  const kernel = kernelAmong(all);
  const others = all.filter((each) => shimOf(each).lastResort === undefined);
  const isReadByKernel = (shim: Shim): boolean => makerOf(shim).pci.some((id) => kernel?.pci.has(id));
  const vendors = [...new Set(others.map((each) => makerOf(shimOf(each)).vendor))];
  const working: DeviceSource[] = [];
  const failing: Failed[] = [];
  for (const vendor of vendors) {
    const tools = others.filter((each) => makerOf(shimOf(each)).vendor === vendor);
    const readable = tools.filter(isReadable);
    if (kernel !== null && tools.some((each) => isReadByKernel(shimOf(each)))) {
      kernel.beside.push(...readable);
      failing.push(...tools.filter(isFailed).filter(({ tool }) => tool.isTimeout));
      continue;
    }
    const source = sourceOf(readable);
    const failed = tools.find(isFailed);
    if (source !== null) working.push(source);
    else if (failed !== undefined) failing.push(failed);
  }
  if (kernel !== null) {
    const source = sourceOf([...kernel.beside, kernel.judged]);
    if (source !== null) working.push(source);
  }
  const reported = failing.filter(({ tool }) => !isLeftover(tool, working, bus));
  const broken: DeviceSource[] = reported.map(({ tool }) => ({ kind: "broken", main: tool }));
  if (native !== undefined) return [plain(native), ...working, ...broken];
  const nativeFailure = working.length > 0 ? undefined : judged.find(isFailed);
  if (nativeFailure !== undefined && isNativeShim(nativeFailure.tool.shim))
    broken.unshift({ kind: "broken", main: nativeFailure.tool });
  const chosen = [...working, ...broken];
  if (chosen.length === 0) throw noTool(judged, tried, bus, foreignOutput);
  return chosen;
}

/**
 * What the kernel reports; null where a tool works. `pci`: the vendors of its devices. Their tools are not asked for what it
 * reports: those that are `beside` it work and report little, and of the others only one that hangs is reported.
 */
interface Kernel {
  readonly judged: Readable;
  readonly pci: ReadonlySet<string>;
  readonly beside: Readable[];
}

function kernelAmong(judged: readonly Judged[]): Kernel | null {
  const isKernel = (each: Judged): boolean => shimOf(each).lastResort !== undefined;
  const kernel = judged.filter(isReadable).find(isKernel);
  if (kernel === undefined || judged.some((each) => each.kind === "usable" && !isKernel(each))) return null;
  const pci = (kernel.first.sections.gpus ?? []).map(
    ({ detail }) => `0x${detail["pci_id"]?.slice(0, 4) ?? ""}`,
  );
  return { judged: kernel, pci: new Set(pci), beside: [] };
}

/** The devices of all-smi with what only nvidia-smi reports of them (ECC counts, addresses). */
function nativeBeside(native: Readable, others: readonly Readable[]): DeviceSource {
  return { kind: "usable", main: native.tool, second: others[0]?.tool ?? null, known: [] };
}

/** The source of one vendor: the first tool that reports, and another one if it has a reading that the first lacks. */
function sourceOf(tools: readonly Readable[]): DeviceSource | null {
  const main = tools.find(({ kind }) => kind === "usable") ?? tools[0];
  if (main === undefined) return null;
  const gpus = main.first.sections.gpus ?? [];
  const rest = tools.filter((each) => each !== main);
  const second = rest.find((each) => fillsReading(gpus, each.first.sections.gpus ?? []));
  const known = rest.filter((each) => each !== second).flatMap((each) => each.first.sections.gpus ?? []);
  return { kind: "usable", main: main.tool, second: second?.tool ?? null, known };
}

function plain({ tool }: Readable): DeviceSource {
  return { kind: "usable", main: tool, second: null, known: [] };
}

function fillsReading(first: readonly Gpu[], second: readonly Gpu[]): boolean {
  return lackingOf(joinDevices(first, second)).length < lackingOf(first).length;
}

/**
 * A vendor's tool that fails on a host without its devices is left over from an image or a package: that is no failure.
 * It counts as left over where another vendor's tool works and the PCI bus shows devices of that vendor and none of this
 * one's. A bus that cannot be read, or does not show the devices that work (they are not on it, or a container hides it),
 * decides nothing.
 */
function isLeftover(tool: BrokenTool, working: readonly DeviceSource[], { accelerators }: PciBus): boolean {
  const ids = makerOf(tool.shim).pci;
  const onBus = new Set(accelerators.map(({ vendor }) => vendor));
  const showsWorking = working.some(({ main }) => makerOf(main.shim).pci.some((id) => onBus.has(id)));
  return showsWorking && ids.length > 0 && !ids.some((id) => onBus.has(id));
}

function noTool(
  judged: readonly Judged[],
  tried: readonly Shim[],
  { accelerators }: PciBus,
  foreignOutput: string,
): HostError {
  const old = judged.find((each) => each.kind === "too-old");
  if (old?.kind === "too-old") {
    return new HostError("version-too-old", "probe", old.message, {
      fix: "upgrade all-smi on the host to 0.22 or later, or allow vendor tools with --ssh-fallback",
    });
  }
  const message = oneLine(foreignOutput);
  const asked = tried
    .filter((shim) => shim.lastResort === undefined)
    .map((shim) => shim.executables.join("/"))
    .join(", ");
  const answer = message === "" ? "" : `; the host answered: ${message}`;
  const [first, ...others] = accelerators;
  if (first === undefined)
    return new HostError("no-tool", "probe", `found none of: ${asked}${answer}`, {
      fix: "install the vendor's tool or all-smi on the host, or see its PATH for non-interactive shells",
    });
  const { vendor, tools } = toolsFor(first, tried);
  const more = others.length === 0 ? "" : ` and ${String(others.length)} more`;
  const seen = `the host has an accelerator (${vendor}${first.name}${more})`;
  return new HostError("no-tool", "probe", `${seen} and none of: ${asked}${answer}`, {
    fix: `install ${tools} or all-smi on the host, or see its PATH for non-interactive shells`,
  });
}

/** `vendor`: for a message, with a blank behind it; "" where none of the tools is for it. */
function toolsFor(
  accelerator: Accelerator,
  tried: readonly Shim[],
): { readonly vendor: string; readonly tools: string } {
  const shims = tried.filter((shim) => makerOf(shim).pci.includes(accelerator.vendor));
  const [first] = shims;
  if (first === undefined) return { vendor: "", tools: "the vendor's tool" };
  return { vendor: `${makerOf(first).vendor} `, tools: shims.map(({ id }) => id).join(", ") };
}

function isFailed(judged: Judged): judged is Failed {
  return judged.kind === "broken";
}
