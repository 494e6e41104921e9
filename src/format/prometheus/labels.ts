/**
 * Labels of a sample: names that Prometheus takes, and values escaped for the text format. Sources: Prometheus, "Data
 * model" (metric names and labels); "Exposition formats", 0.0.4, "Comments, help text, and type information".
 */
import { cleanText } from "../../lib/text.js";

/** Every label name of ours. A label of a hostfile never takes one of them. */
const OWN_LABELS = [
  ...(["host", "hostname", "target", "state", "code", "section", "kind", "result"] as const),
  ...(["transport", "ssh_client", "channel", "status", "rule", "severity", "device"] as const),
  ...(["gpu", "uuid", "name", "device_type", "pci_bus_id", "serial", "driver_version"] as const),
  ...(["memory_source", "numa_node", "tool", "reason", "action"] as const),
  ...(["gpu_instance", "compute_instance", "mig_uuid", "profile"] as const),
  ...(["cpu", "socket", "model", "architecture", "platform", "minutes", "memory"] as const),
  ...(["chassis", "fan", "pressure", "mountpoint", "duplicate"] as const),
  ...(["os", "kernel", "module", "version", "disk", "interface", "driver"] as const),
] as const;
export type OwnLabel = (typeof OWN_LABELS)[number];

const OWN: ReadonlySet<string> = new Set(OWN_LABELS);
// Names that begin with two underscores are Prometheus's own.
const USABLE = /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * `,name="value"`, to be appended to other labels. "" where there is no value: for Prometheus an empty label is an absent
 * one.
 */
export function label(name: OwnLabel, value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? pair(name, String(value)) : "";
}

/** The labels of a host that all its samples have: `host="user@name:22",rack="r12"`. */
export function hostLabels(hostId: string, labels: Readonly<Record<string, string>>): string {
  const names = labelNames(Object.keys(labels));
  const others = Object.entries(labels).map(([key, value]) => pair(names.get(key) ?? key, value));
  return `host="${escaped(hostId)}"${others.join("")}`;
}

/**
 * The label name for each key of a hostfile. A key that is a usable name stays as it is. In any other, what a name cannot
 * have becomes `_`. Where that is a name of ours or begins with no letter, `label_` comes before it, and where it is
 * taken, `_2`, `_3` after it. The same keys give the same names, in whatever order they are written.
 */
export function labelNames(keys: readonly string[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const isKept = (key: string): boolean => USABLE.test(key) && !OWN.has(key);
  for (const key of keys) if (isKept(key)) names.set(key, key);
  const taken = new Set([...OWN, ...names.values()]);
  for (const key of keys.filter((each) => !isKept(each)).sort()) {
    const plain = key.replaceAll(/[^A-Za-z0-9_]/g, "_");
    const base = /^[A-Za-z]/.test(plain) && !OWN.has(plain) ? plain : `label_${plain}`;
    let name = base;
    for (let count = 2; taken.has(name); count++) name = `${base}_${count}`;
    taken.add(name);
    names.set(key, name);
  }
  return names;
}

/** The names that a hostfile's label cannot have, for the documentation. */
export function ownLabels(): readonly string[] {
  return OWN_LABELS;
}

function pair(name: string, value: string): string {
  return value === "" ? "" : `,${name}="${escaped(value)}"`;
}

function escaped(value: string): string {
  return cleanText(value).replaceAll(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`));
}
