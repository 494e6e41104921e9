/**
 * Makes dashboards/*.json, which Grafana imports. UPDATE_GOLDEN=1 writes the files; a test compares them with what would be
 * written.
 */
import { format } from "prettier";
import type { DashboardName, GrafanaDashboard } from "./dashboard.js";
import { fleetDashboard } from "./fleet.js";
import { gpuHealthDashboard } from "./gpu-health.js";
import { hostDashboard } from "./host.js";

const MAKERS: Readonly<Record<DashboardName, () => GrafanaDashboard>> = {
  fleet: fleetDashboard,
  host: hostDashboard,
  "gpu-health": gpuHealthDashboard,
};

/** The text of dashboards/<name>.json. */
export function writeDashboard(name: DashboardName): Promise<string> {
  return format(JSON.stringify(MAKERS[name]()), { parser: "json", printWidth: 110 });
}
