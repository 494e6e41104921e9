/** Runs the loaded files over one host: which blocks hold, and what their lines leave in the options. */
import { matchPattern, matchPatternList } from "../../lib/wildcard.js";
import { ConfigError, type ConfigProblem } from "./config-error.js";
import type { ConfigEnvironment } from "./environment.js";
import type { Origin } from "./host-config.js";
import {
  DEEPEST_INCLUDE,
  type Block,
  type IncludedFiles,
  type LoadedConfig,
  type LoadedDirective,
  type LoadedFile,
  type LoadedLine,
} from "./load.js";
import { expandWhileReading, matches, type Subject } from "./match.js";
import type { ConfigOptions } from "./options.js";

const MAX_IDENTITIES = 100;
const MAX_KNOWN_HOSTS_FILES = 32;

/** The words of `ssh -o`, in a file of their own: no Host, Match or Include. Throws ConfigError. */
export async function applyFlags(
  flags: LoadedFile,
  subject: Subject,
  options: ConfigOptions,
  environment: ConfigEnvironment,
): Promise<void> {
  await new Pass(subject, options, environment, null, { kind: "flag" }).file(flags, true);
}

/** Takes a mistake instead of an error; `counts`: its line is one of those that are for the host. */
export type Tolerate = (problem: ConfigProblem, counts: boolean) => void;

/**
 * One reading of all files. Returns whether a `Match final` asked for another. Throws ConfigError, as ssh would exit,
 * unless mistakes are tolerated: then their lines are left out.
 */
export async function applyConfig(
  config: LoadedConfig,
  subject: Subject,
  options: ConfigOptions,
  environment: ConfigEnvironment,
  tolerate: Tolerate | null = null,
): Promise<boolean> {
  const pass = new Pass(subject, options, environment, tolerate);
  for (const file of config.files) await pass.file(file, true);
  return pass.wantsFinalPass;
}

class Pass {
  wantsFinalPass = false;
  private readonly problems: ConfigProblem[] = [];
  constructor(
    private readonly subject: Subject,
    private readonly options: ConfigOptions,
    private readonly environment: ConfigEnvironment,
    private readonly tolerate: Tolerate | null,
    private readonly origin: Origin | null = null,
  ) {}

  private depth = 0;

  /** `live` false: ssh reads an Include of a block that does not hold, but nothing in it can match. */
  async file(file: LoadedFile, live: boolean): Promise<void> {
    const before = this.problems.length;
    let active = live;
    for (const index of blocksFor(file, this.subject.host)) {
      const block = file.blocks[index];
      if (block === undefined) continue;
      if (block.header !== null) active = (await this.holds(block.header, file, live)) && live;
      if (active || block.alwaysRead) await this.block(block, file, active);
    }
    if (this.problems.length > before) throw new ConfigError(this.problems);
  }

  private async block(block: Block, file: LoadedFile, active: boolean): Promise<void> {
    for (const line of block.lines) {
      if (line.directive.kind === "include") await this.include(line.directive, line, file, active);
      else if (line.directive.kind === "include-expanded") {
        const { patterns, load } = line.directive;
        await this.include(await load(this.expanded(patterns, line, file)), line, file, active);
      } else this.line(line, file, active);
    }
  }

  private async include(
    { files, problems }: IncludedFiles,
    line: LoadedLine,
    file: LoadedFile,
    active: boolean,
  ): Promise<void> {
    // Files that are known only for a host may go round in a circle unseen by the loader.
    if (++this.depth > DEEPEST_INCLUDE) {
      throw new ConfigError([
        { file: file.path, line: null, message: "Too many recursive configuration includes" },
      ]);
    }
    for (const included of files) await this.file(included, active);
    this.depth--;
    for (const message of problems) this.complain(file, line, message, false);
  }

  /** The paths of an Include for this host; one with an unset variable is left out. */
  private expanded(patterns: readonly string[], line: LoadedLine, file: LoadedFile): readonly string[] {
    return patterns.flatMap((pattern) => {
      const path = expandWhileReading(pattern, this.subject, this.options, this.environment);
      if (path.ok) return [path.text];
      // ssh goes on without a file whose variable is not set, and ends over a token that it does not know.
      if (!path.message.startsWith("env var ")) this.complain(file, line, path.message, true);
      return [];
    });
  }

  private async holds(header: LoadedLine, file: LoadedFile, live: boolean): Promise<boolean> {
    const { directive } = header;
    if (directive.kind === "host") return this.isForHost(directive.patterns, header, file, live);
    if (directive.kind !== "match") return false;
    const verdict = await matches(directive.criteria, this.subject, this.options, this.environment);
    if (verdict.kind === "bad") {
      this.complain(file, header, verdict.message, verdict.fatal);
      return false;
    }
    if (directive.problem !== null) this.complain(file, header, directive.problem, false);
    if (verdict.wantsFinalPass) this.wantsFinalPass = true;
    return verdict.matched;
  }

  private isForHost(
    patterns: readonly string[],
    header: LoadedLine,
    file: LoadedFile,
    live: boolean,
  ): boolean {
    let found = false;
    for (const pattern of patterns) {
      if (pattern === "") {
        this.complain(file, header, "keyword host empty argument", false);
        return false;
      }
      if (!live) return false;
      const negated = pattern.startsWith("!");
      if (!matchPattern(this.subject.host, negated ? pattern.slice(1) : pattern)) continue;
      if (negated) return false;
      found = true;
    }
    return found;
  }

  private line(line: LoadedLine, file: LoadedFile, active: boolean): void {
    const { directive } = line;
    const origin: Origin = this.origin ?? { kind: "file", file: file.path, line: line.line };
    if (directive.kind === "bad") this.complain(file, line, directive.message, directive.fatal, active);
    else if (directive.kind === "unknown") {
      if (!this.ignores(directive.keyword)) {
        this.complain(file, line, `Bad configuration option: ${directive.keyword}`, false, active);
      }
    } else if (directive.kind === "set-anyway") {
      if (directive.replace) this.options.replace(directive.key, directive.value, origin);
      else this.options.offer(directive.key, directive.value, origin);
    } else if (active) this.apply(directive, line, file, origin);
  }

  private apply(directive: LoadedDirective, line: LoadedLine, file: LoadedFile, origin: Origin): void {
    const { options } = this;
    switch (directive.kind) {
      case "set":
        for (const [key, value] of directive.settings) options.offer(key, value, origin);
        break;
      case "files":
        if (directive.paths.length === 0 || options.has(directive.key)) break;
        if (directive.paths.length > MAX_KNOWN_HOSTS_FILES) {
          this.complain(file, line, `too many ${directive.key} entries.`, false);
        } else options.offer(directive.key, directive.paths, origin);
        break;
      case "append":
        this.append(directive.key, directive.path, line, file, origin);
        break;
      case "send-env":
        options.sendEnvironment(directive.names);
        options.noteOrigin("sendenv", origin);
        break;
      case "forward":
        options.addForward(directive.side, directive.forward);
        break;
      case "jump":
        if (options.proxy.kind !== "unset") break;
        options.proxy =
          directive.jump.kind === "via" ? { kind: "jump", jump: directive.jump } : { kind: "no-jump" };
        options.noteOrigin("proxyjump", origin);
        break;
      case "proxy-command":
        if (options.proxy.kind !== "unset" && options.proxy.kind !== "no-jump") break;
        options.proxy = { kind: "command", command: directive.command };
        options.noteOrigin("proxycommand", origin);
        break;
      case "refuse":
        throw new ConfigError([
          {
            file: file.path,
            line: line.line,
            message: `RefuseConnection: ${directive.message}`,
            ofHost: true,
          },
        ]);
        break;
      case "host":
      case "match":
      case "include":
      case "include-expanded":
      case "nothing":
      case "bad":
      case "unknown":
      case "set-anyway":
        break;
    }
  }

  private append(key: string, path: string, line: LoadedLine, file: LoadedFile, origin: Origin): void {
    const files = key === "identityfile" ? this.options.identityFiles : this.options.certificateFiles;
    if (files.length >= MAX_IDENTITIES) {
      const what = key === "identityfile" ? "identity" : "certificate";
      this.complain(file, line, `Too many ${what} files specified (max ${MAX_IDENTITIES}).`, false);
      return;
    }
    if (files.some((known) => known.path === path && known.ofUser === file.ofUser)) return;
    files.push({ path, ofUser: file.ofUser });
    this.options.noteOrigin(key, origin);
  }

  private ignores(keyword: string): boolean {
    const patterns = this.options.text("ignoreunknown");
    return patterns !== null && matchPatternList(keyword, patterns, true) === "matched";
  }

  private complain(
    file: LoadedFile,
    { line }: LoadedLine,
    message: string,
    fatal: boolean,
    counts = true,
  ): void {
    const problem = { file: file.path, line, message };
    if (this.tolerate !== null) {
      this.tolerate(problem, counts);
      return;
    }
    this.problems.push(problem);
    if (fatal) throw new ConfigError(this.problems);
  }
}

/** The blocks this host must look at, in file order. */
function blocksFor({ common, byName }: LoadedFile, host: string): readonly number[] {
  const own = byName.get(host);
  if (own === undefined) return common;
  return [...common, ...own].sort((a, b) => a - b);
}
