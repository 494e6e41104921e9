/** What one line leaves in the options of a host. */
import { matchPatternList } from "../../lib/wildcard.js";
import type { LoadedDirective, LoadedFile, LoadedLine } from "./blocks.js";
import { ConfigError } from "./config-error.js";
import type { Origin } from "./host-config.js";
import type { ConfigOptions } from "./options.js";

const MAX_IDENTITIES = 100;
const MAX_KNOWN_HOSTS_FILES = 32;

/** Where lines are applied to. */
export interface LineTarget {
  readonly options: ConfigOptions;
  /** In place of file and line; null: the line's own. */
  readonly origin: Origin | null;
  /** Reports a mistake. `fatal`: ssh stops at once. `counts`: the line applies to the host; true by default. */
  readonly complain: (
    file: LoadedFile,
    line: LoadedLine,
    message: string,
    fatal: boolean,
    counts?: boolean,
  ) => void;
}

/** `active`: the block of the line holds. Throws ConfigError where ssh would exit. */
export function applyLine(line: LoadedLine, file: LoadedFile, active: boolean, target: LineTarget): void {
  const { directive } = line;
  const { options } = target;
  const origin: Origin = target.origin ?? { kind: "file", file: file.path, line: line.line };
  if (directive.kind === "bad") target.complain(file, line, directive.message, directive.fatal, active);
  else if (directive.kind === "unknown") {
    if (!isIgnored(directive.keyword, options)) {
      target.complain(file, line, `Bad configuration option: ${directive.keyword}`, false, active);
    }
  } else if (directive.kind === "set-anyway") {
    if (directive.replace) options.replace(directive.key, directive.value, origin);
    else options.offer(directive.key, directive.value, origin);
  } else if (active) applyDirective(directive, line, file, origin, target);
}

function applyDirective(
  directive: LoadedDirective,
  line: LoadedLine,
  file: LoadedFile,
  origin: Origin,
  target: LineTarget,
): void {
  const { options } = target;
  switch (directive.kind) {
    case "set":
      for (const [key, value] of directive.settings) options.offer(key, value, origin);
      break;
    case "files":
      if (directive.paths.length === 0 || options.has(directive.key)) break;
      if (directive.paths.length > MAX_KNOWN_HOSTS_FILES) {
        target.complain(file, line, `too many ${directive.key} entries.`, false);
      } else options.offer(directive.key, directive.paths, origin);
      break;
    case "append":
      appendFile(directive.key, directive.path, line, file, origin, target);
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

function appendFile(
  key: string,
  path: string,
  line: LoadedLine,
  file: LoadedFile,
  origin: Origin,
  { options, complain }: LineTarget,
): void {
  const files = key === "identityfile" ? options.identityFiles : options.certificateFiles;
  if (files.length >= MAX_IDENTITIES) {
    const what = key === "identityfile" ? "identity" : "certificate";
    complain(file, line, `Too many ${what} files specified (max ${MAX_IDENTITIES}).`, false);
    return;
  }
  if (files.some((known) => known.path === path && known.ofUser === file.ofUser)) return;
  files.push({ path, ofUser: file.ofUser });
  options.noteOrigin(key, origin);
}

function isIgnored(keyword: string, options: ConfigOptions): boolean {
  const patterns = options.text("ignoreunknown");
  return patterns !== null && matchPatternList(keyword, patterns, true) === "matched";
}
