/**
 * Flags from elsewhere than the command line: the file that ALLSMI_SSH_CONFIG_PATH names, one flag a line (as ripgrep's),
 * then variables such as ALLSMI_SSH_INTERVAL. What is nearer to the command line wins, flag by flag.
 */
import { cleanText } from "../lib/text.js";
import { readFlags, type GivenFlags } from "./argv.js";
import type { Environment } from "./run-program.js";
import { failureReason } from "../lib/error-code.js";
import { FILE_VARIABLE, ONLY_TYPED, readVariables } from "./variables.js";

/** Which flags exclude each other, and which ones give hosts. */
export interface FlagRules {
  readonly conflicts: readonly (readonly [flag: string, others: readonly string[]])[];
  readonly sources: readonly string[];
}

/** The flags of the command line over those of the environment over those of the file. Never rejects. */
export async function withDefaults(
  typed: GivenFlags,
  env: Environment,
  readTextFile: (file: string) => Promise<string>,
  rules: FlagRules,
): Promise<GivenFlags> {
  const file = env[FILE_VARIABLE] ?? "";
  const fromFile = file === "" ? NOTHING : await readFlagsFile(file, readTextFile);
  const below = overlay(fromFile, await readVariables(env), rules);
  return below.texts.size === 0 && below.problems.length === 0 ? typed : overlay(below, typed, rules);
}

const NOTHING: GivenFlags = { texts: new Map(), operands: [], problems: [] };

/** `--name=value` or `--name value`, without quotes; `#` starts a comment line. */
async function readFlagsFile(
  file: string,
  readTextFile: (file: string) => Promise<string>,
): Promise<GivenFlags> {
  let text: string;
  try {
    text = await readTextFile(file);
  } catch (error) {
    return { ...NOTHING, problems: [`${FILE_VARIABLE}: cannot read ${file}: ${failureReason(error)}`] };
  }
  const args: string[] = [];
  const problems: string[] = [];
  for (const [index, written] of text
    .replace(/^\ufeff/, "")
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = written.trim();
    if (line === "" || line.startsWith("#")) continue;
    const wrong = (problem: string): number => problems.push(`${file}:${index + 1}: ${problem}`);
    const [, name, value] = /^(-[^\s=]*)(?:(?:\s*=\s*|\s+)(.*))?$/.exec(line) ?? [];
    if (name === undefined) {
      wrong(`"${cleanText(line)}" is not a flag; write --name=value, and hosts as --ssh=HOSTS`);
      continue;
    }
    const arg = value === undefined ? name : `${name}=${value}`;
    const read = await readFlags([arg]);
    const notHere = [...read.texts.keys()].find((flag) => ONLY_TYPED.has(flag));
    if (notHere !== undefined) wrong(`--${notHere}: is taken on the command line only`);
    else if (read.problems.length > 0) wrong(read.problems.join("; "));
    else args.push(arg);
  }
  return { ...(await readFlags(args)), problems };
}

/** A flag of `above` replaces the same flag, and those that it excludes; any host replaces all hosts. */
function overlay(below: GivenFlags, above: GivenFlags, { conflicts, sources }: FlagRules): GivenFlags {
  const hidden = new Set(above.texts.keys());
  for (const [flag, others] of conflicts) {
    if (above.texts.has(flag)) for (const other of others) hidden.add(other);
    if (others.some((other) => above.texts.has(other))) hidden.add(flag);
  }
  if (above.operands.length > 0 || sources.some((flag) => above.texts.has(flag)))
    for (const flag of sources) hidden.add(flag);
  const kept = [...below.texts].filter(([flag]) => !hidden.has(flag));
  return {
    texts: new Map([...kept, ...above.texts]),
    operands: above.operands,
    problems: [...below.problems, ...above.problems],
  };
}
