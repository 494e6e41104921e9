/** Readers for keywords with a syntax of their own. */
import { SINCE } from "./dialect.js";
import type { Directive } from "./directive.js";
import { parseForward } from "./forwards.js";
import { parseJump, parsePort } from "./jump.js";
import { LineProblem, NOTHING, set, type LineReader, type Reader } from "./line-reader.js";
import { takeList, takeSeconds } from "./readers.js";
import { expand } from "./tokens.js";
import {
  parseBytes,
  parseDomain,
  parseEscapeChar,
  parseInteger,
  parseMask,
  parseQos,
  parseSeconds,
  parseTunnelDevice,
} from "./values.js";

export const readPort: Reader = (line, key) => {
  const word = line.need();
  const port = parsePort(word, line.context.servicePort);
  if (port === null) throw new LineProblem(`Bad port '${word}'.`);
  return set(key, port);
};

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

export const readProxyJump: Reader = (line) => {
  const text = line.command();
  const jump = parseJump(text, line.context.servicePort);
  if (jump === null) throw new LineProblem(`Invalid ProxyJump "${text}"`);
  return { kind: "jump", jump };
};

export const readProxyCommand: Reader = (line) => ({ kind: "proxy-command", command: line.command() });

export const readRekeyLimit: Reader = (line, key) => {
  const word = line.need();
  const bytes = word === "default" ? 0n : parseBytes(word);
  if (bytes === null) throw new LineProblem(`Bad number '${word}'`);
  if (bytes !== 0n && bytes < 16n) throw new LineProblem("RekeyLimit too small");
  const seconds = line.left === 0 ? null : takeSeconds(line);
  return {
    kind: "set",
    settings: [[key, String(bytes)], ...(seconds === null ? [] : [["rekeyinterval", seconds] as const])],
  };
};

const FORWARD_TEXT_LIMIT = 255;

export function forward(keyword: "local" | "remote" | "dynamic"): Reader {
  return (line) => {
    const listen = line.need();
    const target = keyword === "dynamic" ? "" : (line.next() ?? "");
    if (keyword === "local" && target === "") throw new LineProblem("Missing target argument.");
    const text = (target === "" ? listen : `${listen}:${target}`).slice(0, FORWARD_TEXT_LIMIT);
    const expanded = expand(text, { env: line.context.env });
    const remote = keyword === "remote";
    const rules = { dynamic: target === "", remote, servicePort: line.context.servicePort };
    const parsed = expanded.ok ? parseForward(expanded.text, rules) : null;
    if (parsed === null) throw new LineProblem("Bad forwarding specification.");
    return { kind: "forward", side: remote ? "remote" : "local", forward: parsed };
  };
}

export const readPermitRemoteOpen: Reader = (line, key) => {
  const words = takeList(line, ["none", "any"], true);
  for (const word of words) {
    if (["none", "any"].includes(word.toLowerCase())) continue;
    const parts = /^(?:\[[^\]]*\]|[^[:/][^:/]*|(?=:))(?::([^]*))?$/.exec(word);
    if (parts === null) throw new LineProblem("missing host in permitremoteopen", true);
    const [, port] = parts;
    if (port === undefined || (port !== "*" && parsePort(port, line.context.servicePort) === null)) {
      throw new LineProblem("bad port number in permitremoteopen", true);
    }
  }
  if (words.length === 0) throw new LineProblem("missing permitremoteopen specification", true);
  return set(key, words);
};

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

export const readControlPersist: Reader = (line, key) => {
  const word = line.need("Missing ControlPersist argument.");
  if (word === "no" || word === "false") return set(key, "no");
  if (word === "yes" || word === "true") return set(key, "yes");
  const seconds = parseSeconds(word);
  if (seconds === null) throw new LineProblem("Bad ControlPersist argument.");
  return set(key, seconds === 0 ? "yes" : String(seconds));
};

export const readTunnelDevice: Reader = (line, key) => {
  const value = parseTunnelDevice(line.need());
  if (value === null) throw new LineProblem("Bad tun device.");
  return set(key, value);
};

export const readQos: Reader = (line, key) => {
  const take = (word: string): string => {
    const value = parseQos(word);
    if (value === null) throw new LineProblem(`Bad IPQoS value: ${word}`);
    return value;
  };
  const interactive = take(line.next() ?? "");
  const bulk = line.next();
  return set(key, `${interactive} ${bulk === undefined ? interactive : take(bulk)}`);
};

export const readCanonicalDomains: Reader = (line, key) => {
  const domains = takeList(line, ["none"], true).map((word) => {
    const parsed = parseDomain(word);
    if ("message" in parsed) throw new LineProblem(parsed.message);
    return parsed.domain;
  });
  return domains.length === 0 ? NOTHING : set(key, domains);
};

/** Rules as `source:target`; `none` as `none:`, `*` as `*:*`. */
export const readPermittedCnames: Reader = (line, key) => {
  const rules = takeList(line, ["none"], true).map((word) => {
    if (word.toLowerCase() === "none") return `${word}:`;
    if (word === "*") return "*:*";
    const colon = word.indexOf(":");
    if (colon === -1 || colon === word.length - 1) {
      throw new LineProblem(`Invalid permitted CNAME "${word.toLowerCase()}"`);
    }
    return word.toLowerCase();
  });
  return rules.length === 0 ? NOTHING : set(key, rules);
};

export const readMask: Reader = (line, key) => {
  const mask = parseMask(line.need("Missing StreamLocalBindMask argument."));
  if (mask === null) throw new LineProblem("Bad mask.");
  return { kind: "set-anyway", key, value: `0${mask.toString(8)}`, replace: true };
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

/** Two names of one level; `ssh -G` prints the first it knows. */
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

/** ssh 9.2 keeps the first entry alone. */
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

/** Checks the environment variables that an agent's path names, as ssh does when it reads the line. */
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

/** Empty patterns are complained of only when matching comes to them. */
export const readHost: Reader = (line) => ({ kind: "host", patterns: line.all() });

export const readChannelTimeout: Reader = (line, key) => {
  const words = takeList(line, ["none"], true);
  for (const word of words) {
    const [, time] = /^[^=]+=([^]+)$/.exec(word) ?? [];
    if (word.toLowerCase() !== "none" && (time === undefined || parseSeconds(time) === null)) {
      throw new LineProblem(`invalid channel timeout ${word}`, true);
    }
  }
  if (words.length === 0) throw new LineProblem(`no ${line.keyword} specified`, true);
  return set(key, words);
};

export const readKeystrokeTiming: Reader = (line, key) => {
  const word = line.need("missing argument");
  if (/^(yes|true|no|false)$/.test(word)) return set(key, word === "yes" || word === "true" ? "yes" : "no");
  if (!word.startsWith("interval:")) throw new LineProblem(`unsupported argument "${word}"`);
  const interval = parseInteger(word.slice("interval:".length));
  if (typeof interval === "string") throw new LineProblem(`integer value ${interval}.`);
  if (interval === 0 || interval > 1000) throw new LineProblem("value out of range.");
  return set(key, interval === 20 ? "yes" : String(interval));
};

export const readRefuseConnection: Reader = (line): Directive => ({ kind: "refuse", message: line.need() });
