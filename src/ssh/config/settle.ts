/**
 * A host's configuration, with the installed ssh deciding over lines that we do not understand: `ssh -G` accepts the files
 * or refuses them. Lines that it accepts, newer keywords or a distribution's own, are left to it.
 */
import { ConfigError, type ConfigProblem } from "./config-error.js";
import type { ConfigEnvironment } from "./environment.js";
import type { HostConfig } from "./host-config.js";
import type { LoadedConfig } from "./load.js";
import { resolveHost, type Overrides, type TypedTarget } from "./resolve.js";

/** As `resolveHost`, but a file that only the installed ssh understands is no mistake. Throws ConfigError. */
export async function settleHost(
  typed: TypedTarget,
  overrides: Overrides,
  config: LoadedConfig,
  environment: ConfigEnvironment,
): Promise<HostConfig> {
  try {
    return await resolveHost(typed, overrides, config, environment);
  } catch (error) {
    if (!(error instanceof ConfigError) || !isAboutLines(error)) throw error;
    return await askAndResolve(error, typed, overrides, config, environment);
  }
}

/** Only a line of a file can be newer than we are. */
function isAboutLines({ details }: ConfigError): boolean {
  return details.every(({ file, line, ofHost }) => file !== null && line !== null && ofHost !== true);
}

async function askAndResolve(
  mistake: ConfigError,
  typed: TypedTarget,
  overrides: Overrides,
  config: LoadedConfig,
  environment: ConfigEnvironment,
): Promise<HostConfig> {
  const verdict = await verdictOn(mistake, typed, config, environment);
  const unknown: ConfigProblem[] = [];
  const tolerate = (problem: ConfigProblem, counts: boolean): void => {
    if (counts) unknown.push(problem);
  };
  const resolved = await resolveHost(typed, { ...overrides, tolerate }, config, environment);
  const [first] = unknown;
  const names = { ...resolved, ...verdict };
  return first === undefined ? names : { ...names, beyondUs: `${first.file ?? ""}:${first.line ?? ""}` };
}

/** Lines that we do not understand and ssh accepts, by configuration: a fleet asks once for each. */
const ACCEPTED = new WeakMap<LoadedConfig, Set<string>>();

/** The names that ssh resolved, where they may differ from ours. Throws ConfigError where ssh refuses, or none is installed. */
async function verdictOn(
  mistake: ConfigError,
  typed: TypedTarget,
  config: LoadedConfig,
  environment: ConfigEnvironment,
): Promise<Partial<Pick<HostConfig, "hostname" | "user" | "port">>> {
  // A Match that we cannot read may decide differently for each host.
  const isSame = !/Match|match/.test(mistake.message);
  const accepted = ACCEPTED.get(config) ?? new Set();
  ACCEPTED.set(config, accepted);
  if (isSame && accepted.has(mistake.message)) return {};
  const verdict = await environment.askSsh(config.source, typed);
  if (verdict === null) throw mistake;
  if (verdict.kind === "refused") throw refusedBySsh(verdict.complaints, mistake);
  accepted.add(mistake.message);
  const { hostname, user, port } = verdict;
  return isSame ? {} : { hostname, user, port };
}

/** ssh's own messages where they name lines: they are right for the installed version. */
function refusedBySsh(complaints: readonly string[], ours: ConfigError): ConfigError {
  const named = complaints.flatMap((complaint): ConfigProblem[] => {
    const [, file, line, message] = /^(.+?):? line (\d+): (.+)$/.exec(complaint) ?? [];
    if (file === undefined || message === undefined || message.startsWith("Unsupported option ")) return [];
    return [{ file, line: Number(line), message }];
  });
  return named.length === 0 ? ours : new ConfigError(named);
}
