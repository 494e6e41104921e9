/**
 * Ansible's inventory as groups, hosts and variables, and the targets in it: what Ansible would connect to by SSH.
 * Behaviour: docs.ansible.com, "How to build your inventory" (host ranges, variable precedence), ansible-core 2.17.
 */
import type { Target } from "../contract/target.js";
import { cleanText } from "../lib/text.js";
import { parseTarget } from "./parse-target.js";

export type Variables = Map<string, unknown>;

export interface InventoryGroup {
  readonly hosts: Set<string>;
  readonly children: Set<string>;
  readonly vars: Variables;
}

export class Inventory {
  readonly groups = new Map<string, InventoryGroup>();
  /** Every host, with its own variables. */
  readonly hosts = new Map<string, Variables>();

  group(name: string): InventoryGroup {
    let group = this.groups.get(name);
    if (group === undefined) {
      group = { hosts: new Set(), children: new Set(), vars: new Map() };
      this.groups.set(name, group);
    }
    return group;
  }

  host(name: string): Variables {
    const vars = this.hosts.get(name) ?? new Map<string, unknown>();
    this.hosts.set(name, vars);
    return vars;
  }
}

export interface InventoryTargets {
  readonly targets: readonly Target[];
  /** Each with the inventory's name. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Ansible's connection plugins that dial a host as ssh does. */
const SSH_CONNECTIONS: readonly unknown[] = [
  "ssh",
  "smart",
  "paramiko",
  "paramiko_ssh",
  "ansible.builtin.ssh",
];
/** Variables with this beginning become labels. Others may be secrets, and labels are in every record. */
const LABEL_PREFIX = "allsmi_";
const IMPLIED_GROUPS: ReadonlySet<string> = new Set(["all", "ungrouped"]);

/**
 * `name` is for messages and origins. Labels: `inventory_hostname`, `groups` (a comma list of all groups that the host is
 * in), and each variable `allsmi_KEY` as KEY.
 */
export function inventoryTargets(inventory: Inventory, name: string): InventoryTargets {
  const ancestors = ancestorsOf(inventory);
  const targets: Target[] = [];
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const [host, own] of inventory.hosts) {
    const groups = groupsOf(host, inventory, ancestors);
    const vars: Variables = new Map(inventory.groups.get("all")?.vars);
    for (const group of groups)
      for (const [key, value] of inventory.groups.get(group)?.vars ?? []) vars.set(key, value);
    for (const [key, value] of own) vars.set(key, value);
    const shown = cleanText(host);
    const connection = vars.get("ansible_connection") ?? "ssh";
    if (!SSH_CONNECTIONS.includes(connection)) {
      warnings.push(
        `${name}: ${shown} is not reached by SSH (ansible_connection ${shownValue(connection)}); it is not watched`,
      );
      continue;
    }
    const target = targetOf(host, vars, `${name}: ${shown}`);
    if (typeof target === "string") problems.push(`${name}: ${shown}: ${target}`);
    else targets.push({ ...target, origin: name, labels: labelsOf(host, groups, vars) });
  }
  return { targets, problems, warnings };
}

function shownValue(value: unknown): string {
  return cleanText(typeof value === "string" ? value : JSON.stringify(value));
}

function targetOf(host: string, vars: Variables, origin: string): Target | string {
  const texts: (string | undefined)[] = [];
  for (const key of ["host", "user", "port"]) {
    const value = vars.get(`ansible_${key}`) ?? vars.get(`ansible_ssh_${key}`);
    const text = typeof value === "string" || typeof value === "number" ? String(value) : undefined;
    if (text?.includes("{{") === true)
      return `ansible_${key} is a template, which only Ansible can fill in; write the value out`;
    texts.push(text);
  }
  const [address = host, user, port] = texts;
  const bracketed = address.includes(":") && !address.startsWith("[") ? `[${address}]` : address;
  const parsed = parseTarget(
    `${user === undefined ? "" : `${user}@`}${bracketed}${port === undefined ? "" : `:${port}`}`,
    origin,
  );
  return parsed.kind === "target" ? parsed.target : parsed.problem;
}

function labelsOf(
  host: string,
  groups: readonly string[],
  vars: Variables,
): Readonly<Record<string, string>> {
  const labels = new Map([["inventory_hostname", cleanText(host)]]);
  const named = groups.filter((group) => !IMPLIED_GROUPS.has(group)).sort();
  if (named.length > 0) labels.set("groups", named.map(cleanText).join(","));
  for (const [key, value] of vars) {
    const isScalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    if (isScalar && key.startsWith(LABEL_PREFIX))
      labels.set(key.slice(LABEL_PREFIX.length), cleanText(String(value)));
  }
  return Object.fromEntries(labels);
}

/** For each group, itself and the groups that it is a child of, with their depth below `all`. A circle ends at itself. */
function ancestorsOf({ groups }: Inventory): ReadonlyMap<string, ReadonlySet<string>> {
  const parents = new Map<string, string[]>();
  for (const [parent, { children }] of groups)
    for (const child of children) parents.set(child, [...(parents.get(child) ?? []), parent]);
  const found = new Map<string, Set<string>>();
  for (const name of groups.keys()) {
    const above = new Set([name]);
    for (const each of above) for (const parent of parents.get(each) ?? []) above.add(parent);
    found.set(name, above);
  }
  return found;
}

/** The groups of a host, parents before children and then by name: later variables win. */
function groupsOf(
  host: string,
  { groups }: Inventory,
  ancestors: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] {
  const own = new Set<string>();
  for (const [name, { hosts }] of groups)
    if (hosts.has(host)) for (const each of ancestors.get(name) ?? []) own.add(each);
  const depth = (name: string): number => ancestors.get(name)?.size ?? 0;
  return [...own].sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
}
