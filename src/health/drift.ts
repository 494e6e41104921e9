/** Drift: hosts of one group that should be alike and are not, and which is the odd one out. */
import { EXPECT_LABEL } from "../contract/expectation.js";
import type { FrameRecord, Gpu, StreamRecord } from "../contract/record.js";

/** What is compared of a host. Plain data, so that it can be sent between threads. */
export interface HostTraits {
  readonly id: string;
  readonly name: string;
  /** Without expectations, which are no groups. */
  readonly labels: Readonly<Record<string, string>>;
  /** In the order of TRAITS; null: not known, and compared with nothing. */
  readonly values: readonly (string | null)[];
}

export interface Drift {
  /** The label that the hosts share, as `rack=a`; null: all hosts, where no two share a label. */
  readonly group: string | null;
  /** The model of the GPUs that are compared; null where the group has one, or for what is no matter of the model. */
  readonly model: string | null;
  /** As `driver version`. */
  readonly what: string;
  /** What most have; null where no value is the most common one: then every host is in `odd`. */
  readonly usual: { readonly value: string; readonly hosts: number } | null;
  readonly odd: readonly OddHost[];
}

export interface OddHost {
  readonly host: string;
  readonly value: string;
}

export interface Comparison {
  readonly drifts: readonly Drift[];
  /** How many hosts could be compared with another one in at least one trait. */
  readonly compared: number;
}

interface Trait {
  readonly what: string;
  readonly of: (frame: FrameRecord) => string | null;
  /** Differs between models by design: only hosts with the same model are compared. */
  readonly ofModel?: true;
}

const MODEL: Trait = { what: "GPU model", of: ofGpus(({ name }) => name) };
const TRAITS: readonly Trait[] = [
  MODEL,
  { what: "GPU count", of: ({ gpus }) => (gpus === undefined ? null : String(gpus.length)) },
  {
    what: "driver version",
    of: ofGpus(({ driver_version: version, detail }) => version ?? detail["driver_version"]),
  },
  { what: "VBIOS version", of: ofGpus(({ detail }) => detail["vbios_version"]), ofModel: true },
  { what: "power limit", of: ofGpus(({ power_limit: watts }) => watts && `${watts} W`), ofModel: true },
  {
    what: "PCIe width",
    of: ofGpus(({ pcie_link_width: width }) => width && `x${width}`),
    ofModel: true,
  },
  { what: "ECC mode", of: ofGpus(({ detail }) => detail["ecc_mode"]), ofModel: true },
  {
    what: "MIG mode",
    of: ofGpus(({ mig_mode: isOn }) => (typeof isOn === "boolean" ? (isOn ? "on" : "off") : null)),
    ofModel: true,
  },
];
const MODEL_AT = TRAITS.indexOf(MODEL);
const NOTHING_KNOWN: readonly null[] = TRAITS.map(() => null);

/** The different values of a host's GPUs, in order; null where one of them is not known. */
function ofGpus(value: (gpu: Gpu) => string | 0 | null | undefined): Trait["of"] {
  return ({ gpus = [] }) => {
    const values = gpus.filter(({ error }) => error === undefined).map(value);
    if (values.length === 0) return null;
    const known = values.filter((each): each is string => typeof each === "string" && each !== "");
    return known.length < values.length ? null : [...new Set(known)].sort().join(" + ");
  };
}

/** A host without a frame has no known value, and still belongs to its groups. */
export function traitsOf(record: StreamRecord): HostTraits {
  const labels = Object.entries(record.labels).filter(([name]) => !name.startsWith(EXPECT_LABEL));
  return {
    id: record.host_id,
    name: record.hostname,
    labels: Object.fromEntries(labels),
    values: record.record === "frame" ? TRAITS.map(({ of }) => of(record)) : NOTHING_KNOWN,
  };
}

/** `hosts`: all of the run, each once. In the order of the labels; what is the same in two groups is listed once. */
export function compareHosts(hosts: readonly HostTraits[]): Comparison {
  const drifts = new Map<string, Drift>();
  const compared = new Set<string>();
  for (const [group, members] of groupsOf(hosts)) {
    const models = membersByModel(members);
    for (const [at, { what, ofModel }] of TRAITS.entries()) {
      const parts = ofModel === true ? [...models] : ([[null, members]] as const);
      for (const [model, part] of parts) {
        const known = part.filter(({ values }) => typeof values[at] === "string");
        if (known.length >= 2) for (const { id } of known) compared.add(id);
        const values = known.map(({ name, values: all }) => ({ host: name, value: all[at] ?? "" }));
        const difference = differenceIn(values);
        if (difference === null) continue;
        const drift = { group, model: models.size > 1 ? model : null, what, ...difference };
        const key = JSON.stringify([what, difference.usual?.value, difference.odd]);
        if (!drifts.has(key)) drifts.set(key, drift);
      }
    }
  }
  return { drifts: [...drifts.values()], compared: compared.size };
}

/** A label that only one host has groups nothing. Where no two hosts share one, all hosts are one group. */
function groupsOf(hosts: readonly HostTraits[]): ReadonlyMap<string | null, readonly HostTraits[]> {
  const labelled = hosts.flatMap((host) =>
    Object.entries(host.labels).map(([name, value]) => ({ group: `${name}=${value}`, host })),
  );
  const groups = new Map<string | null, readonly HostTraits[]>();
  for (const [group, members] of grouped(labelled, (each) => each.group))
    if (members.length >= 2)
      groups.set(
        group,
        members.map(({ host }) => host),
      );
  return groups.size === 0 ? new Map([[null, hosts]]) : groups;
}

/** Hosts whose model is not known are in no part. */
function membersByModel(members: readonly HostTraits[]): ReadonlyMap<string, readonly HostTraits[]> {
  const known = members.filter(({ values }) => typeof values[MODEL_AT] === "string");
  return grouped(known, ({ values }) => values[MODEL_AT] ?? "");
}

/** By key, in the order in which the keys come. */
function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): ReadonlyMap<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function differenceIn(values: readonly OddHost[]): Pick<Drift, "usual" | "odd"> | null {
  const counts = new Map<string, number>();
  for (const { value } of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  if (counts.size < 2) return null;
  const [[value, hosts] = ["", 0], [, second] = ["", 0]] = [...counts].sort(([, a], [, b]) => b - a);
  // The most common one is on at least two hosts, or there is none.
  if (hosts === second) return { usual: null, odd: values };
  return { usual: { value, hosts }, odd: values.filter((each) => each.value !== value) };
}

/**
 * One line: `rack=a: driver version 580.95.05 on 7 hosts, but 570.1 on gpu-003`, or where none is usual
 * `rack=a: driver version differs: 580.95.05 on gpu-001; 570.1 on gpu-002`. At most `maxNamed` hosts for each value.
 */
export function driftLine({ group, model, what, usual, odd }: Drift, maxNamed: number): string {
  const values = [...grouped(odd, ({ value }) => value)].map(([value, hosts]) => {
    const named = hosts
      .slice(0, maxNamed)
      .map(({ host }) => host)
      .join(", ");
    const more = hosts.length > maxNamed ? ` and ${hosts.length - maxNamed} more` : "";
    return `${value} on ${named}${more}`;
  });
  const among = [group, model].filter((part) => part !== null).join(", ");
  const start = among === "" ? what : `${among}: ${what}`;
  if (usual === null) return `${start} differs: ${values.join("; ")}`;
  return `${start} ${usual.value} on ${usual.hosts} hosts, but ${values.join("; ")}`;
}
