/** The configuration of one host, as `ssh` would resolve it. */
import { lowerAscii } from "../../lib/text.js";
import { canonicalAddress, looksNumeric } from "./addresses.js";
import { applyConfig, applyFlags, type Tolerate } from "./apply.js";
import { toBlocks, type LoadedDirective, type LoadedLine } from "./blocks.js";
import { buildHostConfig } from "./build-host-config.js";
import { canonicalize, familyOf } from "./canonicalize.js";
import { ConfigError } from "./config-error.js";
import type { ConfigEnvironment } from "./environment.js";
import { finish, isValidHost, isValidUser, type ResolvedOptions } from "./finish.js";
import type { HostConfig, JumpHop } from "./host-config.js";
import { formatHop } from "./jump.js";
import type { LoadedConfig } from "./load.js";
import type { Purpose, Subject } from "./match.js";
import { ConfigOptions } from "./options.js";
import { parseLine } from "./parse.js";
import { expand } from "./tokens.js";

/** What is on the command line; it wins over the files. */
export interface TypedTarget {
  readonly user?: string;
  readonly host: string;
  readonly port?: number;
}

export interface Overrides {
  /** As `ssh -o`: "StrictHostKeyChecking=no". */
  readonly options?: readonly string[];
  /** As `ssh -J`: the hops to go through, whatever the files set. */
  readonly jump?: readonly JumpHop[];
  /** "command" when absent. */
  readonly purpose?: Purpose;
  /** Is called with mistakes in the files, which are then no error. */
  readonly tolerate?: Tolerate;
}

/** Resolves a target. Throws ConfigError where ssh would exit before it connects. */
export async function resolveHost(
  typed: TypedTarget,
  overrides: Overrides,
  config: LoadedConfig,
  environment: ConfigEnvironment,
): Promise<HostConfig> {
  return buildHostConfig(await resolveOptions(typed, overrides, config, environment), environment);
}

/** The part of `resolveHost` that `ssh -G` does. */
export async function resolveOptions(
  typed: TypedTarget,
  overrides: Overrides,
  config: LoadedConfig,
  environment: ConfigEnvironment,
): Promise<ResolvedOptions> {
  if (!isValidHost(typed.host)) throw hostError("hostname contains invalid characters");
  if (typed.user !== undefined && !isValidUser(typed.user)) {
    throw hostError("remote username contains invalid characters");
  }
  const options = new ConfigOptions();
  const purpose = overrides.purpose ?? "command";
  const first: Subject = { originalHost: typed.host, host: typed.host, pass: "first", purpose };
  const flags = readFlags(overrides.options ?? [], environment);
  if (flags.length > 0) await applyFlags(toBlocks("command-line", true, flags), first, options, environment);
  offerTyped(typed, overrides, options);
  const tolerate = overrides.tolerate ?? null;
  const wantsFinalPass = await applyConfig(config, first, options, environment, tolerate);

  fillCanonicalizationDefaults(options);
  const host = await finalName(typed.host, options, environment);
  if (wantsFinalPass || options.text("canonicalizehostname") !== "false") {
    options.replace("hostname", host);
    const final: Subject = { ...first, host, pass: "final" };
    await applyConfig(config, final, options, environment, tolerate);
  }
  return {
    options,
    ...finish(options, { originalHost: typed.host, host, purpose }, environment),
  };
}

/** ssh sets these after the first pass: the final pass is too late for them. */
function fillCanonicalizationDefaults(options: ConfigOptions): void {
  options.offer("canonicalizehostname", "false", { kind: "default" });
  options.offer("canonicalizemaxdots", 1, { kind: "default" });
  options.offer("canonicalizefallbacklocal", "yes", { kind: "default" });
}

function hostError(message: string): ConfigError {
  return new ConfigError([{ file: null, line: null, message, ofHost: true }]);
}

function offerTyped(typed: TypedTarget, overrides: Overrides, options: ConfigOptions): void {
  if (typed.user !== undefined) options.offer("user", typed.user, { kind: "flag" });
  if (typed.port !== undefined) options.offer("port", typed.port, { kind: "flag" });
  const last = overrides.jump?.at(-1);
  if (overrides.jump !== undefined && last !== undefined) {
    const before = overrides.jump.slice(0, -1);
    const extra = before.length === 0 ? null : before.map(formatHop).join(",");
    options.proxy = { kind: "jump", jump: { kind: "via", hops: overrides.jump, last, extra } };
    options.noteOrigin("proxyjump", { kind: "flag" });
  }
}

function readFlags(texts: readonly string[], environment: ConfigEnvironment): LoadedLine[] {
  return texts.flatMap((text) => {
    const directive = parseLine(text, environment);
    if (directive === null) return [];
    const notAllowed: LoadedDirective = {
      kind: "bad",
      message: "not supported as a command-line option",
      fatal: true,
    };
    const isFlag = directive.kind !== "host" && directive.kind !== "match" && directive.kind !== "include";
    return [{ line: 0, directive: isFlag ? directive : notAllowed }];
  });
}

/** HostName applied, names in lower case, addresses in their usual notation, canonicalized where the files require it. */
async function finalName(
  typed: string,
  options: ConfigOptions,
  environment: ConfigEnvironment,
): Promise<string> {
  const named = options.text("hostname");
  const expanded = named === null ? null : expand(named, { tokens: { h: typed } });
  if (expanded?.ok === false) throw hostError(`HostName ${named ?? ""}: ${expanded.message}`);
  const name = expanded?.text ?? typed;
  if (named !== null) options.replace("hostname", name);
  const isAddress = looksNumeric(name) || canonicalAddress(name, familyOf(options)) !== null;
  return canonicalize(isAddress ? name : lowerAscii(name), options, environment);
}
