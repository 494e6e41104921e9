/** One configuration resolved by us and by ssh, and where the two part. */
import { ConfigError } from "../../../src/ssh/config/config-error.js";
import type { ResolvedOptions } from "../../../src/ssh/config/finish.js";
import { loadConfig } from "../../../src/ssh/config/load.js";
import { localEnvironment } from "../../../src/ssh/config/local-environment.js";
import { resolveOptions, type TypedTarget } from "../../../src/ssh/config/resolve.js";
import { SSH_PATH, type Environment, type Oracle } from "./oracle.js";
import { formatOptions } from "./ssh-g-format.js";

export interface Question {
  /** Null: the default files. */
  readonly config: string | null;
  readonly target: TypedTarget;
  readonly env: Environment;
}

export interface Comparison {
  readonly outcome: "resolved" | "refused";
  /** Empty: every line agrees. */
  readonly differences: readonly string[];
}

export async function compare(oracle: Oracle, { config, target, env }: Question): Promise<Comparison> {
  const [theirs, ours] = await Promise.all([
    oracle.ask(config, target, env),
    resolveOurs(config, target, env),
  ]);
  if (theirs.kind === "refused") {
    const differences =
      ours instanceof ConfigError
        ? compareComplaints(theirs.stderr, ours)
        : [`ssh refuses: ${theirs.stderr}`];
    return { outcome: "refused", differences };
  }
  if (ours instanceof ConfigError)
    return { outcome: "resolved", differences: [`we refuse: ${ours.message}`] };
  return { outcome: "resolved", differences: compareLines(oracle, theirs.lines, ours) };
}

async function resolveOurs(
  config: string | null,
  target: TypedTarget,
  env: Environment,
): Promise<ResolvedOptions | ConfigError> {
  const environment = localEnvironment({ PATH: SSH_PATH, ...env });
  try {
    const loaded = await loadConfig(
      config === null ? { kind: "default" } : { kind: "file", path: config },
      environment,
    );
    return await resolveOptions(target, {}, loaded, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** Where ssh names lines, we must name the same ones. */
function compareComplaints(stderr: string, ours: ConfigError): string[] {
  const theirs = [...stderr.matchAll(/^(\S+?):? line (\d+): (?!Unsupported option)/gm)].map(
    (found) => `${found[1] ?? ""}:${found[2] ?? ""}`,
  );
  const own = ours.details.flatMap(({ file, line }) =>
    file === null || line === null ? [] : [`${file}:${line}`],
  );
  const missing = theirs.filter((place) => !own.includes(place));
  return missing.map((place) => `ssh complains of ${place}: ${stderr.trim()} / we: ${ours.message}`);
}

/**
 * All lines must be the same. Where the installed ssh is not the 9.2 whose defaults ours are, a key that neither side
 * moved from its own default is left out: what remains is what the configuration itself decides.
 */
function compareLines(
  oracle: Oracle,
  theirs: ReadonlyMap<string, readonly string[]>,
  resolved: ResolvedOptions,
): string[] {
  const ours = formatOptions(resolved, oracle.catalog);
  const differences: string[] = [];
  for (const key of new Set([...theirs.keys(), ...ours.keys()])) {
    const [own, their] = [ours.get(key) ?? [], theirs.get(key) ?? []].map((lines) => lines.join("\n"));
    if (own === their) continue;
    const isDefault = (oracle.baseline.get(key) ?? []).join("\n") === their && !resolved.options.has(key);
    if (oracle.dialect !== 902 && isDefault) continue;
    differences.push(`ours ${JSON.stringify(own)}, ssh ${JSON.stringify(their)}`);
  }
  return differences;
}
