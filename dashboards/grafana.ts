/** What the dashboards share: variables, colours, links, and one function for each kind of panel. */
import { PanelBuilder as BarGauge } from "@grafana/grafana-foundation-sdk/bargauge";
import {
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  DashboardLinkBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type Threshold,
  type ValueMapping,
} from "@grafana/grafana-foundation-sdk/dashboard";
import {
  DataqueryBuilder,
  PromQueryFormat,
  QueryEditorMode,
} from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as Stat } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as StateTimeline } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as TimeSeries } from "@grafana/grafana-foundation-sdk/timeseries";
import { HEALTH_STATUSES, type HealthStatus } from "../src/contract/health.js";

/** The data source that the reader has chosen. */
export const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

export const COLORS: Readonly<Record<HealthStatus, string>> = {
  ok: "green",
  unknown: "purple",
  warning: "orange",
  critical: "red",
};

/** Values of the expression that `worstStatus` gives. */
export const STATUS_MAPPINGS: ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: Object.fromEntries(
      HEALTH_STATUSES.map((status, rank) => [rank, { text: status, color: COLORS[status], index: rank }]),
    ),
  },
];

/**
 * The worst finding of each host as its place in HEALTH_STATUSES. Without --health a host that is up has none, and one
 * that is not is critical.
 */
export function worstStatus(hosts: string): string {
  const ranks = HEALTH_STATUSES.map(
    (status, rank) => `allsmi_host_health{${hosts}, status="${status}"} * ${rank}`,
  );
  const worst = HEALTH_STATUSES.indexOf("critical");
  return `max by (host) (${ranks.join(" or ")}) or ${worst} * (1 - max by (host) (allsmi_host_up{${hosts}}))`;
}

/** What is at or above a limit is bad. */
export function badFrom(limit: number, status: HealthStatus = "critical"): Threshold[] {
  return [
    { value: null, color: COLORS.ok },
    { value: limit, color: COLORS[status] },
  ];
}

/** What is below a limit is bad: limits of the worst first. */
export function badBelow(
  ...limits: readonly (readonly [limit: number, status: HealthStatus])[]
): Threshold[] {
  const colors = [...limits.map(([, status]) => COLORS[status]), COLORS.ok];
  return colors.map((color, place) => ({ value: limits[place - 1]?.[0] ?? null, color }));
}

export interface Query {
  readonly expr: string;
  /** As `{{host}} gpu {{gpu}}`. */
  readonly legend?: string;
}

export interface PanelOptions {
  readonly title: string;
  readonly description: string;
  readonly queries: readonly Query[];
  /** Grafana's id of a unit; a plain number where it is left out. */
  readonly unit?: string;
  /** Of 24 columns. */
  readonly span: number;
  readonly height?: number;
  readonly thresholds?: readonly Threshold[];
  readonly mappings?: readonly ValueMapping[];
  readonly max?: number;
}

const GRAPH_HEIGHT = 8;
const STAT_HEIGHT = 4;

interface GraphOptions extends PanelOptions {
  /** Parts of a whole. */
  readonly isStacked?: boolean;
  /** The axis does not begin at 0. */
  readonly hasNegative?: boolean;
  /** By the name that a legend gives. */
  readonly colors?: Readonly<Record<string, string>>;
}

/** Lines over time. */
export function graph(options: GraphOptions): TimeSeries {
  const panel = withCommon(new TimeSeries(), options, GRAPH_HEIGHT)
    .targets(options.queries.map((query, place) => target(query, place)))
    .legend(legend())
    .tooltip(tooltip())
    .dataLinks(linksOf(options));
  if (options.hasNegative !== true) panel.min(0);
  if (options.thresholds !== undefined)
    panel
      .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Line));
  for (const [name, fixedColor] of Object.entries(options.colors ?? {}))
    panel.overrideByName(name, [{ id: "color", value: { mode: "fixed", fixedColor } }]);
  if (options.isStacked === true)
    panel
      .stacking(new StackingConfigBuilder().mode(StackingMode.Normal))
      .drawStyle(GraphDrawStyle.Line)
      .fillOpacity(40);
  return panel;
}

/** One number now, with its course behind it. */
export function stat(options: PanelOptions): Stat {
  return withCommon(new Stat(), options, STAT_HEIGHT)
    .targets(options.queries.map((query, place) => target(query, place)))
    .reduceOptions(latest());
}

/** Bars of what is most now, the largest first. */
export function bars(options: PanelOptions): BarGauge {
  return withCommon(new BarGauge(), options, GRAPH_HEIGHT)
    .targets(options.queries.map((query, place) => target(query, place).instant()))
    .reduceOptions(latest())
    .orientation(VizOrientation.Horizontal)
    .min(0)
    .dataLinks(linksOf(options));
}

/** States over time, a row for each series. */
export function timeline(options: PanelOptions): StateTimeline {
  return withCommon(new StateTimeline(), options, GRAPH_HEIGHT)
    .targets(options.queries.map((query, place) => target(query, place)))
    .legend(legend())
    .tooltip(tooltip())
    .dataLinks(linksOf(options));
}

/** A query whose answer is a range. */
export function target({ expr, legend: format }: Query, place: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode("A".charCodeAt(0) + place))
    .datasource(DATASOURCE)
    .editorMode(QueryEditorMode.Code)
    .format(PromQueryFormat.TimeSeries)
    .expr(expr)
    .legendFormat(format ?? "__auto")
    .range();
}

/** To the dashboard of one host; `host` is a variable of a data link. */
export function hostLink(host: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder("Host").url(
    `/d/allsmi-host?\${datasource:queryparam}&var-host=${host}&\${__url_time_range}`,
  );
}

/** A series of one host leads to it. */
function linksOf({ queries }: PanelOptions): DashboardLinkBuilder[] {
  const isByHost = queries.every(({ legend: format }) => format?.includes("{{host}}") === true);
  return isByHost ? [hostLink("${__field.labels.host}")] : [];
}

interface CommonPanel {
  title(title: string): this;
  description(description: string): this;
  datasource(datasource: typeof DATASOURCE): this;
  span(columns: number): this;
  height(rows: number): this;
  unit(unit: string): this;
  max(max: number): this;
  mappings(mappings: ValueMapping[]): this;
  thresholds(thresholds: ThresholdsConfigBuilder): this;
  colorScheme(color: FieldColorBuilder): this;
}

/** What every kind of panel has. */
export function withCommon<Panel extends CommonPanel>(
  panel: Panel,
  options: Omit<PanelOptions, "queries">,
  height: number,
): Panel {
  const { title, description, span, thresholds, mappings, unit = "short", max } = options;
  panel.title(title).description(description).datasource(DATASOURCE).unit(unit);
  panel.span(span).height(options.height ?? height);
  if (max !== undefined) panel.max(max);
  if (mappings !== undefined) panel.mappings([...mappings]);
  const steps = [...(thresholds ?? [{ value: null, color: COLORS.ok }])];
  panel.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps));
  const isByLimit = thresholds !== undefined || mappings !== undefined;
  const mode = isByLimit ? FieldColorModeId.Thresholds : FieldColorModeId.PaletteClassicByName;
  return panel.colorScheme(new FieldColorBuilder().mode(mode));
}

function latest(): ReduceDataOptionsBuilder {
  return new ReduceDataOptionsBuilder().calcs(["lastNotNull"]);
}

function legend(): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true);
}

function tooltip(): VizTooltipOptionsBuilder {
  return new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending);
}
