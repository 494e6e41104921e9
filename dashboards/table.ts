/** Tables: the answers of several queries joined by their labels, a row for each host or device. */
import { TableSortByFieldStateBuilder, TableCellDisplayMode } from "@grafana/grafana-foundation-sdk/common";
import {
  MappingType,
  type DynamicConfigValue,
  type Threshold,
  type ValueMapping,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as Table } from "@grafana/grafana-foundation-sdk/table";
import { HEALTH_STATUSES } from "../src/contract/health.js";
import { COLORS, hostLink, target, withCommon } from "./grafana.js";

/** A number of a row. */
export interface NumberColumn {
  readonly expr: string;
  /** Null: the value says nothing, as the 1 of an info; only the labels are shown. */
  readonly title: string | null;
  readonly unit?: string;
  readonly mappings?: readonly ValueMapping[];
  readonly thresholds?: readonly Threshold[];
}

export interface TableOptions {
  readonly title: string;
  readonly description: string;
  readonly span: number;
  readonly height?: number;
  /** Labels of the queries and their titles, in order. The others of a query are left out. */
  readonly labels: Readonly<Record<string, string>>;
  readonly numbers: readonly NumberColumn[];
  /** The title of the column that rows are sorted by, the largest first. */
  readonly sortBy?: string;
  /** The smallest first. */
  readonly isAscending?: true;
}

const TABLE_HEIGHT = 9;
const SEVERITY_MAPPING: ValueMapping = {
  type: MappingType.ValueToText,
  options: Object.fromEntries(HEALTH_STATUSES.map((status) => [status, { color: COLORS[status] }])),
};

/** Each query must aggregate by some of the labels, all by the first one at least: rows are joined by it. */
export function table(options: TableOptions): Table {
  const { labels, numbers, sortBy, isAscending } = options;
  const panel = withCommon(new Table(), options, TABLE_HEIGHT).filterable(true);
  panel.targets(
    numbers.map(({ expr }, place) => target({ expr }, place).instant().format(PromQueryFormat.Table)),
  );
  if (numbers.length > 1) panel.withTransformation({ id: "merge", options: {} });
  // One query has no letter in the name of its value.
  const fieldOf = (place: number): string =>
    numbers.length === 1 ? "Value" : `Value #${String.fromCharCode("A".charCodeAt(0) + place)}`;
  const shown = numbers.map((column, place) => ({ ...column, field: fieldOf(place) }));
  const hidden = ["Time", ...shown.filter(({ title }) => title === null).map(({ field }) => field)];
  const titles = shown.flatMap(({ field, title }) => (title === null ? [] : [[field, title] as const]));
  const order = [...Object.keys(labels), ...titles.map(([field]) => field)];
  panel.withTransformation({
    id: "organize",
    options: {
      excludeByName: Object.fromEntries(hidden.map((field) => [field, true])),
      indexByName: Object.fromEntries(order.map((field, place) => [field, place])),
      renameByName: { ...labels, ...Object.fromEntries(titles) },
    },
  });
  for (const column of numbers) {
    const properties = propertiesOf(column);
    if (column.title !== null && properties.length > 0) panel.overrideByName(column.title, properties);
  }
  const { host } = labels;
  if (host !== undefined)
    panel.overrideByName(host, [{ id: "links", value: [hostLink("${__data.fields." + host + "}").build()] }]);
  if (labels["severity"] !== undefined)
    panel.overrideByName(labels["severity"], propertiesOf({ mappings: [SEVERITY_MAPPING] }));
  if (sortBy !== undefined)
    panel.sortBy([new TableSortByFieldStateBuilder().displayName(sortBy).desc(isAscending !== true)]);
  return panel;
}

function propertiesOf({
  unit,
  mappings,
  thresholds,
}: Omit<NumberColumn, "expr" | "title">): DynamicConfigValue[] {
  const hasColor = mappings !== undefined || thresholds !== undefined;
  return [
    ...(unit === undefined ? [] : [{ id: "unit", value: unit }]),
    ...(mappings === undefined ? [] : [{ id: "mappings", value: mappings }]),
    ...(thresholds === undefined
      ? []
      : [{ id: "thresholds", value: { mode: "absolute", steps: thresholds } }]),
    ...(hasColor
      ? [
          { id: "color", value: { mode: "thresholds" } },
          { id: "custom.cellOptions", value: { type: TableCellDisplayMode.ColorText } },
        ]
      : []),
  ];
}

/** What the health rules find on the hosts of a selector, a row for each rule and device. */
export function findingsTable(description: string, hosts: string): Table {
  return table({
    title: "Findings",
    description,
    span: 12,
    labels: { host: "Host", device: "Device", rule: "Rule", severity: "Severity" },
    numbers: [
      {
        expr: `sum by (host, device, rule, severity) (allsmi_host_health_findings{${hosts}})`,
        title: "Findings",
      },
    ],
    sortBy: "Severity",
    isAscending: true,
  });
}
