/** `@group` by ClusterShell's configuration: its groups.conf files, their commands, and the YAML files of groups.d. */
import { readdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { cleanText } from "../lib/text.js";
import { parseGroupsConf, type GroupsConf, type GroupSource } from "../targets/groups-conf.js";
import { parseGroupsYaml } from "../targets/groups-yaml.js";
import { LookupProblem, type GroupFound } from "../targets/hostlist.js";
import { runProgram, type Environment } from "./run-program.js";

/** A name goes into a shell command. */
const SAFE_NAME = /^[A-Za-z0-9_.+~-]+$/;

interface Sources {
  readonly defaultSource: string | null;
  readonly commands: ReadonlyMap<string, GroupSource>;
  readonly files: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export class ClusterGroups {
  #sources: Promise<Sources> | null = null;
  readonly #found = new Map<string, Promise<string | null>>();

  constructor(private readonly env: Environment) {}

  /** As Lookups.group: `name` is `group`, `source:group`, or either with `*` for all hosts of the source. */
  async find(name: string, fromSource: string | null): Promise<GroupFound | null> {
    this.#sources ??= readSources(this.env);
    const sources = await this.#sources;
    const colon = name.indexOf(":");
    const source = (colon === -1 ? "" : name.slice(0, colon)) || fromSource || sources.defaultSource;
    const group = name.slice(colon + 1);
    if (source === null || (!sources.files.has(source) && !sources.commands.has(source)))
      throw new LookupProblem(
        `@${cleanText(name)}: ClusterShell's groups.conf has no group source${source === null ? "" : ` ${cleanText(source)}`}; see man 5 groups.conf`,
      );
    if (group !== "*" && !SAFE_NAME.test(group))
      throw new LookupProblem(`@${cleanText(name)} is no group name; write @group, @source:group or @*`);
    const key = `${source}:${group}`;
    const asked = this.#found.get(key) ?? this.#hostlist(sources, source, group);
    this.#found.set(key, asked);
    const hostlist = await asked;
    return hostlist === null ? null : { hostlist, source };
  }

  async #hostlist(sources: Sources, name: string, group: string): Promise<string | null> {
    const file = sources.files.get(name);
    const commands = sources.commands.get(name);
    // A source of groups.conf itself wins over a file's, as in ClusterShell.
    if (commands === undefined) {
      if (group !== "*") return file?.get(group) ?? null;
      return file?.get("all") ?? [...(file?.keys() ?? [])].map((each) => `@${name}:${each}`).join(",");
    }
    const run = (command: string, wanted: string): Promise<string> =>
      this.#run(command, { GROUP: wanted, SOURCE: name, CFGDIR: commands.directory }, commands.directory);
    if (group !== "*") return commands.map === null ? null : (await run(commands.map, group)) || null;
    if (commands.all !== null) return await run(commands.all, "all");
    if (commands.list === null)
      throw new LookupProblem(
        `@${name}:*: the group source has neither all nor list; add one to groups.conf`,
      );
    const groups = (await run(commands.list, "")).split(/\s+/).filter((each) => each !== "");
    return groups.map((each) => `@${name}:${each}`).join(",");
  }

  async #run(template: string, variables: Environment, directory: string): Promise<string> {
    // Python's string.Template, which ClusterShell fills its commands with.
    const command = template.replace(
      /\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/g,
      (written, bare?: string, braced?: string) =>
        written === "$$" ? "$" : (variables[bare ?? braced ?? ""] ?? written),
    );
    const output = await runProgram("/bin/sh", ["-c", command], { env: this.env, directory });
    if (output.kind === "output") return output.text.trim();
    throw new LookupProblem(
      `the command of the group source ${variables["SOURCE"]} ${output.why}; correct it in groups.conf`,
    );
  }
}

/** The files of all places are read as one, later ones winning; `$CFGDIR` is that of the last (ClusterShell's Defaults.py). */
async function readSources(env: Environment): Promise<Sources> {
  const home = env["HOME"] ?? homedir();
  const places = [
    "/etc/clustershell",
    join(home, ".local/etc/clustershell"),
    join(env["XDG_CONFIG_HOME"] ?? join(home, ".config"), "clustershell"),
    ...(env["CLUSTERSHELL_CFGDIR"] === undefined ? [] : [env["CLUSTERSHELL_CFGDIR"]]),
  ];
  const texts: string[] = [];
  let directory: string | null = null;
  for (const place of places) {
    const text = await textOf(join(place, "groups.conf"));
    if (text === null) continue;
    texts.push(text);
    directory = place;
  }
  if (directory === null)
    throw new LookupProblem(
      "@group needs ClusterShell's groups.conf, and there is none; see man 5 groups.conf",
    );
  const main = parseGroupsConf(texts.join("\n"), directory);
  const commands = new Map<string, GroupSource>();
  for (const file of await filesIn(main.confDirs, ".conf")) {
    const part = parseGroupsConf((await textOf(file)) ?? "", dirname(file));
    for (const [name, source] of part.sources) commands.set(name, source);
  }
  for (const [name, source] of main.sources) commands.set(name, source);
  return { defaultSource: defaultOf(main, commands), commands, files: await readYamlFiles(main, commands) };
}

async function readYamlFiles(
  main: GroupsConf,
  commands: ReadonlyMap<string, GroupSource>,
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const found = new Map<string, ReadonlyMap<string, string>>();
  for (const file of await filesIn(main.autoDirs, ".yaml")) {
    const { sources, problems } = parseGroupsYaml((await textOf(file)) ?? "", file);
    const [problem] = problems;
    if (problem !== undefined) throw new LookupProblem(problem);
    for (const [name, groups] of sources) if (!commands.has(name)) found.set(name, groups);
  }
  return found;
}

function defaultOf({ defaultSource }: GroupsConf, commands: ReadonlyMap<string, GroupSource>): string | null {
  return defaultSource === null || defaultSource === "" ? ([...commands.keys()][0] ?? null) : defaultSource;
}

/** In order of directories, then by name. Directories that are not there have none. */
async function filesIn(directories: readonly string[], end: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const directory of new Set(directories)) {
    const names = await readdir(directory).catch(() => []);
    files.push(
      ...names
        .filter((name) => name.endsWith(end) && !name.startsWith("."))
        .sort()
        .map((name) => join(directory, name)),
    );
  }
  return files;
}

/** Null: not there, or not readable for us, as ClusterShell skips it. */
async function textOf(file: string): Promise<string | null> {
  try {
    return (await stat(file)).isFile() ? await readFile(file, "utf8") : null;
  } catch {
    return null;
  }
}
