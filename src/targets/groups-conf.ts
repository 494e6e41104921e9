/** ClusterShell's groups.conf (man 5 groups.conf, 1.9): group sources and their commands. Text in, sources out. */

export interface GroupSource {
  /** Shell commands; `$GROUP` and `$SOURCE` are filled in. Null: not given. */
  readonly map: string | null;
  readonly all: string | null;
  readonly list: string | null;
  /** Of the file, for `$CFGDIR`. */
  readonly directory: string;
}

export interface GroupsConf {
  /** `default` of `[Main]`. */
  readonly defaultSource: string | null;
  readonly confDirs: readonly string[];
  readonly autoDirs: readonly string[];
  readonly sources: ReadonlyMap<string, GroupSource>;
}

/** Lines that are no `key: value` or `key = value` are left out, as ClusterShell's reader does for unknown keys. */
export function parseGroupsConf(text: string, directory: string): GroupsConf {
  const sections = sectionsOf(text);
  const main = sections.get("Main");
  const sources = new Map<string, GroupSource>();
  for (const [names, keys] of sections) {
    if (names === "Main") continue;
    const source: GroupSource = {
      map: keys.get("map") ?? null,
      all: keys.get("all") ?? null,
      list: keys.get("list") ?? null,
      directory,
    };
    // `[a,b]` is several sources with the same commands.
    for (const name of names.split(",")) sources.set(name.trim(), source);
  }
  return {
    defaultSource: main?.get("default") ?? null,
    confDirs: directories(main?.get("confdir") ?? main?.get("groupsdir"), directory),
    autoDirs: directories(main?.get("autodir"), directory),
    sources,
  };
}

/** Python's configparser: a line that starts with a blank goes on with the value before it. */
function sectionsOf(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let keys: Map<string, string> | null = null;
  let open: string | null = null;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (/^\s*(?:[#;]|$)/.test(line)) continue;
    const header = /^\[([^\]]+)\]/.exec(line)?.[1];
    const pair = /^([^\s:=][^:=]*?)\s*[:=]\s*(.*)$/.exec(line);
    if (header !== undefined) {
      keys = sections.get(header) ?? new Map<string, string>();
      sections.set(header, keys);
      open = null;
    } else if (/^\s/.test(line) && keys !== null && open !== null)
      keys.set(open, `${keys.get(open) ?? ""}\n${line.trim()}`);
    else if (pair !== null && keys !== null) {
      open = (pair[1] ?? "").toLowerCase();
      keys.set(open, (pair[2] ?? "").trim());
    }
  }
  return sections;
}

function directories(value: string | undefined, directory: string): readonly string[] {
  const parts = [...(value ?? "").matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? "",
  );
  return parts.map((part) => part.replaceAll("$CFGDIR", directory));
}
