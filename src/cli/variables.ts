/** Environment variables of this program: a default for each flag, and what is no flag. One that is mistyped is a warning. */
import { closestName } from "../lib/closest-name.js";
import { cleanText } from "../lib/text.js";
import { readFlags, type GivenFlags } from "./argv.js";
import { FLAGS } from "./flags.js";
import type { Environment } from "./run-program.js";

const PREFIX = "ALLSMI_SSH_";
/** Names a file of flags. */
export const FILE_VARIABLE = "ALLSMI_SSH_CONFIG_PATH";
/** Turns the step log on: a comma list of areas. */
export const STEP_VARIABLE = "ALLSMI_SSH_DEBUG";
/** They decide what kind of program this is, which nobody expects of a default. */
export const ONLY_TYPED: ReadonlySet<string> = new Set(["help", "version", "check"]);

const YES: ReadonlySet<string> = new Set(["1", "true", "yes"]);
const NO: ReadonlySet<string> = new Set(["0", "false", "no"]);
/**
 * Kubernetes sets these in every container of a namespace for each of its services, `NAME_SERVICE_HOST` among them: of a
 * service `allsmi-ssh`, or `allsmi-ssh-exporter` (Service, Discovering services, Environment variables).
 */
const OF_SERVICE = /^_(?:SERVICE_HOST|SERVICE_PORT(?:_.*)?|PORT|PORT_\d+_(?:TCP|UDP|SCTP)(?:_.*)?)$/;
const SERVICE = PREFIX.slice(0, -1);

/** `ALLSMI_SSH_TOOL_TIMEOUT_SECS` is `--tool-timeout-secs`. An empty variable is none. */
export function variableOf(flag: string): string {
  return `${PREFIX}${flag.toUpperCase().replaceAll("-", "_")}`;
}

/** The flags that variables give. */
export async function readVariables(env: Environment): Promise<GivenFlags> {
  const args: string[] = [];
  const problems: string[] = [];
  for (const { name, takes } of FLAGS) {
    const text = env[variableOf(name)] ?? "";
    if (text === "" || ONLY_TYPED.has(name)) continue;
    if (takes.kind === "value") args.push(`--${name}=${text}`);
    else if (YES.has(text.toLowerCase())) args.push(`--${name}`);
    else if (!NO.has(text.toLowerCase()))
      problems.push(`${variableOf(name)}: "${cleanText(text)}" is not one of 1, true, yes, 0, false, no`);
  }
  if (args.length === 0) return { texts: new Map(), operands: [], problems };
  const given = await readFlags(args);
  return { ...given, problems: [...problems, ...given.problems] };
}

/** A warning for each variable that looks like one of ours and has no effect. */
export function variableWarnings(env: Environment): readonly string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && (env[name] ?? "") !== "" && !isOfService(name, env))
    .sort()
    .flatMap((name) => warningOf(name) ?? []);
}

function isOfService(name: string, env: Environment): boolean {
  // The first part that is one: `A_PORT_80_TCP_PORT` is of the service `a`.
  for (let at = name.indexOf("_", SERVICE.length); at >= 0; at = name.indexOf("_", at + 1)) {
    const service = name.slice(0, at);
    const isThere = service === SERVICE || env[`${service}_SERVICE_HOST`] !== undefined;
    if (isThere && OF_SERVICE.test(name.slice(at))) return true;
  }
  return false;
}

function warningOf(name: string): string | null {
  const flag = FLAGS.find((each) => variableOf(each.name) === name)?.name;
  if (flag !== undefined)
    return ONLY_TYPED.has(flag) ? `${name} has no effect: give --${flag} on the command line` : null;
  if (name === FILE_VARIABLE || name === STEP_VARIABLE) return null;
  const meant = meantVariable(name.slice(PREFIX.length).toUpperCase());
  const advice = meant === undefined ? "docs/flags.md has the names" : `did you mean ${meant}?`;
  return `unknown variable ${cleanText(name)} has no effect; ${advice}`;
}

/** Flags that begin with `ssh-` have the prefix twice: `KEY` means `SSH_KEY`. `rest` is the name without the prefix. */
function meantVariable(rest: string): string | undefined {
  const names = [
    ...FLAGS.filter(({ name }) => !ONLY_TYPED.has(name)).map(({ name }) => variableOf(name)),
    ...[FILE_VARIABLE, STEP_VARIABLE],
  ].map((name) => name.slice(PREFIX.length));
  const isName = (text: string): boolean => names.includes(text);
  const meant =
    [rest, `SSH_${rest}`].find(isName) ?? closestName(rest, names) ?? closestName(`SSH_${rest}`, names);
  return meant === undefined ? undefined : `${PREFIX}${meant}`;
}
