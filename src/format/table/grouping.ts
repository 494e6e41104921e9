/** Which groups a fleet is divided into: by a label, or by the beginning of its names. */
import { EXPECT_LABEL } from "../../contract/expectation.js";
import type { NamedHost } from "./roster.js";

export interface HostGroup {
  /** As `rack=r12` or `gpu-01*`. */
  readonly name: string;
  readonly hosts: readonly NamedHost[];
}

/** Labels that say how a host is read, not where it belongs. */
const TOOL_LABEL = "tool.";
/** Digits that are taken off the names at most, to have fewer groups. */
const MAX_DIGITS = 6;
const IPV4 = /^\d+(?:\.\d+){3}$/;
const byName = new Intl.Collator("en", { numeric: true });

/** At most `wished` groups where a label or the names allow it; `label`: the operator's, null to choose. */
export function groupsOf(
  hosts: readonly NamedHost[],
  label: string | null,
  wished: number,
): readonly HostGroup[] {
  const chosen = label ?? bestLabel(hosts, wished);
  if (chosen !== null) {
    return gathered(hosts, ({ host }) => {
      const value = host.last.labels[chosen];
      return value === undefined ? `no ${chosen}` : `${chosen}=${value}`;
    });
  }
  for (let digits = 1; ; digits++) {
    const groups = gathered(hosts, (named) => nameWithout(named.label, digits));
    if (groups.length <= wished || digits >= MAX_DIGITS) return groups;
  }
}

/** The label that most hosts have and that divides them into the most groups that fit. Null: there is none. */
function bestLabel(hosts: readonly NamedHost[], wished: number): string | null {
  const uses = new Map<string, { hosts: number; values: Set<string> }>();
  for (const { host } of hosts) {
    for (const [name, value] of Object.entries(host.last.labels)) {
      if (name.startsWith(EXPECT_LABEL) || name.startsWith(TOOL_LABEL)) continue;
      const use = uses.get(name) ?? { hosts: 0, values: new Set<string>() };
      use.hosts += 1;
      use.values.add(value);
      uses.set(name, use);
    }
  }
  const fitting = [...uses].filter(
    ([, use]) => use.hosts * 2 > hosts.length && use.values.size > 1 && use.values.size <= wished,
  );
  const dividing = fitting.filter(([, use]) => use.values.size * 2 <= use.hosts);
  const [best] = dividing.sort(([, a], [, b]) => b.hosts - a.hosts || b.values.size - a.values.size);
  return best?.[0] ?? null;
}

/** `gpu-017` without its last digit is `gpu-01*`, a domain left out; of an address its last numbers go. */
function nameWithout(label: string, digits: number): string {
  if (IPV4.test(label))
    return `${label
      .split(".")
      .slice(0, Math.max(1, 4 - digits))
      .join(".")}.*`;
  const [name = ""] = label.split(".", 1);
  const [, start = name, number = ""] = /^(.*?)(\d+)$/.exec(name) ?? [];
  return number === "" ? name : `${start}${number.slice(0, Math.max(0, number.length - digits))}*`;
}

function gathered(hosts: readonly NamedHost[], nameOf: (named: NamedHost) => string): readonly HostGroup[] {
  const groups = new Map<string, NamedHost[]>();
  for (const named of hosts) {
    const name = nameOf(named);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [named]);
    else group.push(named);
  }
  return [...groups]
    .map(([name, members]) => ({ name, hosts: members }))
    .sort((a, b) => byName.compare(a.name, b.name));
}
