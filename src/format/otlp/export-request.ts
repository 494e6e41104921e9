/**
 * One host as an ExportMetricsServiceRequest in OTLP/JSON: names in camelCase, 64-bit integers as texts, enums as numbers.
 * Sources: opentelemetry-proto v1.11.0, opentelemetry/proto/metrics/v1/metrics.proto and docs/specification.md, "JSON
 * Protobuf Encoding". The numbers are those of the metrics for Prometheus, read from their text: neither has its own.
 */
import { FAMILIES } from "../prometheus/exposition.js";
import type { Family } from "../prometheus/family.js";
import { HOST_FAMILIES } from "../prometheus/host-families.js";
import type { HostView } from "../prometheus/host-view.js";
import { attributesJson, jsonText, resourceAttributes, sampleAttributes } from "./attributes.js";
import type { Convention } from "./conventions.js";
import { metricOf } from "./metric-names.js";

/** AGGREGATION_TEMPORALITY_CUMULATIVE */
const CUMULATIVE = 2;
const SCHEMA = '"schemaUrl":"https://opentelemetry.io/schemas/1.44.0"';

interface Source {
  readonly family: Family;
  readonly convention: Convention;
  /** What the convention adds to the attributes of each point, as JSON. */
  readonly added: string;
  readonly isSinceStart: boolean;
}
/** The names of a host are attributes of its resource. */
const SOURCES: readonly Source[] = FAMILIES.filter(({ name }) => name !== "allsmi_host_info").map(sourceOf);

function sourceOf(family: Family): Source {
  const convention = metricOf(family);
  return {
    ...{ family, convention, added: attributesJson(Object.entries(convention.attributes ?? {})) },
    // Of other counters nobody knows since when they count: they have no start.
    isSinceStart: family.type === "counter" && HOST_FAMILIES.includes(family),
  };
}

/**
 * The JSON, without a line's end. `startTime`: when the run had the host's first record, RFC 3339. `version`: the
 * program's; null: not known.
 */
export function exportRequest(view: HostView, startTime: string, version: string | null): string {
  const metrics = new Map<string, { readonly convention: Convention; readonly points: string[] }>();
  const time = `"timeUnixNano":"${unixNano(view.record.timestamp)}"`;
  const start = `"startTimeUnixNano":"${unixNano(startTime)}",`;
  const attributesOf = rememberedAttributes();
  for (const source of SOURCES) {
    const { convention, isSinceStart } = source;
    for (const [labels, value] of samplesOf(source.family, view)) {
      const known = metrics.get(convention.name) ?? { convention, points: [] };
      metrics.set(convention.name, known);
      known.points.push(
        `{"attributes":[${attributesOf(labels, source)}],${isSinceStart ? start : ""}${time},${numberJson(value, convention)}}`,
      );
    }
  }
  const scope = `"scope":{"name":"allsmi-ssh"${version === null ? "" : `,"version":${jsonText(version)}`}}`;
  const resource = `"resource":{"attributes":[${resourceAttributes(view.record)}]}`;
  const texts = Array.from(metrics.values(), ({ convention, points }) => metricJson(convention, points));
  return `{"resourceMetrics":[{${resource},"scopeMetrics":[{${scope},"metrics":[${texts.join(",")}],${SCHEMA}}],${SCHEMA}}]}`;
}

/** A device has the same labels in all of its families. */
function rememberedAttributes(): (labels: string, source: Source) => string {
  const byLabels = new Map<string, string>();
  return (labels, { added, convention: { component } }) => {
    const key = component === undefined ? labels : `${component} ${labels}`;
    const own = byLabels.get(key) ?? sampleAttributes(labels, component);
    byLabels.set(key, own);
    return own === "" || added === "" ? own + added : `${own},${added}`;
  };
}

function metricJson({ name, brief, unit, instrument }: Convention, points: readonly string[]): string {
  const unitJson = unit === "" ? "" : `"unit":${jsonText(unit)},`;
  const named = `"name":${jsonText(name)},"description":${jsonText(brief)},${unitJson}`;
  const dataPoints = `"dataPoints":[${points.join(",")}]`;
  if (instrument === "gauge") return `{${named}"gauge":{${dataPoints}}}`;
  const isMonotonic = instrument === "counter";
  return `{${named}"sum":{${dataPoints},"aggregationTemporality":${CUMULATIVE},"isMonotonic":${isMonotonic}}}`;
}

/** The lines of a host in the family's text: labels after the host's own, and the value. */
function samplesOf(family: Family, view: HostView): readonly (readonly [labels: string, value: number])[] {
  const text = family.samples(view);
  if (text === "") return [];
  const head = `${family.name}${view.labels}`;
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => {
      const valueAt = line.lastIndexOf("} ");
      if (!line.startsWith(head) || valueAt < head.length) throw new Error(`no sample of ${family.name}`);
      return [line.slice(head.length, valueAt), Number(line.slice(valueAt + 2))];
    });
}

/** What is counted is an integer, in a text; seconds and everything measured are doubles. */
function numberJson(value: number, { instrument, unit }: Convention): string {
  return instrument !== "gauge" && unit !== "s" && Number.isSafeInteger(value)
    ? `"asInt":"${value}"`
    : `"asDouble":${value}`;
}

const MAX_UNIX_MS = 2 ** 64 / 1e6;

/** Nanoseconds since the epoch; "0", which is a time that is not known, where a fixed64 cannot have it. */
function unixNano(time: string): string {
  const ms = Date.parse(time);
  return ms > 0 && ms < MAX_UNIX_MS ? `${ms}000000` : "0";
}
