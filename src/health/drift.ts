/** Drift: hosts of one group that should be alike and are not, and which is the odd one out. */
import { EXPECT_LABEL } from "../contract/expectation.js";
import type { FrameRecord, Gpu } from "../contract/record.js";

export interface Drift {
  /** The label that the hosts share, as `rack=a`; null: all hosts, where none has a label. */
  readonly group: string | null;
  /** As `driver version`. */
  readonly what: string;
  /** What most have. */
  readonly usual: string;
  readonly usualHosts: number;
  /** Hosts with another value, by name. Where no value is the most common one, all but the first one's. */
  readonly odd: readonly { readonly host: string; readonly value: string }[];
}

interface Trait {
  readonly what: string;
  /** Null: not known of this host, which is compared with none. */
  readonly of: (frame: FrameRecord) => string | null;
}

const TRAITS: readonly Trait[] = [
  { what: "GPU count", of: ({ gpus }) => (gpus === undefined ? null : String(gpus.length)) },
  { what: "GPU model", of: ofGpus(({ name }) => name) },
  {
    what: "driver version",
    of: ofGpus(({ driver_version: version, detail }) => version ?? detail["driver_version"]),
  },
  { what: "VBIOS version", of: ofGpus(({ detail }) => detail["vbios_version"]) },
  { what: "power limit", of: ofGpus(({ power_limit: watts }) => watts && `${watts} W`) },
  { what: "PCIe width", of: ofGpus(({ pcie_link_width: width }) => width && `x${width}`) },
  { what: "ECC mode", of: ofGpus(({ detail }) => detail["ecc_mode"]) },
  {
    what: "MIG mode",
    of: ofGpus(({ mig_mode: isOn }) => (typeof isOn === "boolean" ? (isOn ? "on" : "off") : null)),
  },
];

/** The different values of a host's GPUs, in order; null where one of them is not known. */
function ofGpus(value: (gpu: Gpu) => string | 0 | null | undefined): Trait["of"] {
  return ({ gpus = [] }) => {
    const values = gpus.filter(({ error }) => error === undefined).map(value);
    if (values.length === 0) return null;
    const known = values.filter((each): each is string => typeof each === "string" && each !== "");
    return known.length < values.length ? null : [...new Set(known)].sort().join(" + ");
  };
}

/** `frames`: the last one of each host. In the order of the labels, each difference of the same hosts once. */
export function driftIn(frames: readonly FrameRecord[]): readonly Drift[] {
  const drifts: Drift[] = [];
  const seen = new Set<string>();
  for (const [group, members] of groupsOf(frames)) {
    for (const trait of TRAITS) {
      const drift = driftOf(group, trait, members);
      if (drift === null) continue;
      const key = [trait.what, ...members.map(({ host_id: id }) => id)].join("\n");
      if (!seen.has(key)) drifts.push(drift);
      seen.add(key);
    }
  }
  return drifts;
}

function groupsOf(frames: readonly FrameRecord[]): ReadonlyMap<string | null, readonly FrameRecord[]> {
  const groups = new Map<string | null, FrameRecord[]>();
  for (const frame of frames) {
    for (const [name, value] of Object.entries(frame.labels)) {
      if (name.startsWith(EXPECT_LABEL)) continue;
      const group = `${name}=${value}`;
      groups.set(group, [...(groups.get(group) ?? []), frame]);
    }
  }
  return groups.size === 0 ? new Map([[null, frames]]) : groups;
}

function driftOf(group: string | null, { what, of }: Trait, frames: readonly FrameRecord[]): Drift | null {
  const known = frames.flatMap((frame) => {
    const value = of(frame);
    return value === null ? [] : [{ host: frame.hostname, value }];
  });
  const counts = new Map<string, number>();
  for (const { value } of known) counts.set(value, (counts.get(value) ?? 0) + 1);
  if (counts.size < 2) return null;
  const [[usual, usualHosts] = ["", 0]] = [...counts].sort(([, a], [, b]) => b - a);
  return { group, what, usual, usualHosts, odd: known.filter(({ value }) => value !== usual) };
}

/** One line: `rack=a: driver version 580.95.05 on 7 hosts, but 570.1 on gpu-003`. */
export function driftLine({ group, what, usual, usualHosts, odd }: Drift, maxNamed = 5): string {
  const byValue = new Map<string, string[]>();
  for (const { host, value } of odd) byValue.set(value, [...(byValue.get(value) ?? []), host]);
  const others = [...byValue].map(([value, hosts]) => {
    const named = hosts.slice(0, maxNamed).join(", ");
    const more = hosts.length > maxNamed ? ` and ${hosts.length - maxNamed} more` : "";
    return `${value} on ${named}${more}`;
  });
  const hosts = usualHosts === 1 ? "1 host" : `${usualHosts} hosts`;
  return `${group === null ? "" : `${group}: `}${what} ${usual} on ${hosts}, but ${others.join("; ")}`;
}
