/** Ansible's INI inventory: hosts, `[group]`, `[group:vars]` and `[group:children]`; ranges as `www[01:50]` and `db-[a:f]`. */
import { cleanText } from "../lib/text.js";
import { Inventory, type Variables } from "./inventory.js";
import { MAX_HOSTS } from "./ranges.js";

export interface ParsedInventory {
  readonly inventory: Inventory;
  /** Each `file:line: what is wrong; what to do`. */
  readonly problems: readonly string[];
}

type Section = { readonly group: string; readonly kind: "hosts" | "vars" | "children" };

/** `file` is for messages. Never throws. */
export function parseAnsibleIni(text: string, file: string): ParsedInventory {
  const inventory = new Inventory();
  const problems: string[] = [];
  let section: Section = { group: "ungrouped", kind: "hosts" };
  for (const [index, written] of text.split(/\r\n|\n|\r/).entries()) {
    const line = written.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const header = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(line);
    let problem: string | null = null;
    if (header !== null) {
      const kind = header[2] ?? "hosts";
      if (kind === "hosts" || kind === "vars" || kind === "children")
        section = { group: header[1] ?? "", kind };
      else problem = `[${cleanText(header[1] ?? "")}:${kind}] is not a section; write :vars or :children`;
      inventory.group(section.group);
    } else problem = readLine(line, section, inventory);
    if (problem !== null) problems.push(`${file}:${index + 1}: ${problem}`);
  }
  return { inventory, problems };
}

/** What is wrong with the line, or null. */
function readLine(line: string, { group, kind }: Section, inventory: Inventory): string | null {
  if (kind === "children") {
    const child = line.split(/\s/)[0] ?? "";
    inventory.group(group).children.add(child);
    inventory.group(child);
    return null;
  }
  if (kind === "vars") return readVariable(line, inventory.group(group).vars);
  const fields = splitFields(line);
  if (fields === null) return "a quote is not closed; close it on the same line";
  const [first = "", ...assignments] = fields;
  const names = expandPattern(first);
  if (names === null)
    return `"${cleanText(first)}" has no valid range, or one of more than ${MAX_HOSTS} hosts; write it as [01:50]`;
  const vars: Variables = new Map();
  for (const assignment of assignments) {
    const problem = readVariable(assignment, vars);
    if (problem !== null) return problem;
  }
  for (const name of names) {
    const { host, port } = splitPort(name);
    const own = inventory.host(host);
    inventory.group(group).hosts.add(host);
    if (port !== null) own.set("ansible_port", port);
    for (const [key, value] of vars) own.set(key, value);
    if (inventory.hosts.size > MAX_HOSTS) return `there are more than ${MAX_HOSTS} hosts; split them`;
  }
  return null;
}

function readVariable(text: string, vars: Variables): string | null {
  const equals = text.indexOf("=");
  if (equals <= 0) return `"${cleanText(text)}" is not a variable; write key=value`;
  const value = text.slice(equals + 1).trim();
  const quoted = /^(["'])(.*)\1$/s.exec(value);
  vars.set(text.slice(0, equals).trim(), quoted?.[2] ?? value);
  return null;
}

/** The fields of a line, as Python's shlex splits them with comments; null: a quote is open at the end. */
function splitFields(line: string): readonly string[] | null {
  const fields: string[] = [];
  let field: string[] | null = null;
  let quote = "";
  for (const character of line) {
    if (quote !== "") {
      if (character === quote) quote = "";
      else (field ??= []).push(character);
    } else if (character === '"' || character === "'") {
      quote = character;
      field ??= [];
    } else if (/\s/.test(character)) {
      if (field !== null) fields.push(field.join(""));
      field = null;
    } else if (character === "#" && field === null) break;
    else (field ??= []).push(character);
  }
  if (field !== null) fields.push(field.join(""));
  return quote === "" ? fields : null;
}

/** `name:2222`, `[::1]:22`; a bare IPv6 address has no port. */
function splitPort(name: string): { readonly host: string; readonly port: string | null } {
  const match = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(name);
  return match === null ? { host: name, port: null } : { host: match[1] ?? "", port: match[2] ?? "" };
}

/** Null: not a range, or too many names. */
function expandPattern(pattern: string): readonly string[] | null {
  let names: readonly string[] = [""];
  let at = 0;
  for (const match of pattern.matchAll(/\[([^[\]]*)\]/g)) {
    const inside = match[1] ?? "";
    const steps = stepsOf(inside);
    const isAddress = steps === null && inside.split(":").length > 2;
    if (steps === null && !isAddress) return null;
    const ends = steps ?? [match[0]];
    if (names.length * ends.length > MAX_HOSTS) return null;
    const literal = pattern.slice(at, match.index);
    names = names.flatMap((name) => ends.map((end) => name + literal + end));
    at = match.index + match[0].length;
  }
  const rest = pattern.slice(at);
  return /[[\]]/.test(rest) ? null : names.map((name) => name + rest);
}

/** `01:50`, `0:30:2`, `a:f`. An address such as `fe80::1` is none. */
function stepsOf(inside: string): readonly string[] | null {
  const [, begin, end, by = "1"] =
    /^(\d{1,15}|[a-z]|[A-Z]):(\d{1,15}|[a-z]|[A-Z])(?::(\d{1,9}))?$/.exec(inside) ?? [];
  if (begin === undefined || end === undefined || Number(by) === 0) return null;
  const isNumeric = /^\d/.test(begin);
  if (isNumeric !== /^\d/.test(end)) return null;
  if (isNumeric && /^0\d/.test(begin) && begin.length !== end.length) return null;
  const [first, last] = isNumeric ? [Number(begin), Number(end)] : [begin.charCodeAt(0), end.charCodeAt(0)];
  const count = Math.floor((last - first) / Number(by)) + 1;
  if (count < 1 || count > MAX_HOSTS) return null;
  const width = /^0\d/.test(begin) ? begin.length : 0;
  return Array.from({ length: count }, (_, index) => {
    const at = first + index * Number(by);
    return isNumeric ? String(at).padStart(width, "0") : String.fromCharCode(at);
  });
}
