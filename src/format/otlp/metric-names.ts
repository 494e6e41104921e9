/**
 * What a family of metrics is in OTLP. One that no convention names keeps the name that it has for Prometheus, with dots
 * between its namespaces (`allsmi_gpu_mig_memory_used_bytes`: `allsmi.gpu.mig.memory_used`) and the unit beside it.
 * Sources: semantic-conventions v1.44.0, "Metrics semantic conventions", "General guidelines"; UCUM.
 */
import { DEVICE_PREFIXES } from "../prometheus/device-families.js";
import type { Family } from "../prometheus/family.js";
import { CONVENTIONS, type Convention } from "./conventions.js";

const UCUM: Readonly<Record<string, string>> = {
  ratio: "1",
  bytes: "By",
  bytes_per_second: "By/s",
  celsius: "Cel",
  watts: "W",
  joules: "J",
  hertz: "Hz",
  rpm: "rpm",
  seconds: "s",
};

/** Throws for a unit that has no name in UCUM here. */
export function metricOf(family: Family): Convention {
  const convention = CONVENTIONS[family.name];
  if (convention !== undefined) return convention;
  return {
    name: dottedName(family),
    instrument: family.type === "counter" ? "counter" : "gauge",
    // "1" would make a ratio of it wherever units become a part of the name.
    unit: family.unit === null ? "" : unitOf(family.unit),
    brief: family.help,
  };
}

function unitOf(unit: string): string {
  const known = UCUM[unit];
  if (known === undefined) throw new Error(`no UCUM unit for ${unit}`);
  return known;
}

function dottedName({ name, type, unit }: Family): string {
  const bare = type === "counter" ? name.replace(/_total$/, "") : name;
  const own = unit !== null && bare.endsWith(`_${unit}`) ? bare.slice(0, -unit.length - 1) : bare;
  const prefix = DEVICE_PREFIXES.filter((each) => own.startsWith(`${each}_`)).reduce(
    (longest, each) => (each.length > longest.length ? each : longest),
    "allsmi",
  );
  return `${dotted(prefix)}.${own.slice(prefix.length + 1)}`;
}

/** `allsmi_gpu_remap_banks`: `allsmi.gpu.remap_banks`. No namespace is deeper. */
function dotted(prefix: string): string {
  return prefix.replace("_", ".").replace("_", ".");
}
