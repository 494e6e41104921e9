/** Writes docs/licences.md: the packages that an installed allsmi-ssh has, from package-lock.json. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "prettier";

export interface LockedPackage {
  /** `node_modules/...` */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** The program works without it. */
  readonly isOptional: boolean;
}

export interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Their package.json has the old form `licenses`, which npm leaves out of the lockfile. */
const OLD_FORM: Readonly<Record<string, string>> = { ssh2: "MIT", "cpu-features": "MIT", buildcheck: "MIT" };

/** By path; the project itself left out. */
export function lockEntries(): ReadonlyMap<string, LockEntry> {
  const text = readFileSync(join(ROOT, "package-lock.json"), "utf8");
  const { packages } = JSON.parse(text) as { readonly packages: Readonly<Record<string, LockEntry>> };
  return new Map(Object.entries(packages).filter(([path]) => path !== ""));
}

/** What `npm install --omit=dev` brings. Throws for a package whose licence is not known. */
export function productionPackages(): readonly LockedPackage[] {
  return [...lockEntries()]
    .filter(([, { dev, devOptional }]) => dev !== true && devOptional !== true)
    .map(([path, { version = "", license, optional }]) => {
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      const licence = license ?? OLD_FORM[name];
      if (licence === undefined) throw new Error(`package-lock.json: ${name} has no licence`);
      return { path, name, version, licence, isOptional: optional === true };
    });
}

/** The licences of `licenses` in an installed package; null where it is not installed, or has the new form. */
export function licencesInOldForm(path: string): readonly string[] | null {
  const file = join(ROOT, path, "package.json");
  if (!existsSync(file)) return null;
  const { licenses } = JSON.parse(readFileSync(file, "utf8")) as {
    readonly licenses?: readonly { readonly type: string }[];
  };
  return licenses?.map(({ type }) => type) ?? null;
}

export function licencesPage(packages: readonly LockedPackage[]): Promise<string> {
  const rows = packages.map(({ name, version, licence, isOptional }) =>
    [`\`${name}\``, version, licence, isOptional ? "optional" : ""].join(" | "),
  );
  const text = [
    "# Licences",
    "<!-- Written by docs/write-licences.ts: UPDATE_GOLDEN=1 node --import tsx --test test/docs/*.test.ts -->",
    "allsmi-ssh has the Apache-2.0 licence. An installation also has these packages. Optional ones only make it faster. All " +
      "of them may be passed on with it; their texts are in their folders.",
    ["package | version | licence | ", "--- | --- | --- | ---", ...rows]
      .map((row) => `| ${row} |`)
      .join("\n"),
    "",
  ].join("\n\n");
  return format(text, { parser: "markdown", printWidth: 120 });
}
