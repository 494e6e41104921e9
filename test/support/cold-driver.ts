/**
 * An nvidia-smi on a machine where nothing keeps the driver loaded: each call waits until it is loaded, unless one in loop
 * mode runs. It answers as two H200 with driver 575 do (golden/nvidia-smi/two-h200-575), with persistence mode off.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTools } from "./fake-tools.js";
import { GOLDEN_ROOT } from "./golden.js";

/** What may be wrong with the loop. */
export type LoopFault =
  /** The driver is started for each call all the same. */
  | "useless"
  /** It ends as soon as it has begun. */
  | "dies"
  /** It prints a line only every six seconds. */
  | "slow"
  /** While it runs, other calls print `[Unknown Error]` for what they measure. */
  | "spoils";

export interface ColdDriver {
  /** For the remote PATH. */
  readonly bin: string;
  /** Queries so far by whether the driver had to be started, oldest first. */
  queries(): readonly string[];
  /** Loops that were ever started. */
  loops(): number;
}

/** Writes the tool and its answers below `dir`. */
export function makeColdDriver(dir: string, fault: LoopFault | null = null): ColdDriver {
  const capture = readFileSync(`${GOLDEN_ROOT}nvidia-smi/two-h200-575/nvidia-smi.query/stdout.txt`, "utf8");
  const [marks = "", header = "", ...rows] = capture.split("\n").filter((line) => !line.startsWith("@exit"));
  const fields = marks.slice("@fields ".length).split(",");
  const withCells = (cells: Readonly<Record<string, string>>): string => {
    const changed = rows
      .filter((row) => row !== "")
      .map((row) => row.split(", ").map((cell, column) => cells[fields[column] ?? ""] ?? cell));
    return `${[header, ...changed.map((row) => row.join(", "))].join("\n")}\n`;
  };
  mkdirSync(dir, { recursive: true });
  const file = (name: string): string => join(dir, name);
  writeFileSync(file("help"), fields.map((field) => `"${field}"\n`).join(""));
  writeFileSync(file("good"), withCells({ persistence_mode: "Disabled" }));
  writeFileSync(
    file("spoiled"),
    withCells({ persistence_mode: "Disabled", "utilization.gpu": "[Unknown Error]" }),
  );
  const rest = fault === "slow" ? 6 : 0.1;
  const counted = `echo x >> ${file("loops")}`;
  // One that dies never starts the driver: a query beside its short life must find none.
  // Others are counted after their first line: from then on they can lose their reader and run on until the next line.
  const loop =
    fault === "dies"
      ? `${counted}; exit 1`
      : `echo $$ > ${file("loop")}; echo GPU-1; ${counted}; while sleep ${rest}; do echo GPU-1; done`;
  const start = `echo cold >> ${file("queries")}; sleep 1.2; cat ${file("good")}; exit 0`;
  const bin = makeTools(file("bin"), {
    "nvidia-smi": [
      // Neither of the first two initialises a GPU.
      `case "$*" in *--help-query-gpu*) cat ${file("help")}; exit 0;; --version) echo "CUDA Version : 12.9"; exit 0;; esac`,
      `case "$*" in *" -l "*) ${loop};; esac`,
      `kill -0 "$(cat ${file("loop")} 2>/dev/null)" 2>/dev/null || { ${start}; }`,
      ...(fault === "useless" ? [start] : []),
      `echo warm >> ${file("queries")}; cat ${file(fault === "spoils" ? "spoiled" : "good")}`,
    ].join("\n"),
  });
  const lines = (name: string): readonly string[] =>
    existsSync(file(name)) ? readFileSync(file(name), "utf8").trim().split("\n") : [];
  return { bin, queries: () => lines("queries"), loops: () => lines("loops").length };
}
