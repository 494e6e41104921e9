/** The JSON of `ansible-inventory --list` and of dynamic inventory programs (docs.ansible.com, "Developing dynamic inventory"). */
import { cleanText } from "../lib/text.js";
import type { ParsedInventory } from "./ansible-ini.js";
import { Inventory, type Variables } from "./inventory.js";
import { MAX_HOSTS } from "./ranges.js";

type Json = Readonly<Record<string, unknown>>;

/** `name` is for messages. Never throws. */
export function parseAnsibleJson(text: string, name: string): ParsedInventory {
  const inventory = new Inventory();
  const refuse = (problem: string): ParsedInventory => ({ inventory, problems: [`${name}: ${problem}`] });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return refuse(
      `is not JSON: ${cleanText(error instanceof Error ? error.message : String(error))}; print an inventory as ansible-inventory --list does`,
    );
  }
  if (!isObject(parsed))
    return refuse("is no JSON object; print an inventory as ansible-inventory --list does");
  const meta = parsed["_meta"];
  const hostVars = isObject(meta) ? meta["hostvars"] : undefined;
  for (const [group, value] of Object.entries(parsed)) {
    if (group === "_meta") continue;
    const problem = readGroup(group, value, inventory);
    if (problem !== null) return refuse(problem);
    if (inventory.hosts.size > MAX_HOSTS) return refuse(`holds more than ${MAX_HOSTS} hosts; split them`);
  }
  if (isObject(hostVars))
    for (const [host, vars] of Object.entries(hostVars))
      if (isObject(vars)) assign(vars, inventory.host(host));
  return { inventory, problems: [] };
}

/** What is wrong with the group, or null. A list is its hosts. */
function readGroup(name: string, value: unknown, inventory: Inventory): string | null {
  const shown = cleanText(name);
  const group = inventory.group(name);
  const body: unknown = Array.isArray(value) ? { hosts: value as unknown } : value;
  if (!isObject(body)) return `the group ${shown} is neither an object nor a list; write {"hosts": [...]}`;
  for (const [key, names] of [
    ["hosts", group.hosts],
    ["children", group.children],
  ] as const) {
    const listed = body[key] ?? [];
    if (!Array.isArray(listed) || !listed.every((each) => typeof each === "string"))
      return `${key} of the group ${shown} is not a list of names; write ["a", "b"]`;
    for (const each of listed) {
      names.add(each);
      if (key === "hosts") inventory.host(each);
      else inventory.group(each);
    }
  }
  if (isObject(body["vars"])) assign(body["vars"], group.vars);
  return null;
}

function assign(from: Json, to: Variables): void {
  for (const [key, value] of Object.entries(from)) to.set(key, value);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
