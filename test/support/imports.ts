/** Who imports what in src/: read from the texts, so that types, dynamic imports and packages are all seen. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const SRC = fileURLToPath(new URL("../../src", import.meta.url));

export interface Import {
  /** Below src/. */
  readonly from: string;
  /** Below src/ for a file of ours, else the package. */
  readonly to: string;
}

/** Files below src/, sorted. */
export const sourceFiles: readonly string[] = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .sort();

export function importsOf(from: string): readonly Import[] {
  const text = readFileSync(join(SRC, from), "utf8");
  const found = [...text.matchAll(/^(?:import|export)\s+[^;]*?from\s+"([^"]+)";/gms)];
  const bare = [...text.matchAll(/^import\s+"([^"]+)";/gm)];
  const dynamic = [...text.matchAll(/\bimport\("([^"]+)"\)/g)];
  return [...found, ...bare, ...dynamic].map(([, to = ""]) => ({
    from,
    to: to.startsWith(".") ? relative(SRC, resolve(SRC, dirname(from), to)).replace(/\.js$/, ".ts") : to,
  }));
}

/** A file's room: the folder, or the file itself at the root. */
export function roomOf(file: string): string {
  const folder = file.split("/")[0] ?? file;
  return file.includes("/") ? `${folder}/` : file;
}

export const isLocal = (to: string): boolean => to.endsWith(".ts");
