/** The plan of a typed target: resolves the host's configuration, and that of every jump host on the way. */
import type { HostFailure } from "../../contract/errors.js";
import type { SshOptions } from "../../contract/ssh-options.js";
import type { Target } from "../../contract/target.js";
import { UNRESOLVABLE } from "../config/canonicalize.js";
import { ConfigError } from "../config/config-error.js";
import type { ConfigEnvironment } from "../config/environment.js";
import type { LoadedConfig } from "../config/load.js";
import { resolveHost } from "../config/resolve.js";
import { resolveRoute } from "../config/route.js";
import { settleHost } from "../config/settle.js";
import { makePlan, type HostPlan } from "./plan.js";

/** Throws ConfigError where ssh would exit before it connects. */
export async function planTarget(
  target: Target,
  options: SshOptions,
  config: LoadedConfig,
  environment: ConfigEnvironment,
): Promise<HostPlan> {
  const resolved = await settleHost(target, {}, config, environment);
  const isDirect = resolved.proxy.kind !== "jump";
  const route = isDirect ? [] : await resolveRoute(resolved, {}, config, environment);
  return makePlan(resolved, options, route, environment.env);
}

/**
 * As `planTarget`, but where ssh refuses only this host its plan holds the refusal, so that the others continue. Throws
 * ConfigError where the files are wrong.
 */
export async function planOrRefuse(
  target: Target,
  options: SshOptions,
  config: LoadedConfig,
  environment: ConfigEnvironment,
): Promise<HostPlan> {
  try {
    return await planTarget(target, options, config, environment);
  } catch (error) {
    if (!(error instanceof ConfigError) || !error.isOfHost) throw error;
    const bare = await resolveHost(target, {}, NO_FILES, environment).catch(() => {
      throw new ConfigError(error.details.map((detail) => atTarget(detail.message, target)));
    });
    return { ...makePlan(bare, options), refusal: refusalOf(error) };
  }
}

const NO_FILES: LoadedConfig = { source: { kind: "none" }, files: [] };

function atTarget(message: string, { origin, host }: Target): ConfigError["details"][number] {
  return { file: null, line: null, message: `${origin}: ${host}: ${message}` };
}

function refusalOf({ details }: ConfigError): HostFailure {
  const message = details.map((detail) => detail.message).join("; ");
  const placed = details.find(({ file, line }) => file !== null && line !== null);
  const where = placed === undefined ? {} : { where: `${placed.file}:${placed.line}` };
  const code = message.startsWith(UNRESOLVABLE) ? "dns-not-found" : "protocol-error";
  return { code, phase: "resolve", message: `ssh would not connect: ${message}`, ...where };
}
