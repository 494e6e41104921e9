/** Applies the loaded files to one host: which blocks hold, and the lines of those that do. */
import { matchPattern } from "../../lib/wildcard.js";
import { applyLine, type LineTarget } from "./apply-line.js";
import {
  blocksFor,
  MAX_INCLUDE_DEPTH,
  type Block,
  type IncludedFiles,
  type LoadedFile,
  type LoadedLine,
} from "./blocks.js";
import { ConfigError, type ConfigProblem } from "./config-error.js";
import type { ConfigEnvironment } from "./environment.js";
import type { Origin } from "./host-config.js";
import type { LoadedConfig } from "./load.js";
import { expandWhileReading, matches, type Subject } from "./match.js";
import type { ConfigOptions } from "./options.js";

/** Options as of `ssh -o`, as a file of their own: no Host, Match or Include. Throws ConfigError. */
export async function applyFlags(
  flags: LoadedFile,
  subject: Subject,
  options: ConfigOptions,
  environment: ConfigEnvironment,
): Promise<void> {
  await new Pass(subject, options, environment, null, { kind: "flag" }).file(flags, true);
}

/** Is called with a mistake in place of an error. `counts`: its line applies to the host. */
export type Tolerate = (problem: ConfigProblem, counts: boolean) => void;

/**
 * One pass over all files. Returns whether a `Match final` requires another. Throws ConfigError where ssh would exit,
 * unless mistakes are tolerated: their lines are then left out.
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
  private readonly target: LineTarget;
  private depth = 0;
  constructor(
    private readonly subject: Subject,
    private readonly options: ConfigOptions,
    private readonly environment: ConfigEnvironment,
    private readonly tolerate: Tolerate | null,
    origin: Origin | null = null,
  ) {
    this.target = {
      options,
      origin,
      complain: (...args) => this.complain(...args),
    };
  }

  /** `live` false: the Include of a block that does not hold. ssh reads it, but nothing in it can match. */
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
      } else applyLine(line, file, active, this.target);
    }
  }

  private async include(
    { files, problems }: IncludedFiles,
    line: LoadedLine,
    file: LoadedFile,
    active: boolean,
  ): Promise<void> {
    // Files that depend on the host may include each other in a circle, which the loader cannot see.
    if (++this.depth > MAX_INCLUDE_DEPTH) {
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
      // ssh continues without a file whose variable is not set, and exits over a token that it does not know.
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
