/** Programs that stand in for vendor tools, in a folder for the remote PATH. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A row of H100 as `nvidia-smi --query-gpu` prints it with the columns that are asked first. */
export const H100_ROW = "0, GPU-1, NVIDIA H100, 590.48.01, 37, 19818, 81559, 59, 1980, 631.95";

export interface FakeNvidiaSmi {
  /**
   * Columns as the header names them, units included: the help lists them and a header stands above the rows. Without
   * them there is no header and `--help-query-gpu` fails.
   */
  readonly columns?: readonly string[];
  /** Rows, each within double quotes of sh; one H100 by default. */
  readonly rows?: readonly string[];
  /** sh commands before a query is answered: a delay, a failure, a hang. */
  readonly before?: string;
  /** More cases of sh, as `-L) echo x;;`. */
  readonly cases?: readonly string[];
}

/** The sh text of an nvidia-smi that answers any `--query-gpu=`, and fails with status 2 for what it does not know. */
export function fakeNvidiaSmi(options: FakeNvidiaSmi = {}): string {
  const { columns, rows = [H100_ROW], before, cases = [] } = options;
  const fields = columns?.map((column) => `'"${column.replace(/ \[.*$/, "")}"'`).join(" ") ?? "";
  const lines = (columns === undefined ? rows : [columns.join(", "), ...rows]).map((row) => `"${row}"`);
  return [
    `case "$1" in`,
    ...(columns === undefined ? [] : [`--help-query-gpu) printf '%s\\n' ${fields};;`]),
    `--query-gpu=*)`,
    ...(before === undefined ? [] : [before]),
    `printf '%s\\n' ${lines.join(" ")};;`,
    ...cases,
    `--query-compute-apps=*) echo "gpu_uuid, pid, process_name, used_gpu_memory [MiB]";;`,
    "*) exit 2;;",
    "esac",
  ].join("\n");
}

/** An nvidia-smi with one A100, driver of the columns that most tests need. */
export const FAKE_A100 = fakeNvidiaSmi({
  columns: ["index", "uuid", "name", "utilization.gpu"],
  rows: ["0, GPU-1, A100, 5"],
});

/** Writes each as a sh script. */
export function makeTools(dir: string, tools: Readonly<Record<string, string>>): string {
  mkdirSync(dir, { recursive: true });
  for (const [name, body] of Object.entries(tools)) {
    const path = join(dir, name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
  }
  return dir;
}
