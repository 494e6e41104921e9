/** One row of the table. Types only. */
import type { HealthStatus } from "../../contract/health.js";
import type { HostState } from "../../contract/record.js";
import type { Cell } from "./cells.js";
import type { ColumnName } from "./column-names.js";

export interface TableRow {
  /** Null: of several hosts. */
  readonly state: HostState | null;
  /** Of the host and of the row's device. Absent: not judged. */
  readonly health?: HealthStatus;
  /** Absent: the host has no such reading to show, and no row of the table need show the column. */
  readonly cells: Readonly<Partial<Record<ColumnName, Cell>>>;
  /** For a host without readings: why. Shown in their place, right of the state. */
  readonly message?: string;
  /** Its readings are of an earlier tick. */
  readonly isLate?: boolean;
}
