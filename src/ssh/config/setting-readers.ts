/** Readers for the other keywords that have a syntax of their own: files, environment, agent, logging, blocks. */
import { SINCE } from "./dialect.js";
import type { Directive } from "./directive.js";
import { LineProblem, NOTHING, set, type LineReader, type Reader } from "./line-reader.js";
import { takeList } from "./readers.js";
import { expand } from "./tokens.js";
import { parseEscapeChar, parseSeconds } from "./values.js";

export const readFiles: Reader = (line, key) => ({ kind: "files", key, paths: takeList(line) });

/** Several files on a line are newer than one. */
export const readRevokedHostKeys: Reader = (line, key) => {
  const paths = takeList(line);
  if (paths.length === 0) throw new LineProblem("Missing argument.");
  if (paths.length > 1 && line.context.dialect < SINCE.revokedHostKeysList) {
    throw new LineProblem(`keyword ${line.keyword} extra arguments at end of line`);
  }
  return set(key, paths);
};

export const readAppended: Reader = (line, key) => ({ kind: "append", key, path: line.need() });

export const readEscapeChar: Reader = (line, key) => {
  const value = parseEscapeChar(line.need());
  if (value === null) throw new LineProblem("Bad escape character.");
  return set(key, value);
};

export const readSendEnv: Reader = (line) => {
  const names = line.all();
  if (names.some((name) => name === "" || name.includes("="))) {
    throw new LineProblem("Invalid environment name.");
  }
  return { kind: "send-env", names };
};

export const readSetEnv: Reader = (line, key) => {
  const first = new Map<string, string>();
  for (const word of line.all()) {
    const equals = word.indexOf("=");
    if (equals === -1) throw new LineProblem("Invalid SetEnv.");
    const name = word.slice(0, equals);
    if (!first.has(name)) first.set(name, word);
  }
  return first.size === 0 ? NOTHING : set(key, [...first.values()]);
};

const HASHES = ["MD5", "SHA1", "SHA256", "SHA384", "SHA512"];

export const readFingerprintHash: Reader = (line, key) => {
  const word = line.need();
  const hash = HASHES.find((known) => known === word.toUpperCase());
  if (hash === undefined) throw new LineProblem(`Invalid hash algorithm "${word}".`);
  return set(key, hash);
};

const LEVELS = [
  "SILENT",
  "QUIET",
  "FATAL",
  "ERROR",
  "INFO",
  "VERBOSE",
  "DEBUG",
  "DEBUG1",
  "DEBUG2",
  "DEBUG3",
];

/** Two names of one level; `ssh -G` prints the first one. */
const LEVEL_SPELLINGS: Readonly<Record<string, string>> = { QUIET: "SILENT", DEBUG1: "DEBUG" };

export const readLogLevel: Reader = (line, key) => {
  const word = line.next() ?? "<NONE>";
  const level = LEVELS.find((known) => known === word.toUpperCase());
  if (level === undefined) throw new LineProblem(`unsupported log level '${word}'`);
  return set(key, LEVEL_SPELLINGS[level] ?? level);
};

const FACILITIES = [
  "DAEMON",
  "USER",
  "AUTH",
  "AUTHPRIV",
  ...Array.from({ length: 8 }, (_, n) => `LOCAL${n}`),
];

export const readFacility: Reader = (line, key) => {
  const word = line.next() ?? "<NONE>";
  const facility = FACILITIES.find((known) => known === word.toUpperCase());
  if (facility === undefined) throw new LineProblem(`unsupported log facility '${word}'`);
  return { kind: "set-anyway", key, value: facility, replace: false };
};

/** ssh 9.2 keeps only the first entry. */
export const readLogVerbose: Reader = (line, key) => {
  const [first] = takeList(line);
  return first === undefined ? NOTHING : set(key, [first]);
};

const ADD_KEYS: Readonly<Record<string, string>> = {
  true: "true",
  yes: "true",
  false: "false",
  no: "false",
  ask: "ask",
  confirm: "confirm",
};

export const readAddKeys: Reader = (line, key) => {
  const word = line.next() ?? "";
  const time = line.next();
  const mode = Object.hasOwn(ADD_KEYS, word.toLowerCase()) ? ADD_KEYS[word.toLowerCase()] : undefined;
  if (mode !== undefined && time === undefined) return set(key, mode);
  const seconds = parseSeconds(time ?? word);
  if (mode === "confirm" && seconds === null) throw new LineProblem("invalid time value.");
  if (seconds === null || (time !== undefined && mode !== "confirm"))
    throw new LineProblem("unsupported option");
  if (seconds === 0) return set(key, mode ?? "true");
  return set(key, mode === "confirm" ? `confirm ${seconds}` : String(seconds));
};

/** Checks the environment variables in an agent's path, as ssh does when it reads the line. */
function checkAgentPath(path: string, line: LineReader): void {
  if (!expand(path, { env: line.context.env }).ok) {
    throw new LineProblem(`Invalid environment expansion ${path}.`);
  }
  if (path.startsWith("$") && !path.startsWith("${") && !/^\$[A-Za-z_][A-Za-z0-9_]*$/.test(path)) {
    throw new LineProblem(`Invalid environment name ${path}.`);
  }
}

export const readIdentityAgent: Reader = (line, key) => {
  const path = line.need();
  checkAgentPath(path, line);
  return set(key, path);
};

export const readForwardAgent: Reader = (line, key) => {
  const word = line.need("missing argument.");
  if (/^(yes|true)$/i.test(word)) return set(key, "yes");
  if (/^(no|false)$/i.test(word)) return set(key, "no");
  checkAgentPath(word, line);
  return {
    kind: "set",
    settings: [
      [key, "yes"],
      ["forwardagentpath", word],
    ],
  };
};

export const readInclude: Reader = (line) => ({ kind: "include", patterns: takeList(line, []) });

/** Empty patterns are reported only when matching reaches them. */
export const readHost: Reader = (line) => ({ kind: "host", patterns: line.all() });

export const readRefuseConnection: Reader = (line): Directive => ({ kind: "refuse", message: line.need() });
