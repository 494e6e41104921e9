/** Configuration files, each read once, with their Includes. */
import {
  MAX_INCLUDE_DEPTH,
  toBlocks,
  type IncludedFiles,
  type LoadedFile,
  type LoadedLine,
} from "./blocks.js";
import { ConfigError } from "./config-error.js";
import { SINCE } from "./dialect.js";
import type { ReadContext } from "./line-reader.js";
import { parseText } from "./parse.js";

/** What was found at a path. */
export type FileText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "missing" }
  | { readonly kind: "unreadable"; readonly reason: string }
  /** Owned by another user, or writable by others. */
  | { readonly kind: "insecure" };

/** Access to the file system; read.ts is the real one. */
export interface ConfigFiles {
  read(path: string, checkPermissions: boolean): Promise<FileText>;
  /** Paths that match a glob pattern, in byte order; `~` is already expanded. */
  glob(pattern: string): Promise<readonly string[]>;
}

/** Which files are the configuration: the user's and the system's, only one file, or none. */
export type ConfigSource =
  { readonly kind: "default" } | { readonly kind: "file"; readonly path: string } | { readonly kind: "none" };

/** `file` is that of `--ssh-config`: null where it was not given, `none` for no file. */
export function configSource(file: string | null): ConfigSource {
  if (file === null) return { kind: "default" };
  return file === "none" ? { kind: "none" } : { kind: "file", path: file };
}

export interface LoadContext extends ReadContext {
  readonly files: ConfigFiles;
  /** The home directory in the password database, where ~/.ssh/config is. */
  readonly home: string;
  /** Home directories for a `~` in Include; null: no such user. ssh uses $HOME there. */
  readonly includeHome: (user: string | null) => string | null;
}

export interface LoadedConfig {
  readonly source: ConfigSource;
  readonly files: readonly LoadedFile[];
}

const USER_CONFIG = ".ssh/config";
const SYSTEM_DIRECTORY = "/etc/ssh";

/** Reads the files of `source`. Throws ConfigError for a file that ssh would refuse whatever the host. */
export async function loadConfig(source: ConfigSource, context: LoadContext): Promise<LoadedConfig> {
  const loader = new Loader(context);
  const files: LoadedFile[] = [];
  if (source.kind === "file") {
    const file = await loader.load(source.path, { ofUser: true, checked: false }, 0);
    if (file === null) throw fileError(null, `Can't open user config file ${source.path}`);
    if (typeof file === "string")
      throw fileError(null, `Can't open user config file ${source.path}: ${file}`);
    files.push(file);
  } else if (source.kind === "default") {
    const user = await loader.load(`${context.home}/${USER_CONFIG}`, { ofUser: true, checked: true }, 0);
    const system = await loader.load(`${SYSTEM_DIRECTORY}/ssh_config`, { ofUser: false, checked: false }, 0);
    for (const file of [user, system]) if (file !== null && typeof file !== "string") files.push(file);
  }
  return { source, files };
}

function fileError(file: string | null, message: string): ConfigError {
  return new ConfigError([{ file, line: null, message }]);
}

interface FileRole {
  readonly ofUser: boolean;
  readonly checked: boolean;
}

interface Cached {
  readonly file: LoadedFile | string | null;
  /** Levels of Include below this file. */
  readonly height: number;
}

class Loader {
  private readonly cache = new Map<string, Cached>();
  private readonly open = new Set<string>();
  constructor(private readonly context: LoadContext) {}

  /** Null: no such file. A string: why it cannot be read. A file that is included several times is read once. */
  async load(path: string, role: FileRole, depth: number): Promise<LoadedFile | string | null> {
    return (await this.loadCached(path, role, depth)).file;
  }

  private async loadCached(path: string, role: FileRole, depth: number): Promise<Cached> {
    const key = `${role.ofUser ? "user" : "system"} ${role.checked ? "checked" : "open"} ${path}`;
    const known = this.cache.get(key);
    if (this.open.has(key) || depth + (known?.height ?? 0) > MAX_INCLUDE_DEPTH) {
      throw fileError(path, "Too many recursive configuration includes");
    }
    if (known !== undefined) return known;
    this.open.add(key);
    const loaded = await this.read(path, role, depth);
    this.open.delete(key);
    this.cache.set(key, loaded);
    return loaded;
  }

  private async read(path: string, role: FileRole, depth: number): Promise<Cached> {
    const found = await this.context.files.read(path, role.checked);
    if (found.kind === "missing") return { file: null, height: 0 };
    if (found.kind === "unreadable") return { file: found.reason, height: 0 };
    if (found.kind === "insecure") throw fileError(null, `Bad owner or permissions on ${path}`);

    let height = 0;
    const lines: LoadedLine[] = [];
    for (const { line, directive } of parseText(found.text, this.context)) {
      if (directive.kind === "include" && this.mustExpand(directive.patterns)) {
        const load = (patterns: readonly string[]): Promise<IncludedFiles> =>
          this.include(patterns, role, depth);
        lines.push({ line, directive: { kind: "include-expanded", patterns: directive.patterns, load } });
      } else if (directive.kind === "include") {
        const included = await this.include(directive.patterns, role, depth);
        if (included.files.length > 0) height = Math.max(height, included.height + 1);
        lines.push({
          line,
          directive: { kind: "include", files: included.files, problems: included.problems },
        });
      } else lines.push({ line, directive });
    }
    return { file: toBlocks(path, role.ofUser, lines), height };
  }

  private async include(
    patterns: readonly string[],
    role: FileRole,
    depth: number,
  ): Promise<{ files: LoadedFile[]; problems: string[]; height: number }> {
    const files: LoadedFile[] = [];
    const problems: string[] = [];
    let height = 0;
    for (const pattern of patterns) {
      if (pattern.startsWith("~") && !role.ofUser) {
        problems.push(`bad include path ${pattern}.`);
        break;
      }
      const anchored = this.anchor(pattern, role);
      if (anchored === null) continue;
      for (const path of await this.context.files.glob(anchored)) {
        const loaded = await this.loadCached(path, { ofUser: role.ofUser, checked: true }, depth + 1);
        height = Math.max(height, loaded.height);
        if (loaded.file === null) problems.push(`included file ${path} is gone or a link to nothing`);
        else if (typeof loaded.file === "string")
          problems.push(`Can't open user config file ${path}: ${loaded.file}`);
        else files.push(loaded.file);
      }
    }
    return { files, problems, height };
  }

  private mustExpand(patterns: readonly string[]): boolean {
    const isPlain = patterns.every((pattern) => !/%|\$\{/.test(pattern));
    return !isPlain && this.context.dialect >= SINCE.tokensInInclude;
  }

  /** Relative paths are in ~/.ssh for the user's files and in /etc/ssh for the system's. */
  private anchor(pattern: string, role: FileRole): string | null {
    if (pattern.startsWith("/")) return pattern;
    const full = pattern.startsWith("~")
      ? pattern
      : role.ofUser
        ? `~/.ssh/${pattern}`
        : `${SYSTEM_DIRECTORY}/${pattern}`;
    const parts = /^~([^/]*)([^]*)$/.exec(full);
    if (parts === null) return full;
    const [, user = "", tail = ""] = parts;
    const home = this.context.includeHome(user === "" ? null : user);
    return home === null ? null : home + tail;
  }
}
