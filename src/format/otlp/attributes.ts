/**
 * Attributes of a host and of its samples, from the labels of their Prometheus text, as the JSON of KeyValue messages
 * (opentelemetry/proto/common/v1/common.proto) between the brackets of their list. Every value is a text.
 */
import type { StreamRecord } from "../../contract/record.js";
import { safeJson } from "../../lib/safe-json.js";
import { cleanText } from "../../lib/text.js";
import type { Convention } from "./conventions.js";

type Pairs = Iterable<readonly [key: string, value: string]>;

/** What comes before the key of a label of the hostfile. */
const LABEL_PREFIX = "allsmi.label.";

/**
 * The host itself. `service.instance.id` is what Prometheus makes its `instance` of: without it the series of two hosts
 * would be one (OpenTelemetry, "Prometheus and OpenMetrics compatibility", "Resource attributes").
 */
export function resourceAttributes({ host_id, hostname, target, labels }: StreamRecord): string {
  const own = Object.entries(labels).map(
    ([key, value]) => [`${LABEL_PREFIX}${cleanText(key)}`, value] as const,
  );
  // Two keys of a recording may become the same by cleaning; a key must not be there twice.
  const attributes = new Map([
    ["host.name", hostname],
    ["host.id", host_id],
    ["service.name", "allsmi-ssh"],
    ["service.instance.id", host_id],
    ["allsmi.target", target],
    ...own,
  ]);
  return attributesJson(attributes);
}

/** Labels with an attribute of a convention; the others are `allsmi.LABEL`. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ["gpu", "allsmi.gpu.index"],
  ["uuid", "hw.id"],
  ["interface", "network.interface.name"],
  ["mountpoint", "system.filesystem.mountpoint"],
  ["name", "hw.name"],
  ["model", "hw.model"],
  ["serial", "hw.serial_number"],
  ["driver_version", "hw.driver_version"],
]);

/** Of one sample, less what its convention adds. `labels`: those after the host's own, as `,gpu="0",uuid="GPU-1"`. */
export function sampleAttributes(labels: string, component: Convention["component"]): string {
  const pairs = labelPairs(labels);
  const id = componentId(new Map(pairs), component);
  const own = pairs.map(([name, value]) => [KEYS.get(name) ?? `allsmi.${name}`, value] as const);
  return attributesJson(id === null ? own : [["hw.id", id], ...own]);
}

export function attributesJson(pairs: Pairs): string {
  return Array.from(
    pairs,
    ([key, value]) => `{"key":${jsonText(key)},"value":{"stringValue":${jsonText(value)}}}`,
  ).join(",");
}

export function jsonText(value: string): string {
  return safeJson(cleanText(value)) ?? '""';
}

/** What the conventions want of a component that no tool has given an id. Null where a label is one, or none is needed. */
function componentId(labels: ReadonlyMap<string, string>, component: Convention["component"]): string | null {
  if (component !== undefined) return `${component}-${labels.get(component) ?? "0"}`;
  const [gpu, fan] = [labels.get("gpu"), labels.get("fan")];
  if (gpu !== undefined) return labels.has("uuid") ? null : `gpu-${gpu}`;
  return fan === undefined ? null : `fan-${fan}`;
}

const PAIR = /,([a-z_]+)="((?:[^"\\]|\\.)*)"/gy;

function labelPairs(labels: string): readonly (readonly [name: string, value: string])[] {
  return Array.from(labels.matchAll(PAIR), ([, name = "", escaped = ""]) => [
    name,
    escaped.replaceAll(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character)),
  ]);
}
