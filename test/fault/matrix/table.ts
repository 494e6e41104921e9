/** The table of all cases of the fault matrix, from the rows that they have left. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ROWS_FILE, type Row } from "./fault-case.js";

const DOCS_FILE = fileURLToPath(new URL("../../../docs/faults.md", import.meta.url));

export function forgetRows(): void {
  rmSync(ROWS_FILE, { force: true });
}

/** Null where no case has run. With UPDATE_GOLDEN, docs/faults.md is written too. */
export function faultTable(): string | null {
  if (!existsSync(ROWS_FILE)) return null;
  const rows = readFileSync(ROWS_FILE, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(DOCS_FILE, document(rows));
  const good = rows.filter(({ problem }) => problem === null).length;
  return `${markdown(rows).join("\n")}\n${good} of ${rows.length} cases went as expected\n`;
}

const HEAD = ["group", "case", "expected", "noticed", "recovered", "others' frames", "outcome"];

function markdown(rows: readonly Row[]): readonly string[] {
  const cells = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = HEAD, ...body] = cells;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body.map(line)];
}

function cellsOf(row: Row): readonly string[] {
  const secs = (value: number | null): string => (value === null ? "" : `${value.toFixed(1)} s`);
  const kept = row.kept === null ? "" : `${row.kept[0]} of ${row.kept[1]}`;
  const outcome = row.problem === null ? "ok" : `FAILED: ${row.problem.replace(/\s+/g, " ").slice(0, 120)}`;
  return [
    row.group,
    row.name,
    row.expected,
    secs(row.noticedSecs),
    secs(row.recoveredSecs),
    kept,
    outcome,
  ].map((cell) => cell.replaceAll("|", "\\|"));
}

function document(rows: readonly Row[]): string {
  const good = rows.filter(({ problem }) => problem === null).length;
  return `${[
    "# Fault matrix",
    "",
    "The output of the last `npm run faults` with `UPDATE_GOLDEN=1`. One run watches all hosts of a group, one host for each",
    "case, and two healthy hosts beside them. Each case of the group `run` is a run of its own.",
    "",
    "- **noticed**: from the start of the fault to the expected record; from the start of the run if the fault is there from the",
    "  start. If the fault must have no effect, the expected records are frames without errors.",
    "- **recovered**: from the end of the fault to the next frame without errors; empty if the fault does not end.",
    "- **others' frames**: how many of the ticks in that time have a frame of the healthy hosts.",
    "",
    "The groups `connection`, `system ssh` and `network` have the default flags: an interval of 2 s and a tool deadline of",
    "10 s. `network` runs in network namespaces with real links, firewalls and a name server; its cases of netem(8) need a",
    "kernel that has it. The groups `system ssh` and `network, system ssh` use `--ssh-client openssh`.",
    "",
    "Differences from `ssh`, which are intended:",
    "",
    "- Without ServerAliveInterval, `ssh` waits forever for a frozen or silent peer; here it is noticed within 20 s.",
    "- `ssh` tries the next address of a name after ConnectTimeout, or else after minutes. The built-in client tries it after",
    "  250 ms, beside the first one; the client `openssh` after ConnectTimeout or 10 s.",
    "- `ssh` waits forever for a control socket that never answers; here it is ignored after a second.",
    "- With PermitLocalCommand `ssh` runs LocalCommand, also with BatchMode; here neither client runs it.",
    "- If `ssh` cannot start a process for ProxyCommand, it fails as if the host were unreachable; here it is `local-limit`.",
    "",
    `${good} of ${rows.length} cases went as expected.`,
    "",
    ...markdown(rows),
  ].join("\n")}\n`;
}
