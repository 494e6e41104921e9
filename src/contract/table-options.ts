/** How the table is laid out: `--view`, `--sort`, `--group-by`. */

/** `auto`: a line a GPU while all fit, else a line a host, else groups of hosts. */
export const TABLE_VIEWS = ["auto", "gpus", "hosts", "groups"] as const;
export type TableView = (typeof TABLE_VIEWS)[number];

/** By a reading the highest comes first; by host, names as people count. */
export const TABLE_SORTS = ["host", "utilization", "temperature", "memory", "power"] as const;
export type TableSort = (typeof TABLE_SORTS)[number];

export interface TableOptions {
  readonly view: TableView;
  readonly sort: TableSort;
  /** A label of the hosts. Null: the label that divides the fleet best, else the hosts' names. */
  readonly groupBy: string | null;
}

export const DEFAULT_TABLE: TableOptions = { view: "auto", sort: "host", groupBy: null };
