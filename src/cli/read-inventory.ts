/** `--ssh-from`: hosts of an Ansible inventory, or those that a program prints. */
import { access, constants, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Target } from "../contract/target.js";
import { cleanText } from "../lib/text.js";
import { parseAnsibleIni, type ParsedInventory } from "../targets/ansible-ini.js";
import { parseAnsibleJson } from "../targets/ansible-json.js";
import { parseHostfile } from "../targets/hostfile.js";
import type { HostBudget, Lookups } from "../targets/hostlist.js";
import { inventoryTargets } from "../targets/inventory.js";
import { runProgram, type Environment } from "./run-program.js";
import { failureReason } from "../lib/error-code.js";

export interface FoundTargets {
  readonly targets: readonly Target[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export interface InventoryDeps {
  readonly env: Environment;
  /** Rejects with the error of the file system. */
  readonly readTextFile: (file: string) => Promise<string>;
  readonly lookups: Lookups;
  readonly budget: HostBudget;
}

const ADVICE = "write ansible:FILE or exec:PROGRAM";

/** `text` is `ansible:FILE` or `exec:PROGRAM`. Never rejects. */
export async function readFrom(text: string, deps: InventoryDeps): Promise<FoundTargets> {
  const [, kind, place = ""] = /^(ansible|exec):(.+)$/s.exec(text) ?? [];
  if (kind === undefined) return refused(`"${cleanText(text)}" is not a source of hosts; ${ADVICE}`);
  if (kind === "exec") return await readProgram(place, deps);
  if (await isDirectory(place)) return await readByAnsible(place, deps);
  if (/\.ya?ml$/i.test(place)) return await readByAnsible(place, deps);
  if (await isExecutable(place)) return await readProgram(place, deps);
  let written: string;
  try {
    written = await deps.readTextFile(place);
  } catch (error) {
    return refused(`cannot read ${place}: ${failureReason(error)}`);
  }
  if (isJson(written)) return fromInventory(parseAnsibleJson(written, place), place);
  // A YAML inventory without its ending begins so; INI has no such line.
  if (/^(?:---|[\w-]+:)\s*$/m.test(written)) return await readByAnsible(place, deps);
  return fromInventory(parseAnsibleIni(written, place), place);
}

/** Hostfile lines, or the JSON of a dynamic inventory. It is started with `--list`, as Ansible starts one. */
async function readProgram(program: string, deps: InventoryDeps): Promise<FoundTargets> {
  const path = program.includes("/") ? resolve(program) : program;
  const output = await runProgram(path, ["--list"], { env: deps.env });
  if (output.kind === "failed") return refused(`${program} ${output.why}`);
  if (isJson(output.text)) return fromInventory(parseAnsibleJson(output.text, program), program);
  return await parseHostfile(output.text, program, deps.lookups, deps.budget);
}

/** YAML inventories and directories of inventories, by the program that defines them. */
async function readByAnsible(place: string, deps: InventoryDeps): Promise<FoundTargets> {
  const args = ["-i", resolve(place), "--list"];
  const output = await runProgram("ansible-inventory", args, { env: deps.env });
  if (output.kind === "failed")
    return refused(
      `${place} is a YAML inventory or a directory, which ansible-inventory reads, and that ${output.why}; ` +
        `install Ansible, or give the file that "ansible-inventory -i ${place} --list" prints`,
    );
  return fromInventory(parseAnsibleJson(output.text, place), place);
}

function fromInventory({ inventory, problems }: ParsedInventory, name: string): FoundTargets {
  if (problems.length > 0) return { targets: [], problems, warnings: [] };
  const found = inventoryTargets(inventory, name);
  const isEmpty = found.targets.length === 0 && found.problems.length === 0;
  return isEmpty ? { ...found, problems: [`${name}: holds no host that is reached by SSH`] } : found;
}

function refused(problem: string): FoundTargets {
  return { targets: [], problems: [`--ssh-from: ${problem}`], warnings: [] };
}

/** INI has `[group]` lines, and no inventory is a JSON list. */
function isJson(text: string): boolean {
  return text.trimStart().startsWith("{");
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
