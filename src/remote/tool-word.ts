/** A tool's path as one word of a command: the one text of an operator that stands in a script. */

/** What is found instead of a name where the operator gave the path. No program has this name. */
export const GIVEN = "@given";

const PLAIN = /^[\w/.+:,=@%-]+$/;
/** What login shells change inside the single quotes of a command (see script.ts). */
const UNSAFE_IN_SINGLE_QUOTES = /['\\!]/;

/**
 * The path for a POSIX shell, also inside the single quotes that a login shell takes off. What these quotes cannot hold is
 * written in octal for `printf %b`, which costs the shell a copy of itself.
 */
export function shellWord(path: string): string {
  if (PLAIN.test(path)) return path;
  if (!UNSAFE_IN_SINGLE_QUOTES.test(path)) return `"${path.replace(/["$`]/g, (c) => `\\${c}`)}"`;
  const octal = (c: string): string => `\\0${c.charCodeAt(0).toString(8).padStart(3, "0")}`;
  return `"$(printf %b "${path.replace(/["$`'\\!]/g, octal)}")"`;
}

/** The command of a part with the tool's word in it. */
export function withTool(command: string, word: string): string {
  // A function: `$&` in a path is no pattern.
  return command.replaceAll("{tool}", () => word);
}

/**
 * The path for a host that runs no script of ours: cmd.exe, PowerShell, or what a forced command does with it. A Windows
 * path with a blank is in double quotes, which PowerShell does not run.
 */
export function plainWord(path: string): string {
  if (!/^[A-Za-z]:/.test(path)) return shellWord(path);
  return /^[\w:.\\/-]+$/.test(path) ? path : `"${path}"`;
}
