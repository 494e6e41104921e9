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
    "What `npm run faults` printed when it was last run with `UPDATE_GOLDEN=1`. Each case of a host is one host of a run",
    "that watches all of its group, with two healthy hosts beside them. Each case of a run is a run of its own.",
    "",
    "- **noticed**: from the begin of the fault to the expected record; where the fault is there from the start, from the",
    "  begin of the run. Frames without errors count as the expected record where the fault must not matter.",
    "- **recovered**: from the end of the fault to the next frame without errors; empty where the fault does not end.",
    "- **others' frames**: frames of the healthy hosts, of the ticks in that time.",
    "",
    "The groups `connection`, `system ssh` and `network` have the default flags: an interval of 2 s and a tool deadline of",
    "10 s. `network` runs in network namespaces with real links, firewalls and a name server; its cases of netem(8) need a",
    "kernel that has it. The groups `system ssh` and `network, system ssh` are reached by `--ssh-client openssh`.",
    "",
    "Where `ssh` itself does otherwise, by its own design:",
    "",
    "- It waits for a frozen or silent peer for ever without ServerAliveInterval; here it is noticed within 20 s.",
    "- It tries the next address of a name after ConnectTimeout, without one after minutes. The built-in client tries it 250 ms",
    "  later beside the first; by `ssh` it comes after ConnectTimeout or 10 s.",
    "- It waits for a control socket that never answers for ever; here it is passed by after a second.",
    "- With PermitLocalCommand it runs LocalCommand, with BatchMode too; here neither client runs it.",
    "- Where it cannot start a process for ProxyCommand it fails as if the host were not there; here it is `local-limit`.",
    "",
    `${good} of ${rows.length} cases went as expected.`,
    "",
    ...markdown(rows),
  ].join("\n")}\n`;
}
