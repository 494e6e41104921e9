/** A group of hosts as one row. */
import { cleanText } from "../../lib/text.js";
import { strip, type Cell } from "./cells.js";
import type { RowContext } from "./gpu-rows.js";
import type { HostGroup } from "./grouping.js";
import { summaryCells } from "./host-rows.js";
import type { TableRow } from "./row.js";
import { MAX_WELL_RANK } from "./seen-host.js";
import { mean, sumOfSummaries } from "./summary.js";

/** Late readings count for nothing here: a mean has no age. */
export function groupRow({ name, hosts }: HostGroup, context: RowContext): TableRow {
  const fresh = hosts.filter(({ host }) => host.last.record === "frame");
  const sick = hosts.filter(({ host }) => host.rank > MAX_WELL_RANK).length;
  const summaries = fresh.map(({ host }) => host.summary(context.nowMs));
  const { look, isScreen } = context;
  const sickCell: Cell = sick === 0 ? { text: "0" } : { text: String(sick), paint: look.outcome.critical };
  return {
    state: null,
    cells: {
      host: { text: cleanText(name), paint: look.title },
      hosts: { text: String(hosts.length) },
      sick: sickCell,
      ...summaryCells(sumOfSummaries(summaries), context),
      ...(isScreen
        ? {
            strip: strip(
              summaries.map(({ utilization }) => mean(utilization)),
              look,
            ),
          }
        : {}),
    },
  };
}
