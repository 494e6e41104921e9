/** The table of one tick as text of any width, for pipes, files and terminals that cannot move their cursor. */
import type { StreamRecord } from "../../contract/record.js";
import type { TableOptions } from "../../contract/table-options.js";
import { bodyOf, groupHosts } from "./body.js";
import { TableFooter } from "./footer.js";
import type { RowContext } from "./gpu-rows.js";
import { IdleGpus } from "./holders.js";
import { layOut } from "./layout.js";
import type { Look } from "./look.js";
import { Roster, type Chosen } from "./roster.js";

export interface AppendedOptions {
  /** How many hosts are watched, where that is known. */
  readonly hostCount: number | null;
  readonly table: TableOptions;
  readonly chosen: Chosen | null;
}

export class AppendedTable {
  readonly #options: AppendedOptions;
  readonly #look: Look;
  readonly #idle = new IdleGpus();

  constructor(options: AppendedOptions, look: Look) {
    this.#options = options;
    this.#look = look;
  }

  /** The rows of all records, with a line end. There is space for a line a GPU: `auto` is that view. */
  picture(records: readonly StreamRecord[]): string {
    const { hostCount, table, chosen } = this.#options;
    const roster = new Roster(table.sort, chosen);
    const footer = new TableFooter({ hostCount }, this.#look);
    for (const record of records) {
      roster.put(record);
      this.#idle.take(record);
      footer.take(record);
    }
    const { nowMs } = roster;
    const context: RowContext = { look: this.#look, nowMs, idle: this.#idle, isScreen: false };
    const hosts = roster.hosts();
    const view = table.view === "auto" ? "gpus" : table.view;
    const how = { sort: table.sort, nowMs };
    const body = bodyOf(view, hosts, () => groupHosts(hosts, table.groupBy, how, Infinity), context);
    const { title, lines } = layOut(body.rows(0, body.count), Infinity, this.#look);
    return [title, ...lines, footer.fleetLine(Infinity), ""].join("\n");
  }
}
