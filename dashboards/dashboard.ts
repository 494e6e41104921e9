/** What a dashboard is: a title, its variables, rows of panels, and links to the others. */
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  CustomVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
  type Dashboard,
  type DashboardLink,
  type Panel,
  type VariableModel,
} from "@grafana/grafana-foundation-sdk/dashboard";
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import { DATASOURCE } from "./grafana.js";

export const DASHBOARD_NAMES = ["fleet", "host", "gpu-health"] as const;
export type DashboardName = (typeof DASHBOARD_NAMES)[number];
const TITLES: Readonly<Record<DashboardName, string>> = {
  fleet: "GPU fleet",
  host: "GPU host",
  "gpu-health": "GPU health",
};

const TAG = "allsmi-ssh";
const ALL = { text: "All", value: "$__all" };
/** Matches also where a series has no such label. One short pattern for a fleet of any size. */
const ANY = ".*";

/** Labels of a query's series: of the hosts that the reader has chosen, by a label of the hostfile and by name. */
export const CHOSEN_HOSTS = '$label=~"$value", host=~"$host"';

export type Panels = readonly Builder<Panel>[];

export interface DashboardOptions {
  readonly uid: DashboardName;
  readonly description: string;
  readonly variables: readonly Builder<VariableModel>[];
  readonly rows: readonly { readonly title: string; readonly panels: Panels }[];
}

/**
 * In the classic model, which every Grafana in use reads from a file. The SDK deprecates it for one that only Grafana 12 and
 * later read.
 */
// eslint-disable-next-line @typescript-eslint/no-deprecated -- see above
export type GrafanaDashboard = Dashboard;

export function dashboard({ uid, description, variables, rows }: DashboardOptions): GrafanaDashboard {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- see above
  const builder = new DashboardBuilder(TITLES[uid])
    .uid(`allsmi-${uid}`)
    .description(description)
    .tags([TAG])
    .time({ from: "now-1h", to: "now" })
    .refresh("30s")
    .tooltip(DashboardCursorSync.Crosshair)
    .links(linksFrom(uid))
    .variables([
      new DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"),
      ...variables,
    ]);
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panel);
  }
  const made = builder.build();
  return { ...made, panels: (made.panels ?? []).map((panel, place) => ({ ...panel, id: place + 1 })) };
}

/** The chosen hosts are kept where the other dashboard is one of many hosts too. */
function linksFrom(own: DashboardName): Builder<DashboardLink>[] {
  return DASHBOARD_NAMES.filter((name) => name !== own).map((name) =>
    new DashboardLinkBuilder(TITLES[name])
      .type(DashboardLinkType.Link)
      .icon("dashboard")
      .url(`/d/allsmi-${name}?\${datasource:queryparam}`)
      .keepTime(true)
      .includeVars(own !== "host" && name !== "host"),
  );
}

/** Which label hosts are chosen by, its values, and the hosts that have them. */
export function hostVariables(): readonly Builder<VariableModel>[] {
  return [
    query("label", "Label", "label_names(allsmi_host_up)")
      .description("A label of the hostfile, as rack, by which hosts are chosen.")
      .regex("/^(?!__).+/")
      .current({ text: "host", value: "host" }),
    query("value", "Value", "label_values(allsmi_host_up, $label)")
      .multi(true)
      .includeAll(true)
      .allValue(ANY)
      .current(ALL),
    query("host", "Host", 'label_values(allsmi_host_up{$label=~"$value"}, host)')
      .multi(true)
      .includeAll(true)
      .allValue(ANY)
      .current(ALL),
  ];
}

/** For the dashboard of one host, which opens with the first one. */
export function oneHostVariable(): Builder<VariableModel> {
  return query("host", "Host", "label_values(allsmi_host_up, host)").multi(true);
}

/** `hosts`: labels that choose the hosts. */
export function gpuVariable(hosts: string): Builder<VariableModel> {
  return query("gpu", "GPU", `label_values(allsmi_gpu_failed{${hosts}}, gpu)`)
    .multi(true)
    .includeAll(true)
    .allValue(ANY)
    .current(ALL);
}

export function choiceVariable(
  name: string,
  label: string,
  values: readonly string[],
): Builder<VariableModel> {
  return new CustomVariableBuilder(name)
    .label(label)
    .values(values.join(","))
    .multi(true)
    .includeAll(true)
    .allValue(ANY)
    .current(ALL);
}

function query(name: string, label: string, text: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(text)
    .definition(text)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc);
}
