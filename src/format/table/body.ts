/** The rows of each view: how many there are, and those of a part of them. */
import { groupRow } from "./group-rows.js";
import { groupsOf, type HostGroup } from "./grouping.js";
import { countGpuRows, gpuRows, type RowContext } from "./gpu-rows.js";
import { hostRow } from "./host-rows.js";
import type { ShownView } from "./choose-view.js";
import type { TableSort } from "../../contract/table-options.js";
import { mean, sumOfSummaries, sumOrNull, type Summary } from "./summary.js";
import type { NamedHost } from "./roster.js";
import type { TableRow } from "./row.js";
import { MAX_WELL_RANK } from "./seen-host.js";

/** Of the rows of the view of groups, for hosts that are sick, where not all have space. */
const SICK_SHARE = 0.6;

export interface Body {
  readonly count: number;
  /** Rows from `first` on, at most `limit`. */
  rows(first: number, limit: number): readonly TableRow[];
  /** Sick hosts that have no row of their own in a view of groups. */
  readonly hiddenSick: number;
}

export function bodyOf(
  view: ShownView,
  hosts: readonly NamedHost[],
  groups: () => GroupedHosts,
  context: RowContext,
): Body {
  switch (view) {
    case "gpus":
      return gpuBody(hosts, context);
    case "hosts":
      return {
        count: hosts.length,
        rows: (first, limit) => hosts.slice(first, first + limit).map((named) => hostRow(named, context)),
        hiddenSick: 0,
      };
    case "groups":
      return groupBody(groups(), context);
  }
}

function gpuBody(hosts: readonly NamedHost[], context: RowContext): Body {
  const counts = hosts.map((named) => countGpuRows(named, context.nowMs));
  return {
    count: counts.reduce((sum, count) => sum + count, 0),
    rows(first, limit) {
      const rows: TableRow[] = [];
      let begin = 0;
      for (const [place, named] of hosts.entries()) {
        const end = begin + (counts[place] ?? 0);
        if (end > first) rows.push(...gpuRows(named, context).slice(Math.max(0, first - begin)));
        if (rows.length >= limit) break;
        begin = end;
      }
      return rows.slice(0, limit);
    },
    hiddenSick: 0,
  };
}

export interface GroupedHosts {
  /** Those that stand apart, above the groups. */
  readonly sick: readonly NamedHost[];
  readonly groups: readonly HostGroup[];
  readonly hiddenSick: number;
}

/** For about `rows` rows; `label` as groupsOf takes it. All hosts are in groups, sick ones too. */
export function groupHosts(
  hosts: readonly NamedHost[],
  label: string | null,
  { sort, nowMs }: { readonly sort: TableSort; readonly nowMs: number },
  rows: number,
): GroupedHosts {
  const sick = hosts.filter(({ host }) => host.rank > MAX_WELL_RANK);
  const forSick = Math.min(sick.length, Math.floor(rows * SICK_SHARE));
  const groups = sorted(groupsOf(hosts, label, Math.max(1, rows - forSick)), sort, nowMs);
  const shown = sick.slice(0, Math.max(forSick, rows - groups.length));
  return { sick: shown, groups, hiddenSick: sick.length - shown.length };
}

const VALUES: Readonly<Record<Exclude<TableSort, "host">, (summary: Summary) => number | null>> = {
  utilization: ({ utilization }) => mean(utilization),
  temperature: ({ hottest }) => hottest,
  memory: ({ usedBytes }) => sumOrNull(usedBytes),
  power: ({ watts }) => sumOrNull(watts),
};
/** Steps in which groups are compared: they do not change places for less. */
const STEP_SHARE = 0.1;

function sorted(groups: readonly HostGroup[], sort: TableSort, nowMs: number): readonly HostGroup[] {
  if (sort === "host") return groups;
  const step = (group: HostGroup): number => {
    const value = VALUES[sort](sumOfSummaries(group.hosts.map(({ host }) => host.summary(nowMs)))) ?? 0;
    return value <= 0 ? -1 : Math.round(Math.log(value) / Math.log(1 + STEP_SHARE));
  };
  return groups
    .map((group) => ({ group, step: step(group) }))
    .sort((a, b) => b.step - a.step)
    .map(({ group }) => group);
}

function groupBody({ sick, groups, hiddenSick }: GroupedHosts, context: RowContext): Body {
  return {
    count: sick.length + groups.length,
    rows(first, limit) {
      const apart = sick.slice(first, first + limit);
      const start = Math.max(0, first - sick.length);
      const rest = groups.slice(start, start + limit - apart.length);
      return [
        ...apart.map((named) => hostRow(named, context, true)),
        ...rest.map((group) => groupRow(group, context)),
      ];
    },
    hiddenSick,
  };
}
