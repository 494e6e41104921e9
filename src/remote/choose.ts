/** Which tools a host is read with, by what the probe showed of each: one vendor after another, and all-smi before them. */
import { HostError } from "../contract/errors.js";
import type { Gpu } from "../contract/record.js";
import { oneLine } from "../lib/text.js";
import { lackingOf } from "../shims/kit/core-readings.js";
import type { PartOutput, Shim } from "../shims/kit/shim.js";
import { makerOf } from "../shims/kit/vendors.js";
import { joinDevices } from "./join-devices.js";
import {
  isNativeShim,
  shimOf,
  type BrokenTool,
  type ChosenTool,
  type Judged,
  type UsableTool,
} from "./probe.js";

/** What one vendor's devices are read with. */
export type DeviceSource =
  | {
      readonly kind: "usable";
      readonly main: UsableTool;
      /** Fills what the main one leaves open of the same devices, tick by tick. */
      readonly second: UsableTool | null;
      /** What a tool without readings knows of the same devices: names and ids, of the probe. */
      readonly known: readonly Gpu[];
    }
  | { readonly kind: "broken"; readonly main: BrokenTool };

type Readable = Judged & { readonly kind: "usable" | "poor" };
type Failed = Judged & { readonly kind: "broken" };

/**
 * In the order in which they are reported; the first names the record's `transport`. Throws HostError `no-tool` or
 * `version-too-old` when there is none. `pci`: the probe's list of the PCI vendors; `said`: what the host answered instead
 * of our markers, if anything.
 */
export function chooseSources(
  judged: readonly Judged[],
  tried: readonly Shim[],
  pci: PartOutput | undefined,
  said: string,
): readonly DeviceSource[] {
  const native = judged.filter(isReadable).find(({ tool }) => isNativeShim(tool.shim));
  const others = judged.filter((each) => !isNativeShim(shimOf(each)));
  if (native?.kind === "usable") return [nativeBeside(native, others.filter(isReadable))];
  const vendors = [...new Set(others.map((each) => makerOf(shimOf(each).id).vendor))];
  const working: DeviceSource[] = [];
  const failing: Failed[] = [];
  for (const vendor of vendors) {
    const tools = others.filter((each) => makerOf(shimOf(each).id).vendor === vendor);
    const source = sourceOf(tools.filter(isReadable));
    const failed = tools.find(isFailed);
    if (source !== null) working.push(source);
    else if (failed !== undefined) failing.push(failed);
  }
  const reported = failing.filter(({ tool }) => !isLeftover(tool, working, pci));
  const broken: DeviceSource[] = reported.map(({ tool }) => ({ kind: "broken", main: tool }));
  if (native !== undefined) return [plain(native), ...working, ...broken];
  const nativeFailure = working.length > 0 ? undefined : judged.find(isFailed);
  if (nativeFailure !== undefined && isNativeShim(nativeFailure.tool.shim))
    broken.unshift({ kind: "broken", main: nativeFailure.tool });
  const chosen = [...working, ...broken];
  if (chosen.length === 0) throw noTool(judged, tried, said);
  return chosen;
}

/** All tools that ticks ask or that have failed, in order. */
export function toolsOf(sources: readonly DeviceSource[]): readonly ChosenTool[] {
  return sources.flatMap((source): readonly ChosenTool[] =>
    source.kind === "broken" || source.second === null ? [source.main] : [source.main, source.second],
  );
}

/** The devices of all-smi with what nvidia-smi alone knows of them (ECC counts, addresses). */
function nativeBeside(native: Readable, others: readonly Readable[]): DeviceSource {
  return { kind: "usable", main: native.tool, second: others[0]?.tool ?? null, known: [] };
}

/** One vendor's: the first tool that reports, and another where it reports a reading that the first does not have. */
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
 * A vendor's tool that fails on a host without its devices is left over from an image or a package, and no failure: so it
 * is where another vendor's works and the PCI bus shows that one's devices, and none of this one's. A bus that cannot be
 * read, or does not show the devices that do work (they are not on it, or a container hides it), decides nothing.
 */
function isLeftover(
  tool: BrokenTool,
  working: readonly DeviceSource[],
  pci: PartOutput | undefined,
): boolean {
  const ids = makerOf(tool.shim.id).pci;
  const onBus = new Set((pci?.stdout ?? "").split(/\s+/));
  const showsWorking = working.some(({ main }) => makerOf(main.shim.id).pci.some((id) => onBus.has(id)));
  return showsWorking && ids.length > 0 && !ids.some((id) => onBus.has(id));
}

function noTool(judged: readonly Judged[], tried: readonly Shim[], said: string): HostError {
  const old = judged.find((each) => each.kind === "too-old");
  if (old?.kind === "too-old") {
    return new HostError("version-too-old", "probe", old.message, {
      fix: "upgrade all-smi on the host to 0.22 or later, or allow vendor tools with --ssh-fallback",
    });
  }
  const words = oneLine(said);
  const asked = tried.map((shim) => shim.executables.join("/")).join(", ");
  return new HostError(
    "no-tool",
    "probe",
    `found none of: ${asked}${words === "" ? "" : `; the host said: ${words}`}`,
    { fix: "install the vendor's tool or all-smi on the host, or see its PATH for non-interactive shells" },
  );
}

function isReadable(judged: Judged): judged is Readable {
  return judged.kind === "usable" || judged.kind === "poor";
}

function isFailed(judged: Judged): judged is Failed {
  return judged.kind === "broken";
}
