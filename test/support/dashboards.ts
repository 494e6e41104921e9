/** The committed dashboards, read as Grafana reads them, and the PromQL in them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly links: readonly unknown[];
}

export interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: {
    readonly defaults: {
      readonly thresholds: { readonly steps: readonly { readonly value: number | null }[] };
    };
  };
}

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly datasource: { readonly uid: string };
  readonly instant?: boolean;
  readonly range?: boolean;
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query?: string;
}

const FOLDER = fileURLToPath(new URL("../../dashboards/", import.meta.url));

/** The names of the files, without `.json`. */
export const DASHBOARDS: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".json"))
  .map((file) => file.replace(/\.json$/, ""));

export function readDashboard(name: string): Dashboard {
  return JSON.parse(readFileSync(`${FOLDER}${name}.json`, "utf8")) as Dashboard;
}

/** Panels, rows and what collapsed rows hold. */
export function panelsOf({ panels }: Dashboard): readonly Panel[] {
  return panels.flatMap((panel) => [panel, ...(("panels" in panel ? panel.panels : []) as readonly Panel[])]);
}

export interface Expression {
  /** The panel or the variable that it is of. */
  readonly of: string;
  readonly expr: string;
}

/** Every PromQL expression: those of the panels, and the selectors of the variables. */
export function expressionsOf(dashboard: Dashboard): readonly Expression[] {
  const ofPanels = panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({ of: `${title} ${refId}`, expr })),
  );
  const ofVariables = dashboard.templating.list
    .filter(({ type }) => type === "query")
    .map(({ name, query = "" }) => {
      const [, inside = ""] = /^label_(?:names|values)\((.*)\)$/.exec(query) ?? [];
      const expr = query.startsWith("label_values") ? inside.replace(/,\s*[\w$]+$/, "") : inside;
      assert.match(expr, /^allsmi_\w+/, `the variable ${name}`);
      return { of: `variable ${name}`, expr };
    });
  return [...ofPanels, ...ofVariables];
}

/** The selectors in an expression: `metric{labels}`. */
export function selectorsIn(expr: string): readonly string[] {
  return expr.match(/\ballsmi_\w+(?:\{[^}]*\})?/g) ?? [];
}

/** Every text in a value, at any depth. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
