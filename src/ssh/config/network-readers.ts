/** Readers for keywords of the connection and its forwards that have a syntax of their own. */
import { parseForward } from "./forwards.js";
import { parseJump, parsePort } from "./jump.js";
import { LineProblem, NOTHING, set, type Reader } from "./line-reader.js";
import { takeList, takeSeconds } from "./readers.js";
import { expand } from "./tokens.js";
import {
  parseBytes,
  parseDomain,
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

const MAX_FORWARD_CHARS = 255;

export function forward(keyword: "local" | "remote" | "dynamic"): Reader {
  return (line) => {
    const listen = line.need();
    const target = keyword === "dynamic" ? "" : (line.next() ?? "");
    if (keyword === "local" && target === "") throw new LineProblem("Missing target argument.");
    const text = (target === "" ? listen : `${listen}:${target}`).slice(0, MAX_FORWARD_CHARS);
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
